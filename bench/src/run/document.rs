//! Everything that a run found: what the tables show and `--json` writes.

use serde::Serialize;

use super::events::EventReport;
use super::idle::IdleMemory;
use super::rate::RateReport;
use super::report::{CaseReport, Verdict};

/// A run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Document {
    /// When it began, UTC.
    pub(super) date: String,
    /// Processor, cores and kernel.
    pub(super) machine: String,
    /// The core that everything shared, in cases of one worker.
    pub(super) core: u32,
    /// Rounds of each case.
    pub(super) rounds: u16,
    /// The length of a turn.
    pub(super) seconds: f64,
    /// What was measured, with its version; `None` when it was not run.
    pub(super) versions: Vec<(&'static str, Option<String>)>,
    /// The gateway before its load.
    pub(super) mesh: Idle,
    /// What was measured in closed loops.
    pub(super) cases: Vec<CaseReport>,
    /// What 1,000 connections cost that do nothing.
    pub(super) idle_memory: Vec<IdleMemory>,
    /// How late events of streams are.
    pub(super) events: Option<EventReport>,
    /// Latencies at a constant rate.
    pub(super) constant_rate: Vec<RateReport>,
}

impl Document {
    /// The worst of what it holds.
    pub(super) fn verdict(&self) -> Verdict {
        let cases = self.cases.iter().map(|case| case.verdict);
        cases.chain(self.events.as_ref().map(|events| events.verdict)).max().unwrap_or(Verdict::Measured)
    }
}

/// A gateway that has nothing to do.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Idle {
    /// VmRSS, with its routes, in KiB.
    pub(super) rss_kib: u64,
    /// From the start of its process to the first 200 of its admin listener, in milliseconds.
    pub(super) ready_ms: f64,
}
