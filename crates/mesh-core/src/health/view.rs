//! What this process knows of the health and load of instances, in atomics: read on every call, without a store.

mod instance;
mod instances;
mod record;
#[cfg(test)]
mod tests;

pub use instance::{Change, InstanceView, Outstanding, Probe};
use instances::Instances;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    BreakerState, HealthPolicy,
    order::{InstanceFacts, order},
};
use crate::{
    clock::Tick,
    name::ServiceName,
    service::{BaseUrl, Instance},
};

/// The instances of one service, as this process sees them. Clones are of the same instances, and take turns together.
#[derive(Clone, Debug)]
pub struct ServiceView {
    instances: Instances,
    common: Arc<Common>,
}

/// What calls rarely ask for.
#[derive(Debug)]
struct Common {
    rotation: AtomicUsize,
    name: ServiceName,
}

/// In which order one call tries instances. Hold it until the call's verdicts are in the view: until then nobody
/// else in the process makes the probe that this call makes.
#[derive(Debug)]
pub struct Order {
    /// Indices into [`ServiceView::instances`].
    pub indices: Vec<usize>,
    /// The probe that the call makes; it is the first of the indices then.
    pub probe: Option<Probe>,
}

impl ServiceView {
    /// A view of these instances; views of instances that `previous` knows are kept, with their health. A URL that
    /// is listed twice is one instance.
    #[must_use]
    pub fn new(name: ServiceName, urls: &[BaseUrl], previous: Option<&Self>) -> Self {
        let previous = previous.filter(|view| *view.name() == name);
        let known = previous.map_or(&[][..], |view| &*view.instances);
        let mut instances: Vec<Arc<InstanceView>> = Vec::with_capacity(urls.len());
        for url in urls {
            if instances.iter().any(|view| view.instance().url == *url) {
                continue;
            }
            let kept = known.iter().find(|view| view.instance().url == *url).cloned();
            instances.push(kept.unwrap_or_else(|| {
                Arc::new(InstanceView::new(Instance { service: name.clone(), url: url.clone() }))
            }));
        }
        let rotation = previous.map_or(0, |view| view.common.rotation.load(Ordering::Relaxed));
        let common = Common { rotation: AtomicUsize::new(rotation), name };
        Self { instances: instances.into(), common: common.into() }
    }

    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &ServiceName {
        &self.common.name
    }

    /// The instances, in the order of the settings.
    #[must_use]
    pub fn instances(&self) -> &[Arc<InstanceView>] {
        &self.instances
    }

    /// Whether no instance is fit to be asked: whichever is, is a last resort. True of a service without instances.
    #[must_use]
    pub fn all_open(&self, policy: &HealthPolicy, now: Tick) -> bool {
        self.instances.iter().all(|instance| instance.state(policy, now) == BreakerState::Open)
    }

    /// The order in which a call beginning at `now` tries the instances; `may_probe`: whether it may be repeated
    /// after it was written ([`order`]).
    ///
    /// When a half-open instance comes first, the call has the process's only probe of it, until the result is dropped.
    #[must_use]
    pub fn order(&self, policy: &HealthPolicy, now: Tick, may_probe: bool) -> Order {
        if let [only] = &self.instances[..]
            && only.state(policy, now) == BreakerState::Closed
        {
            return Order { indices: vec![0], probe: None };
        }
        let rotation = self.common.rotation.fetch_add(1, Ordering::Relaxed);
        let mut facts: Vec<InstanceFacts> =
            self.instances.iter().map(|instance| instance.facts(policy, now)).collect();
        loop {
            let indices = order(&facts, rotation, may_probe);
            let first = indices
                .first()
                .copied()
                .filter(|&first| facts[first].state == BreakerState::HalfOpen && !facts[first].probing);
            let Some(first) = first else {
                return Order { indices, probe: None };
            };
            match self.instances[first].claim_probe(policy, now) {
                Some(probe) => return Order { indices, probe: Some(probe) },
                // Another call was faster. Each round takes one candidate away, so the rounds end.
                None => facts[first].probing = true,
            }
        }
    }
}
