//! One instance: its failures, its load, and whether somebody probes it.

use std::{
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::record::Packed;
use crate::{
    clock::{Tick, UnixMillis},
    health::{BreakerState, HealthPolicy, HealthRecord, order::InstanceFacts},
    service::Instance,
};

/// For how long a change made here may not have reached the shared store: what the store says is not taken for newer
/// within this time. Twice the period at which a process reads shared health.
const UNSETTLED: Duration = Duration::from_secs(2);

/// The local view of one instance. Shared by everyone in the process who calls it.
///
/// What a good attempt touches stands in front, in one line of a cache: with many services each line is waited for.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct InstanceView {
    record: AtomicU64,
    outstanding: AtomicU32,
    probing: AtomicBool,
    instance: Instance,
    /// One more than the tick of the last failure that was counted here; 0: none was.
    failed_here: AtomicU64,
    /// One more than the tick of the last success that cleared something here; 0: none did.
    cleared_here: AtomicU64,
    /// The shared store's record, since it was read for the first time.
    shared: Mutex<Option<Shared>>,
}

/// A record of the shared store, its age when it was read for the first time, and when that was.
#[derive(Clone, Copy, Debug)]
struct Shared {
    record: HealthRecord,
    age: Duration,
    read: Tick,
}

/// A change of state that somebody may want to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The state before.
    pub from: BreakerState,
    /// The state now.
    pub to: BreakerState,
}

/// One attempt under way. Dropping it ends the attempt, and the probe if it was one.
#[derive(Debug)]
pub struct Outstanding<V: Deref<Target = InstanceView> = Arc<InstanceView>> {
    view: V,
    probe: Option<Probe>,
}

/// The process's only probe of a half-open instance. Dropping it lets another call probe.
#[derive(Debug)]
pub struct Probe(Arc<InstanceView>);

impl InstanceView {
    /// A healthy instance without load.
    #[must_use]
    pub const fn new(instance: Instance) -> Self {
        Self {
            record: AtomicU64::new(Packed::NOTHING.0),
            outstanding: AtomicU32::new(0),
            probing: AtomicBool::new(false),
            instance,
            failed_here: AtomicU64::new(0),
            cleared_here: AtomicU64::new(0),
            shared: Mutex::new(None),
        }
    }

    /// Which instance this is.
    #[must_use]
    pub const fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Its breaker's state at `now`, to the millisecond. A record is forgotten when the shared store forgets its own,
    /// [`HealthPolicy::record_ttl`] after the last failure.
    #[must_use]
    pub fn state(&self, policy: &HealthPolicy, now: Tick) -> BreakerState {
        self.record().state(policy, now)
    }

    /// Failures on record, and the tick of the last one; zero failures: nothing on record.
    #[must_use]
    pub fn failures(&self) -> (u32, Tick) {
        let record = self.record();
        (record.failures(), record.last())
    }

