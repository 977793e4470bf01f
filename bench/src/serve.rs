//! A loop over epoll on one thread: takes connections, and lets each go on when something happens at a socket of it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use anyhow::Context;
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};

use crate::output;

/// The token of the listener; the sockets of connection `n` have `2n + 1` and `2n + 2`.
const LISTENER: Token = Token(0);

/// The most that is read at once.
const SCRATCH: usize = 64 * 1024;

/// What every socket of a connection is registered for.
pub(crate) const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// What happened at a socket of a connection.
#[derive(Debug)]
pub(crate) struct Happened<'a> {
    /// 0: the one that was accepted, 1: the other one.
    pub(crate) side: usize,
    pub(crate) event: &'a Event,
    /// Room to read into.
    pub(crate) scratch: &'a mut [u8],
}

/// Serves until it is killed. The first line of stdout is the address. `open` registers the sockets of a connection with
/// its tokens; `advance` says whether it goes on.
///
/// # Errors
///
/// When the address cannot be had, a connection cannot be opened, or epoll fails.
pub(crate) fn serve<C>(
    listen: SocketAddr,
    mut open: impl FnMut(TcpStream, &Registry, [Token; 2]) -> io::Result<C>,
    mut advance: impl FnMut(&mut C, Happened<'_>) -> bool,
) -> anyhow::Result<u8> {
    let mut listener = TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    output::line(&listener.local_addr()?.to_string())?;

    let (mut connections, mut free) = (Vec::<Option<C>>::new(), Vec::new());
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; SCRATCH];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.context("cannot wait for events")?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Some(stream) = accepted(&listener)? {
                    let number = free.pop().unwrap_or_else(|| {
                        connections.push(None);
                        connections.len() - 1
                    });
                    let tokens = [2 * number + 1, 2 * number + 2].map(Token);
                    connections[number] = Some(open(stream, poll.registry(), tokens)?);
                }
                continue;
            }
            let Token(token) = event.token();
            let (number, side) = ((token - 1) / 2, (token - 1) % 2);
            let happened = Happened { side, event, scratch: &mut scratch };
            // An event for one that is gone is late and means nothing.
            if connections[number].as_mut().is_some_and(|connection| !advance(connection, happened)) {
                connections[number] = None;
                free.push(number);
            }
        }
    }
}

/// The next connection that waits.
fn accepted(listener: &TcpListener) -> anyhow::Result<Option<TcpStream>> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nodelay(true)?;
                return Ok(Some(stream));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
            Err(error) => return Err(error).context("cannot accept"),
        }
    }
}
