//! The one place of the benchmark that reads a clock and sleeps: time is what it measures.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// How often a condition is looked at: often, for the time until the first answer is measured with it.
const PAUSE: Duration = Duration::from_micros(200);

/// Now, on a clock that never goes back.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Now, in seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Tries until something comes of it, `None` when nothing did within `cap`.
///
/// # Errors
///
/// The first error of an attempt ends the waiting.
pub(crate) fn wait_for<T>(
    cap: Duration,
    mut attempt: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    let begun = now();
    loop {
        if let Some(found) = attempt()? {
            return Ok(Some(found));
        }
        if begun.elapsed() >= cap {
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
}
