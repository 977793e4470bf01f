//! What connections cost that do nothing: memory of the proxy's processes, before and after there are a thousand.

use std::process::Stdio;

use anyhow::ensure;
use serde::Serialize;

use super::gateway::PLAIN;
use super::process::Process;
use super::procfs::pss_kib;
use super::proxy::Proxy;
use super::stand::Stand;
use crate::output;

/// So many of them.
const CONNECTIONS: u16 = 1000;

/// What one proxy kept.
#[derive(Clone, Debug, Serialize)]
pub(super) struct IdleMemory {
    /// Its name.
    pub(super) proxy: &'static str,
    /// Before the first of the connections, in KiB (Pss).
    pub(super) before_kib: u64,
    /// With all of them, in KiB (Pss).
    pub(super) after_kib: u64,
    /// For each connection, in KiB.
    pub(super) per_connection_kib: f64,
}

/// Of each proxy that has just been started, one after the other. The sockets' buffers in the kernel are not in it.
///
/// # Errors
///
/// When a connection is not answered.
pub(super) fn measure(stand: &Stand, folder: &std::path::Path) -> anyhow::Result<Vec<IdleMemory>> {
    stand.proxies.iter().map(|proxy| of(stand, proxy.as_ref(), folder)).collect()
}

fn of(stand: &Stand, proxy: &dyn Proxy, folder: &std::path::Path) -> anyhow::Result<IdleMemory> {
    let before_kib = pss_kib(proxy.process())?;
    let mut command = stand.cores.ourselves("hold")?;
    command.args(["--target", &proxy.address().to_string(), "--path", PLAIN]);
    command.args(["--connections", &CONNECTIONS.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut hold = Process::spawn(command, folder, "hold")?;
    let line = hold.first_line()?;
    ensure!(line.trim() == CONNECTIONS.to_string(), "void: {}: {}", proxy.name(), hold.said());
    let after_kib = pss_kib(proxy.process())?;
    let per_connection_kib = after_kib.saturating_sub(before_kib) as f64 / f64::from(CONNECTIONS);
    output::progress(&format!("idle-memory: {} {per_connection_kib:.1} KiB a connection", proxy.name()));
    Ok(IdleMemory { proxy: proxy.name(), before_kib, after_kib, per_connection_kib })
}
