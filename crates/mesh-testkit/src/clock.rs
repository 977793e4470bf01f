//! A clock that moves only by hand.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mesh_core::clock::{Clock, Tick, UnixMillis};

/// A clock that stands still until it is told to move. Share it as `Arc<ManualClock>`.
#[derive(Debug)]
pub struct ManualClock(Mutex<Now>);

#[derive(Clone, Copy, Debug)]
struct Now {
    unix: UnixMillis,
    tick: Tick,
}

impl ManualClock {
    /// A clock that shows `unix` as wall time, and one second as monotonic time.
    #[must_use]
    pub const fn new(unix: UnixMillis) -> Self {
        Self(Mutex::new(Now { unix, tick: Tick(1_000_000_000) }))
    }

    /// Lets time pass: wall time and monotonic time.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now();
        now.tick = now.tick.after(by);
        now.unix = UnixMillis(now.unix.0.saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)));
    }

    /// Sets the wall clock, as an operator or a time server does; monotonic time stays.
    pub fn set_unix(&self, to: UnixMillis) {
        self.now().unix = to;
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    /// A clock that shows a moment in November 2026.
    fn default() -> Self {
        Self::new(UnixMillis::from_seconds(1_795_220_372))
    }
}

impl Clock for ManualClock {
    fn unix(&self) -> UnixMillis {
        self.now().unix
    }

    fn monotonic(&self) -> Tick {
        self.now().tick
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_only_by_hand() {
        let clock = ManualClock::new(UnixMillis(5));
        let (unix, tick) = (clock.unix(), clock.monotonic());
        assert_eq!((clock.unix(), clock.monotonic()), (unix, tick));
        clock.advance(Duration::from_millis(7));
        assert_eq!(clock.unix(), UnixMillis(12));
        assert_eq!(clock.monotonic().since(tick), Duration::from_millis(7));
        clock.set_unix(UnixMillis(1));
        assert_eq!((clock.unix(), clock.monotonic().since(tick)), (UnixMillis(1), Duration::from_millis(7)));
    }
}