    /// Attempts under way from this process.
    #[must_use]
    pub fn outstanding(&self) -> u32 {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// Counts a failure at `now`. No failure is lost, however many count at once, and exactly one of them sees the
    /// change of state.
    pub fn add_failure(&self, policy: &HealthPolicy, now: Tick) -> Option<Change> {
        self.failed_here.fetch_max(now.0.saturating_add(1), Ordering::AcqRel);
        self.update(policy, now, |record| Some(record.and_one_more(policy, now))).1
    }

    /// Forgets the failures. Answers whether any were on record (only then is the store told).
    pub fn succeed(&self, policy: &HealthPolicy, now: Tick) -> (bool, Option<Change>) {
        if self.record() == Packed::NOTHING {
            return (false, None);
        }
        self.cleared_here.fetch_max(now.0.saturating_add(1), Ordering::AcqRel);
        let (before, change) =
            self.update(policy, now, |record| (record != Packed::NOTHING).then_some(Packed::NOTHING));
        (before.live(policy, now) != Packed::NOTHING, change)
    }

    /// Takes over what the shared store knows; `wall` and `now` are one moment. None: no record.
    ///
    /// The wall clock is asked for a record's age once, when it is read for the first time; from then on the record
    /// ages with this process. So neither a writer whose clock is ahead nor a step of our own keeps an instance open.
    ///
    /// What was read may be older than what happened here since: reports reach the store after the answer, in the
    /// background. So for two seconds after a local change the view keeps
    ///
    /// * its own record, when a failure was counted here and the store knows fewer, or as many and older ones;
    /// * its success, when the store's last failure is not after it.
    ///
    /// After that the store is right: a failure that somebody cleared is cleared here, and one that never reached the
    /// store is forgotten.
    pub fn adopt(
        &self,
        policy: &HealthPolicy,
        known: Option<HealthRecord>,
        wall: UnixMillis,
        now: Tick,
    ) -> Option<Change> {
        let (failures, age) = self.aged(policy, known, wall, now);
        let shared = Packed::new(failures, age, now).live(policy, now);
        let is_recent = |change: u64| change != 0 && now.since(Tick(change - 1)) < UNSETTLED;
        let cleared = self.cleared_here.load(Ordering::Acquire);
        if is_recent(cleared) && shared != Packed::NOTHING && age >= now.since(Tick(cleared - 1)) {
            return None;
        }
        let keeps_more = is_recent(self.failed_here.load(Ordering::Acquire));
        self.update(policy, now, |record| {
            let keep = keeps_more && (shared.failures(), shared.last()) < (record.failures(), record.last());
            (!keep && shared != record).then_some(shared)
        })
        .1
    }

    /// The failures of the shared record and the age of the last one, at most its ttl.
    fn aged(
        &self,
        policy: &HealthPolicy,
        known: Option<HealthRecord>,
        wall: UnixMillis,
        now: Tick,
    ) -> (u32, Duration) {
        let ttl = policy.record_ttl();
        let first = |record: HealthRecord| Shared { record, age: record.age(wall, ttl), read: now };
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        *shared =
            known.map(|record| shared.filter(|seen| seen.record == record).unwrap_or_else(|| first(record)));
        shared.map_or((0, Duration::ZERO), |Shared { record, age, read }| {
            (record.failures, age.saturating_add(now.since(read)).min(ttl))
        })
    }

    /// Begins an attempt: counts it as outstanding until the result is dropped. A half-open instance that nobody
    /// probes is marked as probed.
    #[must_use]
    pub fn begin(self: &Arc<Self>, policy: &HealthPolicy, now: Tick) -> Outstanding<&Self> {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        let is_half_open = self.state(policy, now) == BreakerState::HalfOpen;
        let probe = if is_half_open { self.claim_probe(policy, now) } else { None };
        Outstanding { view: self, probe }
    }

    /// Like [`begin`](Self::begin), for an attempt that outlives its caller.
    #[must_use]
    pub fn begin_shared(self: &Arc<Self>, policy: &HealthPolicy, now: Tick) -> Outstanding {
        let mut under_way = self.begin(policy, now);
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        Outstanding { view: Arc::clone(self), probe: under_way.probe.take() }
    }

    /// The right to probe, unless somebody has it or the last probe's verdict is in by now.
    pub(super) fn claim_probe(self: &Arc<Self>, policy: &HealthPolicy, now: Tick) -> Option<Probe> {
        self.probing.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire).ok()?;
        let probe = Probe(Arc::clone(self));
        (self.state(policy, now) == BreakerState::HalfOpen).then_some(probe)
    }

    pub(super) fn facts(&self, policy: &HealthPolicy, now: Tick) -> InstanceFacts {
        InstanceFacts {
            state: self.state(policy, now),
            outstanding: self.outstanding(),
            probing: self.probing.load(Ordering::Acquire),
        }
    }

    fn record(&self) -> Packed {
        Packed(self.record.load(Ordering::Acquire))
    }

    /// Replaces the record by what `with` makes of it, at once; `None` keeps it. Answers the record before, and how the
    /// state changed by this replacement.
    fn update(
        &self,
        policy: &HealthPolicy,
        now: Tick,
        with: impl Fn(Packed) -> Option<Packed>,
    ) -> (Packed, Option<Change>) {
        let mut before = self.record();
        loop {
            let Some(after) = with(before) else {
                return (before, None);
            };
            match self.record.compare_exchange_weak(before.0, after.0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    let (from, to) = (before.state(policy, now), after.state(policy, now));
                    return (before, (from != to).then_some(Change { from, to }));
                }
                Err(current) => before = Packed(current),
            }
        }
    }
}

impl Probe {
    /// Whether it is a probe of `instance`.
    #[must_use]
    pub fn is_of(&self, instance: &Arc<InstanceView>) -> bool {
        Arc::ptr_eq(&self.0, instance)
    }
}

impl<V: Deref<Target = InstanceView>> Drop for Outstanding<V> {
    fn drop(&mut self) {
        self.view.outstanding.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.probing.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;
    use crate::service::BaseUrl;

    #[test]
    fn a_good_attempt_touches_the_first_64_bytes_alone() {
        let url = offset_of!(InstanceView, instance) + offset_of!(Instance, url);
        assert!(url + size_of::<BaseUrl>() <= 64);
        assert!(offset_of!(InstanceView, outstanding) < url && offset_of!(InstanceView, record) < url);
    }
}
