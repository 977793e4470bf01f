//! The service behind the proxies: a loop over epoll that answers from memory, on one thread.
//!
//! Costs little beside a proxy: one read and one write for each request, no allocation. Its whole vocabulary is in payload.rs.

mod connection;
mod request;
mod signature;

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::Context;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use crate::output;
use connection::Connection;
use signature::Checker;

/// The token of the listener; connection `n` of the table has `n + 1`.
const LISTENER: Token = Token(0);

/// The most that is read at once.
const SCRATCH: usize = 64 * 1024;

/// What the backend is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The secret that signs requests.
    #[arg(long)]
    secret: String,
    /// Where to listen; port 0 takes a free one, which is printed.
    #[arg(long)]
    listen: SocketAddr,
    /// Refuse requests without a good signature with 401.
    #[arg(long)]
    check: bool,
}

/// Serves until it is killed. The first line of stdout is the address.
///
/// # Errors
///
/// When the address cannot be had, or epoll fails.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut listener = TcpListener::bind(arguments.listen)
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    output::line(&listener.local_addr()?.to_string())?;

    let checker = arguments.check.then(|| Checker::new(arguments.secret.as_bytes()));
    let mut table = Table { poll: &mut poll, connections: Vec::new(), free: Vec::new() };
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; SCRATCH];
    loop {
        match table.poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.context("cannot wait for events")?,
        }
        for event in &events {
            match event.token() {
                LISTENER => table.accept(&listener)?,
                Token(number) => {
                    let closed = event.is_read_closed();
                    table.drive(number - 1, |connection| {
                        connection.advance(&mut scratch, closed, checker.as_ref())
                    });
                }
            }
        }
    }
}

/// The open connections, by number.
struct Table<'a> {
    poll: &'a mut Poll,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
}

impl Table<'_> {
    /// Takes every connection that waits.
    fn accept(&mut self, listener: &TcpListener) -> anyhow::Result<()> {
        loop {
            let mut stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error)
                    if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) =>
                {
                    continue;
                }
                Err(error) => return Err(error).context("cannot accept"),
            };
            stream.set_nodelay(true)?;
            let number = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, Token(number + 1), interest)?;
            self.connections[number] = Some(Connection::new(stream));
        }
    }

    /// Lets a connection go on; an event for one that is gone is late and means nothing.
    fn drive(&mut self, number: usize, advance: impl FnOnce(&mut Connection) -> bool) {
        let Some(slot) = self.connections.get_mut(number) else { return };
        if slot.as_mut().is_some_and(|connection| !advance(connection)) {
            *slot = None;
            self.free.push(number);
        }
    }
}
