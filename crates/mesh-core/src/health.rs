//! When an instance may be called, and in which order instances are tried.

pub mod order;
pub mod policy;
pub mod verdict;
pub mod view;

use std::time::Duration;

use crate::clock::UnixMillis;

pub use policy::{BreakerState, HealthPolicy, HealthPolicyError};

/// What a store remembers of an instance that failed.
///
/// Shape on the wire: `{"failures":3,"last_failure":1795220372}` (docs/wire.md, Redis).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthRecord {
    /// Failures since the last success.
    pub failures: u32,
    /// When the last one was, as whoever wrote it saw the wall clock; Unix seconds.
    pub last_failure: u64,
}

impl HealthRecord {
    /// How long ago the last failure was, clamped to `0..=ttl`: other machines' clocks may be off.
    #[must_use]
    pub fn age(&self, now: UnixMillis, ttl: Duration) -> Duration {
        Duration::from_secs(now.seconds().saturating_sub(self.last_failure)).min(ttl)
    }
}
