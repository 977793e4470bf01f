//! Tells the shared store about health, after the answer, and brings home what others told it.
//!
//! Refuses to make a call wait: changes of one instance are folded into one entry, what a store that is down does not
//! take is dropped, and the local view stays right for this process.

mod pending;
mod synchronize;
#[cfg(test)]
mod tests;

use std::{future::Future, sync::Arc, time::Duration};

use mesh_core::{
    clock::Clock,
    event::EventSink,
    health::{
        HealthPolicy, HealthRecord,
        view::{Change, InstanceView},
    },
    store::{HealthStore, StoreError},
};
use tokio::sync::mpsc;

use self::pending::{Entry, Pending};
pub(crate) use self::synchronize::round;
pub use self::synchronize::synchronize;

/// A store that has not answered by then is treated as one that cannot be reached.
const STORE_LIMIT: Duration = Duration::from_secs(1);
/// The pause after the first failed write; it doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two tries at a store that is down.
const MAX_PAUSE: Duration = Duration::from_secs(4);

/// Takes health changes; never waits. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reporter {
    pending: Arc<Pending>,
    wake: mpsc::Sender<()>,
}

/// Which instances are watched: asked at each round of [`synchronize`].
pub type Views = Arc<dyn Fn() -> Vec<Arc<InstanceView>> + Send + Sync>;

/// A reporter, and the future that carries its reports to `store` until every reporter is dropped. Spawn the
/// future on the runtime that owns the store's connections.
///
/// Holds at most one entry per instance, whatever the number of reports. After a write that failed or took longer than
/// 1 s, what is at hand is dropped with one warning, and the store is left alone for 1 s, then 2 s, then 4 s.
pub fn reporter(
    store: Arc<dyn HealthStore>,
    clock: Arc<dyn Clock>,
    policy: HealthPolicy,
) -> (Reporter, impl Future<Output = ()> + Send + 'static) {
    let pending = Arc::new(Pending::default());
    let (wake, woken) = mpsc::channel(1);
    let carrier = Carrier { store, clock, policy, pending: Arc::clone(&pending) };
    (Reporter { pending, wake }, carrier.run(woken))
}

impl Reporter {
    /// Takes one failure of `instance`; `sink` hears of it when others' failures, brought home by the write, change the
    /// instance's state.
    pub(crate) fn failed(&self, instance: &Arc<InstanceView>, sink: &Arc<dyn EventSink>) {
        self.take(instance, sink, Entry::fail);
    }

    /// Takes a success of `instance`, which had failures on record.
    pub(crate) fn succeeded(&self, instance: &Arc<InstanceView>, sink: &Arc<dyn EventSink>) {
        self.take(instance, sink, Entry::clear);
    }

    fn take(&self, instance: &Arc<InstanceView>, sink: &Arc<dyn EventSink>, change: fn(&mut Entry)) {
        if !self.wake.is_closed() {
            self.pending.note(instance, sink, change);
            let _already_awake = self.wake.try_send(());
        }
    }
}

/// Carries pending reports to the store.
struct Carrier {
    store: Arc<dyn HealthStore>,
    clock: Arc<dyn Clock>,
    policy: HealthPolicy,
    pending: Arc<Pending>,
}

impl Carrier {
    async fn run(self, mut woken: mpsc::Receiver<()>) {
        let mut pause = FIRST_PAUSE;
        while woken.recv().await.is_some() {
            match self.carry().await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(error) => {
                    if pause == FIRST_PAUSE {
                        tracing::warn!(%error, "health is not shared: the store takes no reports");
                    }
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2).min(MAX_PAUSE);
                }
            }
        }
    }

    /// Writes all that is pending; at the first error the rest of the batch is dropped.
    async fn carry(&self) -> Result<(), StoreError> {
        for entry in self.pending.drain() {
            let known = within(STORE_LIMIT, self.write(&entry)).await?;
            emit_change(entry.sink.as_ref(), &entry.view, self.adopt(&entry, known));
        }
        Ok(())
    }

    async fn write(&self, entry: &Entry) -> Result<Option<HealthRecord>, StoreError> {
        let instance = entry.view.instance();
        let mut known = None;
        if entry.cleared {
            self.store.clear(instance).await?;
        }
        for _ in 0..entry.failures.min(self.policy.failure_threshold()) {
            let record = self.store.add_failure(instance, self.clock.unix(), self.policy.record_ttl());
            known = Some(record.await?);
        }
        Ok(known)
    }

    fn adopt(&self, entry: &Entry, known: Option<HealthRecord>) -> Option<Change> {
        known?;
        entry.view.adopt(&self.policy, known, self.clock.unix(), self.clock.monotonic())
    }
}

/// The result of `work`, or [`StoreError::Unreachable`] when it takes longer than `limit`.
async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(StoreError::Unreachable(format!("no answer within {} ms", limit.as_millis())))
    })
}

/// Tells `sink` of a change of state, if there was one.
pub(crate) fn emit_change(sink: &dyn EventSink, view: &InstanceView, change: Option<Change>) {
    if let Some(Change { from, to }) = change {
        let instance = view.instance();
        sink.emit(mesh_core::event::Event::ServiceHealthChanged {
            service: instance.service.clone(),
            url: instance.url.clone(),
            from,
            to,
        });
    }
}
