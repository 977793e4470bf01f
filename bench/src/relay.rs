//! The physical limit: bytes from one socket to the other and back, on one thread, without a look at them.
//!
//! Four socket calls for each request: what any proxy must do. Refuses to know HTTP, and more than one backend.

mod pair;

use std::net::SocketAddr;

use crate::serve::serve;
use pair::Pair;

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
/// When the address cannot be had, the backend does not accept, or epoll fails.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    serve(
        arguments.listen,
        |client, registry, tokens| Pair::open(client, arguments.backend, registry, tokens),
        |pair, happened| pair.advance(happened),
    )
}
