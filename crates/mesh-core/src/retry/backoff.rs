//! Full jitter: a delay drawn evenly from nothing to a doubling bound (docs/wire.md, Client).

use std::time::Duration;

/// No bound grows beyond this. Source: the cap of the AWS SDKs' retry behaviour.
const MAX_BOUND: Duration = Duration::from_secs(20);

/// The delay before retry `n` (1 is the first) at one instance: `random(0, retry_delay × 2^(n−1))`, at most 20 seconds,
/// with `random` uniform over `u64`.
#[must_use]
pub fn full_jitter(retry_delay: Duration, n: u32, random: u64) -> Duration {
    let doublings = 1_u32.checked_shl(n.saturating_sub(1)).unwrap_or(u32::MAX);
    let bound = retry_delay.saturating_mul(doublings).min(MAX_BOUND).as_nanos();
    // The high half of a product of 64-bit numbers: even over the bound, without a division.
    let delay = (bound * u128::from(random)) >> u64::BITS;
    Duration::from_nanos(u64::try_from(delay).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(100);

    #[track_caller]
    fn check(delay: Duration, n: u32, bound: Duration) {
        let greatest = full_jitter(delay, n, u64::MAX);
        assert!(greatest <= bound && bound - greatest <= Duration::from_nanos(1), "{greatest:?}");
        assert_eq!(full_jitter(delay, n, 1 << 63), bound / 2);
        assert_eq!(full_jitter(delay, n, 0), Duration::ZERO);
    }

    #[test]
    fn the_bound_doubles_with_each_attempt() {
        check(DELAY, 1, DELAY);
        check(DELAY, 2, 2 * DELAY);
        check(DELAY, 3, 4 * DELAY);
        check(DELAY, 0, DELAY);
    }

    #[test]
    fn no_bound_grows_beyond_twenty_seconds() {
        check(DELAY, 9, MAX_BOUND);
        check(DELAY, 32, MAX_BOUND);
        check(DELAY, 33, MAX_BOUND);
        check(Duration::MAX, u32::MAX, MAX_BOUND);
    }

    #[test]
    fn no_delay_stays_none() {
        assert_eq!(full_jitter(Duration::ZERO, 33, u64::MAX), Duration::ZERO);
    }
}
