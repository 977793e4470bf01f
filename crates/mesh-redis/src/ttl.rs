//! How long a Redis key lives, in the units of its commands.

use std::time::Duration;

/// Redis refuses a TTL that overflows its clock; thirty years are as good as for ever here.
const LONGEST: Duration = Duration::from_secs(1_000_000_000);

/// Whole seconds, rounded up, at least one: what `EX` takes.
pub(crate) fn seconds(ttl: Duration) -> u64 {
    let ttl = ttl.min(LONGEST);
    (ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0)).max(1)
}

/// Milliseconds, rounded up, at least one: what `PX` takes.
pub(crate) fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.min(LONGEST).as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_rounded_up_and_never_zero() {
        assert_eq!(seconds(Duration::from_secs(60)), 60);
        assert_eq!(seconds(Duration::from_millis(59_001)), 60);
        assert_eq!(seconds(Duration::ZERO), 1);
        assert_eq!(seconds(Duration::MAX), 1_000_000_000);
        assert_eq!(millis(Duration::from_micros(1_500)), 2);
        assert_eq!(millis(Duration::ZERO), 1);
        assert_eq!(millis(Duration::MAX), 1_000_000_000_000);
    }
}
