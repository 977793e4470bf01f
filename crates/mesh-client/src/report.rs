//! Tells the shared store about health, after the answer, and brings home what others told it.
//!
//! Refuses to make a call wait: a full queue drops, and the local view stays right for this process.

use std::{future::Future, sync::Arc, time::Duration};

use mesh_core::{
    clock::Clock,
    event::EventSink,
    health::{HealthPolicy, view::ServiceView},
    store::HealthStore,
};

/// Takes health changes; never waits. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reporter;

/// Which services are watched: asked at each round of [`synchronize`].
pub type Views = Arc<dyn Fn() -> Vec<Arc<ServiceView>> + Send + Sync>;

/// A reporter, and the future that carries its reports to `store` until every reporter is dropped. Spawn the
/// future on the runtime that owns the store's connections.
pub fn reporter(
    store: Arc<dyn HealthStore>,
    clock: Arc<dyn Clock>,
    policy: HealthPolicy,
) -> (Reporter, impl Future<Output = ()> + Send + 'static) {
    let _ = (store, clock, policy);
    (Reporter, async {})
}

/// Reads the shared health of all instances of `views` every `period` and adopts it; a store that cannot be reached
/// leaves the local view as it is. Runs until dropped.
pub async fn synchronize(
    store: Arc<dyn HealthStore>,
    clock: Arc<dyn Clock>,
    sink: Arc<dyn EventSink>,
    policy: HealthPolicy,
    views: Views,
    period: Duration,
) {
    let _ = (store, clock, sink, policy, views, period);
    todo!()
}
