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

/// Now, for people: day and minute, UTC.
///
/// # Errors
///
/// When the clock stands where no calendar reaches.
pub(crate) fn date() -> anyhow::Result<String> {
    let now = jiff::Timestamp::from_second(i64::try_from(unix_seconds())?)?;
    Ok(now.strftime("%Y-%m-%d %H:%M UTC").to_string())
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

/// Lets the thread rest for a length of time, and for nothing that happens meanwhile.
pub(crate) fn pause(length: Duration) {
    // A stream of events has pauses of its own: this is its pace, and nothing is waited for.
    thread::sleep(length);
}

/// On a thread of its own: calls `wake` at `begun` and after each `gap` until `end`, or until it answers `false`.
pub(crate) fn tick(begun: Instant, gap: Duration, end: Instant, wake: impl Fn() -> bool + Send + 'static) {
    thread::spawn(move || {
        let mut at = begun;
        while at < end {
            // Keeping the pace of the load is all that this thread does.
            thread::sleep(at.saturating_duration_since(now()));
            // Ticks that were slept through are one.
            while at <= now() {
                at += gap;
            }
            if !wake() {
                return;
            }
        }
    });
}
