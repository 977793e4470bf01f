//! What is measured.

use std::fmt;
use std::net::SocketAddr;

/// A proxy that runs.
pub(super) trait Proxy: fmt::Debug {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// Where it listens.
    fn address(&self) -> SocketAddr;

    /// The process whose tree is measured.
    fn process(&self) -> u32;

    /// Whether it signs what it passes on.
    fn signs(&self) -> bool {
        false
    }

    /// What a load asks of it where the case does not say: each route in its turn.
    fn paths(&self) -> &[String] {
        &[]
    }
}
