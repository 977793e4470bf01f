//! The service behind the proxies: a loop over epoll that answers from memory, on one thread.
//!
//! Costs little beside a proxy: one read and one write for each request, no allocation. Its whole vocabulary is in payload.rs.

mod connection;
mod request;
mod signature;

use std::net::SocketAddr;

use crate::serve::{BOTH, serve};
use connection::Connection;
use signature::Checker;

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
    let checker = arguments.check.then(|| Checker::new(arguments.secret.as_bytes()));
    serve(
        arguments.listen,
        |mut stream, registry, [token, _]| {
            registry.register(&mut stream, token, BOTH)?;
            Ok(Connection::new(stream))
        },
        |connection, happened| {
            let closed = happened.event.is_read_closed();
            connection.advance(happened.scratch, closed, checker.as_ref())
        },
    )
}
