//! One connection to the backend: bytes in, answers out.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::LazyLock;

use mio::net::TcpStream;

use super::request::{self, Refusal};
use super::signature::Checker;
use crate::payload::{ANSWER, LARGE_ANSWER, LARGE_PATH};

/// The answer to whatever is in order.
static OK: LazyLock<Vec<u8>> = LazyLock::new(|| answer("200 OK", "text/plain", &ANSWER));

/// The same, of 64 KiB.
static LARGE_OK: LazyLock<Vec<u8>> = LazyLock::new(|| answer("200 OK", "text/plain", &LARGE_ANSWER));

/// A connection, what was read of the next request, and what is still to be written.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    held: Vec<u8>,
    out: Vec<u8>,
    closing: bool,
}

impl Connection {
    /// Of a stream that was just accepted.
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, held: Vec::new(), out: Vec::new(), closing: false }
    }

    /// Reads, answers and writes as far as it goes; `false` when the connection has ended.
    pub(super) fn advance(&mut self, scratch: &mut [u8], closed: bool, checker: Option<&Checker>) -> bool {
        match self.try_advance(scratch, closed, checker) {
            Ok(()) => !self.closing,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }

    fn try_advance(&mut self, scratch: &mut [u8], closed: bool, checker: Option<&Checker>) -> io::Result<()> {
        self.flush()?;
        while !self.closing {
            let length = match self.stream.read(scratch) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if self.held.is_empty() {
                let taken = self.answer(&scratch[..length], checker);
                self.held.extend_from_slice(&scratch[taken..length]);
            } else {
                let mut held = std::mem::take(&mut self.held);
                held.extend_from_slice(&scratch[..length]);
                let taken = self.answer(&held, checker);
                held.drain(..taken);
                self.held = held;
            }
            self.flush()?;
            // Less than was asked for: nothing is left, and more of it is a new event (epoll(7), question 9).
            if length < scratch.len() && !closed {
                break;
            }
        }
        Ok(())
    }

    /// Answers every whole request, and says how many bytes they had.
    fn answer(&mut self, bytes: &[u8], checker: Option<&Checker>) -> usize {
        let mut taken = 0;
        while !self.closing {
            match request::parse(&bytes[taken..]) {
                Ok(None) => break,
                Ok(Some(request)) => {
                    taken += request.length;
                    self.closing = request.close;
                    match checker.map(|checker| checker.check(&request)) {
                        None | Some(Ok(())) if request.target.starts_with(LARGE_PATH) => {
                            self.out.extend_from_slice(&LARGE_OK);
                        }
                        None | Some(Ok(())) => self.out.extend_from_slice(&OK),
                        Some(Err(text)) => {
                            let body = format!(r#"{{"error":"{text}"}}"#);
                            let unauthorized =
                                answer("401 Unauthorized", "application/json", body.as_bytes());
                            self.out.extend_from_slice(&unauthorized);
                        }
                    }
                }
                Err(refusal) => {
                    self.closing = true;
                    let status = match refusal {
                        Refusal::Malformed => "400 Bad Request",
                        Refusal::NoLength => "411 Length Required",
                        Refusal::TooLarge => "413 Content Too Large",
                    };
                    self.out.extend_from_slice(&answer(status, "text/plain", b""));
                }
            }
        }
        taken
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) if length == self.out.len() => self.out.clear(),
                Ok(length) => drop(self.out.drain(..length)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A whole answer.
fn answer(status: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut answer =
        format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n")
            .into_bytes();
    answer.extend_from_slice(body);
    answer
}
