//! The blind relay of this crate: the least that any proxy can cost.

use std::net::SocketAddr;

use super::super::process::{Process, listening};
use super::super::proxy::Proxy;
use super::Place;

/// Its name in reports.
pub(in super::super) const NAME: &str = "blind relay";

/// A running relay.
#[derive(Debug)]
pub(in super::super) struct Relay {
    process: Process,
    address: SocketAddr,
}

impl Relay {
    /// Starts one.
    pub(in super::super) fn start(place: &Place<'_>) -> anyhow::Result<Self> {
        let mut command = place.cores.ourselves("relay")?;
        command.args(["--listen", "127.0.0.1:0", "--backend", &place.plain.to_string()]);
        let (process, address) = listening(command, place.folder, NAME)?;
        Ok(Self { process, address })
    }
}

impl Proxy for Relay {
    fn name(&self) -> &'static str {
        NAME
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn process(&self) -> u32 {
        self.process.id()
    }
}
