//! The blind relay of this crate: the least that any proxy can cost.

use super::super::process::listening;
use super::{Peer, Place};

/// Its name in reports.
pub(in super::super) const NAME: &str = "blind relay";

/// Starts one.
pub(in super::super) fn start(place: &Place<'_>) -> anyhow::Result<Peer> {
    let mut command = place.cores.ourselves("relay")?;
    command.args(["--listen", "127.0.0.1:0", "--backend", &place.plain.to_string()]);
    let (process, address) = listening(command, place.folder, NAME)?;
    Ok(Peer { name: NAME, process, address })
}
