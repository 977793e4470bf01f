//! The physical limit: bytes from one socket to the other and back, on one thread, without a look at them.
//!
//! Four socket calls for each request: what any proxy must do. Refuses to know HTTP, and more than one backend.

mod pair;

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::Context;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use crate::output;
use pair::Pair;

/// The token of the listener; the sides of pair `n` have `2n + 1` and `2n + 2`.
const LISTENER: Token = Token(0);

/// The most that is read at once.
const SCRATCH: usize = 64 * 1024;

/// What the relay is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen; port 0 takes a free one, which is printed.
    #[arg(long)]
    listen: SocketAddr,
    /// Where everything goes.
    #[arg(long)]
    backend: SocketAddr,
}

/// Relays until it is killed. The first line of stdout is the address.
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

    let mut pairs: Vec<Option<Pair>> = Vec::new();
    let mut free = Vec::new();
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; SCRATCH];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.context("cannot wait for events")?,
        }
        for event in &events {
            let Token(token) = event.token();
            if event.token() == LISTENER {
                while let Ok((client, _)) = listener.accept() {
                    let number = free.pop().unwrap_or_else(|| {
                        pairs.push(None);
                        pairs.len() - 1
                    });
                    let tokens = [2 * number + 1, 2 * number + 2].map(Token);
                    pairs[number] = Some(Pair::open(client, arguments.backend, poll.registry(), tokens)?);
                }
                continue;
            }
            let (number, side) = ((token - 1) / 2, (token - 1) % 2);
            let closed = event.is_read_closed();
            let mut advance = |pair: &mut Pair| pair.advance(side, event.is_readable(), closed, &mut scratch);
            if pairs[number].as_mut().is_some_and(|pair| !advance(pair)) {
                pairs[number] = None;
                free.push(number);
            }
        }
    }
}
