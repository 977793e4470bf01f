//! Work in slices that somebody else begins: each line of stdin lets it go on for so many seconds.
//!
//! Says `ready` when it can begin, and `rests` at the end of each slice.

use std::io;
use std::time::Duration;

use anyhow::Context;

use super::{Load, Outcome};
use crate::output;

/// What is said before the first slice.
pub(crate) const READY: &str = "ready";

/// What is said when all of a slice is done.
pub(crate) const RESTS: &str = "rests";

/// Lets `work` go on for each length that stdin tells, until that ends or `work` answers that it is of no use any more.
///
/// # Errors
///
/// The first one of `work`, or that a line is no length of time.
pub(crate) fn in_slices(mut work: impl FnMut(Duration) -> anyhow::Result<bool>) -> anyhow::Result<()> {
    output::line(READY)?;
    for line in io::stdin().lines() {
        let line = line?;
        let seconds = line.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        if !work(seconds.with_context(|| format!("{line:?} is no length of time"))?)? {
            break;
        }
        output::line(RESTS)?;
    }
    Ok(())
}

impl Load {
    /// Sends until stdin ends or an exchange breaks off, over connections that are opened once; answers with the outcome of
    /// all slices together. Whoever closes a connection between two slices breaks an exchange.
    ///
    /// # Errors
    ///
    /// When the target cannot be connected to, epoll fails, or a line is no length of time.
    pub(super) fn send_in_slices(&mut self, connections: usize) -> anyhow::Result<Outcome> {
        let mut open = self.open(connections)?;
        let mut took = Duration::ZERO;
        in_slices(|length| {
            took += self.send(&mut open, length)?;
            // Such a turn is void: there is nothing to wait for in further slices.
            Ok(self.tally.broken == 0)
        })?;
        Ok(self.tally.outcome(took))
    }
}
