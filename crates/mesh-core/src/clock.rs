//! What time is: wall time for signatures and shared keys, monotonic time for everything else.

use std::{
    fmt::Debug,
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

/// Wall time: milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Whole seconds since the Unix epoch, as signatures and the package's keys carry them.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1_000
    }

    /// The moment `seconds` after the Unix epoch.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }
}

/// Monotonic time: nanoseconds since an arbitrary origin, the same for one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u64);

impl Tick {
    /// The tick `by` later; stays at the end of time rather than wrapping.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this tick is; zero when it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Where shells and stores ask for the time.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Debug + Send + Sync {
    /// Wall time. May step; used for signatures, tokens and shared keys only.
    fn unix(&self) -> UnixMillis;

    /// Monotonic time. Never steps back within one process.
    fn monotonic(&self) -> Tick;
}

/// The operating system's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the OS clock")]
    fn unix(&self) -> UnixMillis {
        let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        UnixMillis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the OS clock")]
    fn monotonic(&self) -> Tick {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let now = Instant::now();
        let origin = *ORIGIN.get_or_init(|| now);
        Tick::default().after(now.saturating_duration_since(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_never_wraps() {
        assert_eq!(Tick(u64::MAX).after(Duration::from_secs(1)), Tick(u64::MAX));
        assert_eq!(Tick(5).since(Tick(9)), Duration::ZERO);
    }

    #[test]
    fn seconds_are_whole() {
        assert_eq!(UnixMillis(1_999).seconds(), 1);
        assert_eq!(UnixMillis::from_seconds(2), UnixMillis(2_000));
    }

    #[test]
    fn the_system_clock_does_not_step_back() {
        let earlier = SystemClock.monotonic();
        assert!(SystemClock.monotonic() >= earlier);
        assert!(SystemClock.unix() > UnixMillis::from_seconds(1_700_000_000));
    }
}
