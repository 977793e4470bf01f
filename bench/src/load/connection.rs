//! One connection of the load: a request out, its answer in, one at a time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::answer::{Head, head};
use crate::clock;

/// A connection, and how far its exchange is.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    busy: bool,
    begun: Instant,
    /// Of the load's requests, the one that is under way.
    request: usize,
    sent: usize,
    /// Of an answer whose head is not whole yet.
    held: Vec<u8>,
    /// Of an answer whose head is, with the bytes of its body that came.
    answer: Option<(Head, usize)>,
}

/// What came of letting a connection go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing yet.
    Waiting,
    /// A whole answer.
    Answered {
        /// Its status.
        status: u16,
        /// The bytes of its body.
        body: usize,
        /// Whether the connection must be left.
        close: bool,
    },
    /// The connection ended within an exchange, or what came is no answer.
    Broken,
}

impl Connection {
    /// Connects and registers; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the target does not accept.
    pub(super) fn open(target: SocketAddr, registry: &Registry, token: Token) -> io::Result<Self> {
        let stream = std::net::TcpStream::connect(target)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let begun = clock::now();
        Ok(Self { stream, busy: false, begun, request: 0, sent: 0, held: Vec::new(), answer: None })
    }

    /// Whether a request is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// How long the request is under way.
    pub(super) fn since(&self, now: Instant) -> Duration {
        now - self.begun
    }

    /// The next request begins now; it is the one of this number.
    pub(super) fn begin(&mut self, now: Instant, request: usize) {
        (self.busy, self.begun, self.request, self.sent, self.answer) = (true, now, request, 0, None);
        self.held.clear();
    }

    /// No further request begins.
    pub(super) fn rest(&mut self) {
        self.busy = false;
    }

    /// Writes and reads as far as it goes.
    pub(super) fn advance(&mut self, requests: &[Vec<u8>], scratch: &mut [u8]) -> Progress {
        self.try_advance(&requests[self.request], scratch).unwrap_or_else(|error| match error.kind() {
            ErrorKind::WouldBlock => Progress::Waiting,
            _ => Progress::Broken,
        })
    }

    fn try_advance(&mut self, request: &[u8], scratch: &mut [u8]) -> io::Result<Progress> {
        let first = self.sent == 0;
        while self.sent < request.len() {
            match self.stream.write(&request[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => self.sent += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // Nothing can have answered what was not sent; the answer will be an event of its own.
        if first {
            return Ok(Progress::Waiting);
        }
        loop {
            match self.stream.read(scratch) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => {
                    if let Some(progress) = self.take(&scratch[..length]) {
                        return Ok(progress);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes what was read, and says so when it ends the exchange.
    fn take(&mut self, bytes: &[u8]) -> Option<Progress> {
        let (head, came) = match &mut self.answer {
            Some((head, came)) => {
                *came += bytes.len();
                (*head, *came)
            }
            None => {
                let (whole, read) = match self.held.is_empty() {
                    true => (head(bytes), bytes.len()),
                    false => {
                        self.held.extend_from_slice(bytes);
                        (head(&self.held), self.held.len())
                    }
                };
                let head = match whole {
                    Ok(Some(head)) => head,
                    Ok(None) if self.held.is_empty() => {
                        self.held.extend_from_slice(bytes);
                        return None;
                    }
                    Ok(None) => return None,
                    Err(_) => return Some(Progress::Broken),
                };
                let came = read - head.length;
                self.answer = Some((head, came));
                (head, came)
            }
        };
        match came.cmp(&head.body) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => {
                Some(Progress::Answered { status: head.status, body: head.body, close: head.close })
            }
            std::cmp::Ordering::Greater => Some(Progress::Broken),
        }
    }
}
