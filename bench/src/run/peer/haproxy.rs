//! HAProxy as Debian packages it, a plain proxy with connections that are kept on both sides.

use std::net::SocketAddr;

use super::super::process::{find, free_address};
use super::{Peer, Place};

/// Its name in reports.
pub(in super::super) const NAME: &str = "haproxy";

/// Starts one; `None` when it is not installed.
pub(in super::super) fn start(place: &Place<'_>) -> anyhow::Result<Option<Peer>> {
    let Some(program) = find(NAME) else { return Ok(None) };
    let address = free_address()?;
    let settings = settings(place.workers, address, place.plain);
    let (process, _) = place.start(NAME, &program, &settings, &["-db", "-f"], address)?;
    Ok(Some(Peer { name: NAME, process, address }))
}

/// As it says it, `None` when it is not installed.
pub(in super::super) fn version() -> anyhow::Result<Option<String>> {
    find(NAME).map(|program| super::version(&program, "-v")).transpose()
}

fn settings(workers: u16, listen: SocketAddr, backend: SocketAddr) -> String {
    format!(
        "global
    nbthread {workers}
    maxconn 8192
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    timeout http-keep-alive 300s
    http-reuse always
frontend bench
    bind {listen}
    default_backend bench
backend bench
    server one {backend}
"
    )
}
