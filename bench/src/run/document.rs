//! Everything that a run found: what the table shows and `--json` writes.

use serde::Serialize;

use super::report::CaseReport;

/// A run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Document {
    /// The core that everything shared.
    pub(super) core: u32,
    /// The length of a turn.
    pub(super) seconds: f64,
    /// Its version, `None` when it was not run.
    pub(super) nginx: Option<String>,
    /// The gateway before its load.
    pub(super) mesh: Idle,
    /// What was measured.
    pub(super) cases: Vec<CaseReport>,
}

/// A gateway that has nothing to do.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Idle {
    /// VmRSS, with its routes, in KiB.
    pub(super) rss_kib: u64,
    /// From the start of its process to the first 200 of its admin listener, in milliseconds.
    pub(super) ready_ms: f64,
}
