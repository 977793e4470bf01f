//! Brings home what other processes told the store: one read per round for all instances of all services.

use std::{sync::Arc, time::Duration};

use mesh_core::{
    clock::Clock,
    event::EventSink,
    health::{HealthPolicy, view::InstanceView},
    service::Instance,
    store::{HealthStore, StoreError},
};
use tokio::time::MissedTickBehavior;

use super::{STORE_LIMIT, Views, emit_change, within};

/// Reads the shared health of `watched` once and adopts it; waits 1 s at most.
pub(crate) async fn round(
    store: &dyn HealthStore,
    clock: &dyn Clock,
    sink: &dyn EventSink,
    policy: &HealthPolicy,
    watched: &[Arc<InstanceView>],
) -> Result<(), StoreError> {
    let instances: Vec<Instance> = watched.iter().map(|view| view.instance().clone()).collect();
    let records = within(STORE_LIMIT, store.read(&instances)).await?;
    for (view, record) in watched.iter().zip(records) {
        let change = view.adopt(policy, record, clock.unix(), clock.monotonic());
        emit_change(sink, view, change);
    }
    Ok(())
}

/// Reads the shared health of `views` every `period` and adopts it; a store that cannot be reached
/// leaves the local view as it is. Runs until dropped.
///
/// The first round is at once. A store that has not answered within 1 s is not waited for, so that even one that hangs is
/// asked at most once per second; a period of less than 1 ms is one of 1 ms.
pub async fn synchronize(
    store: Arc<dyn HealthStore>,
    clock: Arc<dyn Clock>,
    sink: Arc<dyn EventSink>,
    policy: HealthPolicy,
    views: Views,
    period: Duration,
) {
    let mut rounds = tokio::time::interval(period.max(Duration::from_millis(1)));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reachable = true;
    loop {
        rounds.tick().await;
        let watched = views();
        if watched.is_empty() {
            continue;
        }
        match round(&*store, &*clock, &*sink, &policy, &watched).await {
            Ok(()) => reachable = true,
            Err(error) => {
                if std::mem::replace(&mut reachable, false) {
                    tracing::warn!(%error, "the shared health cannot be read; the local view is kept");
                }
            }
        }
    }
}
