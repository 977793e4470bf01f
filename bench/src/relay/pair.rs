//! A client's connection and the one to the backend that belongs to it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Registry, Token};

use crate::serve::{BOTH, Happened};

/// Both, and what could not be written to each yet.
#[derive(Debug)]
pub(super) struct Pair {
    streams: [TcpStream; 2],
    unwritten: [Vec<u8>; 2],
}

impl Pair {
    /// Connects to the backend for a client that was just accepted.
    ///
    /// # Errors
    ///
    /// When the backend does not accept.
    pub(super) fn open(
        mut client: TcpStream,
        backend: SocketAddr,
        registry: &Registry,
        tokens: [Token; 2],
    ) -> io::Result<Self> {
        let stream = std::net::TcpStream::connect(backend)?;
        stream.set_nonblocking(true)?;
        let mut backend = TcpStream::from_std(stream);
        backend.set_nodelay(true)?;
        registry.register(&mut client, tokens[0], BOTH)?;
        registry.register(&mut backend, tokens[1], BOTH)?;
        Ok(Self { streams: [client, backend], unwritten: [Vec::new(), Vec::new()] })
    }

    /// After an event at a side (0: the client's, 1: the backend's); `false` when the pair has ended.
    pub(super) fn advance(&mut self, happened: Happened<'_>) -> bool {
        let Happened { side, event, scratch } = happened;
        // What waits for this side holds the other one back: it is read again when there is room.
        let had_waited = !self.unwritten[side].is_empty();
        let go_on = self.flush(side)
            && (!had_waited || !self.unwritten[side].is_empty() || self.pass(1 - side, false, scratch));
        go_on && (!event.is_readable() || self.pass(side, event.is_read_closed(), scratch))
    }

    /// Reads from one side and writes to the other.
    fn pass(&mut self, side: usize, closed: bool, scratch: &mut [u8]) -> bool {
        let other = 1 - side;
        while self.unwritten[other].is_empty() {
            let length = match self.streams[side].read(scratch) {
                Ok(0) => return false,
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return false,
            };
            let written = match self.streams[other].write(&scratch[..length]) {
                Ok(written) => written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(_) => return false,
            };
            self.unwritten[other].extend_from_slice(&scratch[written..length]);
            // Less than was asked for: nothing is left, and more of it is a new event (epoll(7), question 9).
            if length < scratch.len() && !closed {
                return true;
            }
        }
        true
    }

    fn flush(&mut self, side: usize) -> bool {
        while !self.unwritten[side].is_empty() {
            match self.streams[side].write(&self.unwritten[side]) {
                Ok(0) => return false,
                Ok(length) => drop(self.unwritten[side].drain(..length)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}
