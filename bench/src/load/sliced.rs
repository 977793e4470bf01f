//! The closed loop in slices: connections are opened once, each line of stdin lets them send for so many seconds.
//!
//! Says `ready` when all connections stand, and `rests` when the last answer of a slice has come.

use std::io;
use std::time::Duration;

use anyhow::Context;

use super::{Load, Outcome};
use crate::output;

/// What is said when all connections stand.
pub(crate) const READY: &str = "ready";

/// What is said when the last answer of a slice has come.
pub(crate) const RESTS: &str = "rests";

impl Load {
    /// Sends until stdin ends or an exchange breaks off; answers with the outcome of all slices together. Whoever closes a
    /// connection between two slices breaks an exchange.
    ///
    /// # Errors
    ///
    /// When the target cannot be connected to, epoll fails, or a line is no length of time.
    pub(super) fn send_in_slices(&mut self, connections: usize) -> anyhow::Result<Outcome> {
        let mut open = self.open(connections)?;
        output::line(READY)?;
        let mut took = Duration::ZERO;
        for line in io::stdin().lines() {
            let line = line?;
            let seconds =
                line.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            took +=
                self.send(&mut open, seconds.with_context(|| format!("{line:?} is no length of time"))?)?;
            // Such a turn is void: there is nothing to wait for in further slices.
            if self.tally.broken > 0 {
                break;
            }
            output::line(RESTS)?;
        }
        Ok(self.tally.outcome(took))
    }
}
