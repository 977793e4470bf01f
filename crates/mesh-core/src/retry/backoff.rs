//! Full jitter: a delay drawn evenly from nothing to a doubling bound (docs/wire.md, Client).

use std::time::Duration;

/// No bound grows beyond this.
const MAX_BOUND: Duration = Duration::from_secs(20);

/// The delay before retry `n` (1 is the first) at one instance: `random(0, retry_delay × 2^(n−1))`,
/// with `random` uniform over `u64`.
#[must_use]
pub fn full_jitter(retry_delay: Duration, n: u32, random: u64) -> Duration {
    let _ = (retry_delay, n, random, MAX_BOUND);
    todo!()
}
