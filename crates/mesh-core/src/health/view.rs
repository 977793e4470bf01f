//! What this process knows of the health and load of instances, in atomics: read on every call, without a store.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize},
    },
    time::Duration,
};

use super::{BreakerState, HealthPolicy};
use crate::{
    clock::Tick,
    name::ServiceName,
    service::{BaseUrl, Instance},
};

/// The local view of one instance. Shared by everyone in the process who calls it.
#[derive(Debug)]
pub struct InstanceView {
    instance: Instance,
    failures: AtomicU32,
    last_failure: AtomicU64,
    outstanding: AtomicU32,
    probing: AtomicBool,
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
pub struct Outstanding {
    view: Arc<InstanceView>,
    probe: bool,
}

impl InstanceView {
    /// A healthy instance without load.
    #[must_use]
    pub fn new(instance: Instance) -> Self {
        let _ = instance;
        todo!()
    }

    /// Which instance this is.
    #[must_use]
    pub const fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Its breaker's state at `now`.
    #[must_use]
    pub fn state(&self, policy: &HealthPolicy, now: Tick) -> BreakerState {
        let _ = (policy, now);
        todo!()
    }

    /// Failures on record, and the tick of the last one; zero failures: nothing on record.
    #[must_use]
    pub fn failures(&self) -> (u32, Tick) {
        todo!()
    }

    /// Counts a failure at `now`.
    pub fn add_failure(&self, policy: &HealthPolicy, now: Tick) -> Option<Change> {
        let _ = (policy, now);
        todo!()
    }

    /// Forgets the failures. Answers whether any were on record (only then is the store told).
    pub fn succeed(&self, policy: &HealthPolicy, now: Tick) -> (bool, Option<Change>) {
        let _ = (policy, now);
        todo!()
    }

    /// Takes over what the shared store knows: `failures`, the last one `age` before `now`; 0: no record.
    pub fn adopt(&self, policy: &HealthPolicy, failures: u32, age: Duration, now: Tick) -> Option<Change> {
        let _ = (policy, failures, age, now);
        todo!()
    }

    /// Begins an attempt: counts it as outstanding until the result is dropped. A half-open instance is
    /// marked as probed.
    #[must_use]
    pub fn begin(self: &Arc<Self>, policy: &HealthPolicy, now: Tick) -> Outstanding {
        let _ = (policy, now);
        todo!()
    }
}

impl Drop for Outstanding {
    fn drop(&mut self) {
        let _ = (&self.view, self.probe);
        todo!()
    }
}

/// The instances of one service, as this process sees them.
#[derive(Debug)]
pub struct ServiceView {
    name: ServiceName,
    instances: Vec<Arc<InstanceView>>,
    rotation: AtomicUsize,
}

impl ServiceView {
    /// A view of these instances; views of instances that `previous` knows are kept, with their health.
    #[must_use]
    pub fn new(name: ServiceName, urls: &[BaseUrl], previous: Option<&Self>) -> Self {
        let _ = (name, urls, previous);
        todo!()
    }

    /// The service's name.
    #[must_use]
    pub const fn name(&self) -> &ServiceName {
        &self.name
    }

    /// The instances, in the order of the settings.
    #[must_use]
    pub fn instances(&self) -> &[Arc<InstanceView>] {
        &self.instances
    }

    /// Indices into [`instances`](Self::instances) in the order in which a call beginning at `now` tries them.
    #[must_use]
    pub fn order(&self, policy: &HealthPolicy, now: Tick) -> Vec<usize> {
        let _ = (policy, now, &self.rotation);
        todo!()
    }
}
