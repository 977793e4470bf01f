//! What is measured.

use std::net::SocketAddr;

/// A proxy that runs.
pub(super) trait Proxy {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// Where it listens.
    fn address(&self) -> SocketAddr;

    /// The process whose tree is measured.
    fn process(&self) -> u32;
}
