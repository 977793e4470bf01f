//! Failures and the time of the last one in one word, so that no reader ever sees one without the other.

use std::time::Duration;

use crate::{
    clock::Tick,
    health::{BreakerState, HealthPolicy},
};

/// Bits of the count; it stays at its greatest value.
const COUNT_BITS: u32 = 20;
const MAX_COUNT: u64 = (1 << COUNT_BITS) - 1;

/// What is added to a tick, in milliseconds (34 years): a failure that others saw may be older than this process, and
/// thus than its first tick.
const BIAS: u64 = 1 << 40;

/// Failures since the last success and the millisecond of the last one. No failures: nothing on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed(pub(super) u64);

impl Packed {
    pub(super) const NOTHING: Self = Self(0);

    /// `failures` on record, the last one `age` before `now`.
    pub(super) fn new(failures: u32, age: Duration, now: Tick) -> Self {
        if failures == 0 {
            return Self::NOTHING;
        }
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX).min(BIAS);
        let last = millis(now).saturating_add(BIAS).saturating_sub(age).min(u64::MAX >> COUNT_BITS);
        Self((last << COUNT_BITS) | u64::from(failures).min(MAX_COUNT))
    }

    pub(super) fn failures(self) -> u32 {
        u32::try_from(self.0 & MAX_COUNT).unwrap_or(u32::MAX)
    }

    /// The tick of the last failure; the first tick when it is older.
    pub(super) const fn last(self) -> Tick {
        Tick((self.0 >> COUNT_BITS).saturating_sub(BIAS).saturating_mul(1_000_000))
    }

    /// How long before `now` the last failure was, in whole milliseconds.
    pub(super) fn age(self, now: Tick) -> Duration {
        Duration::from_millis(millis(now).saturating_add(BIAS).saturating_sub(self.0 >> COUNT_BITS))
    }

    /// The record as it counts at `now`: nothing, once it is as old as the store keeps its own.
    pub(super) fn live(self, policy: &HealthPolicy, now: Tick) -> Self {
        if self.age(now) < policy.record_ttl() { self } else { Self::NOTHING }
    }

    pub(super) fn state(self, policy: &HealthPolicy, now: Tick) -> BreakerState {
        let live = self.live(policy, now);
        policy.state(live.failures(), live.age(now))
    }

    /// One more failure, at `now`.
    pub(super) fn and_one_more(self, policy: &HealthPolicy, now: Tick) -> Self {
        Self::new(self.live(policy, now).failures().saturating_add(1), Duration::ZERO, now)
    }
}

const fn millis(tick: Tick) -> u64 {
    tick.0 / 1_000_000
}
