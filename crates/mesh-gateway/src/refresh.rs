//! Keeps the snapshot current: reads the store when it tells of a change and at a steady pace, takes registrations,
//! and writes the last good routes to disk. Runs beside the requests, never between one and its answer.

mod control;
mod publish;
mod register;
mod snapshot_file;

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::{join3, select};
use mesh_client::report::{Views, synchronize};
use mesh_core::{
    clock::Clock,
    route::{Manifest, registration::RegistrationError, remembered::Remembered},
    store::{HealthStore, ManifestStore},
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    gateway::Shared, metrics::Metrics, overrides::Overrides, reloadable::Reloadable, snapshot::Snapshot,
};
use control::Round;

/// How often the store is read although it told of nothing: foreign writers tell nothing.
const POLL: Duration = Duration::from_millis(500);
/// How often a store that does not answer is tried.
const POLL_SILENT: Duration = Duration::from_secs(1);
/// How often shared health is read.
const HEALTH_PERIOD: Duration = Duration::from_secs(1);

/// What the control task owns.
pub(crate) struct Control {
    pub(crate) manifests: Arc<dyn ManifestStore>,
    pub(crate) health: Arc<dyn HealthStore>,
    pub(crate) remembered: Remembered,
    pub(crate) waiting: mpsc::Receiver<Command>,
    pub(crate) reports: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What the control task is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Takes a manifest.
    Register(Registration),
    /// Lets other settings and keys apply.
    Reload(Arc<Reloadable>),
}

/// A manifest that was verified and read, on its way to the control task.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) manifest: Manifest,
    pub(crate) document: Bytes,
    pub(crate) reply: oneshot::Sender<Result<(), Unregistered>>,
}

/// Why a manifest was not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unregistered {
    /// It may not take its place.
    Refused(RegistrationError),
    /// The store did not take it.
    StoreUnavailable,
}

impl fmt::Debug for Control {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Control").field("remembered", &self.remembered).finish_non_exhaustive()
    }
}

/// What a gateway knows before it asked the store: the last good routes on disk, if there are any.
pub(crate) fn begin(
    reloadable: &Arc<Reloadable>,
    metrics: &Metrics,
    clock: &dyn Clock,
    overrides: &Overrides,
) -> (Remembered, Snapshot) {
    let now = clock.monotonic();
    let mut remembered = Remembered::new(now);
    if let Some(path) = &reloadable.settings.snapshot {
        for restored in snapshot_file::read(path, clock.unix()) {
            remembered.restore(&restored.service, &restored.document, restored.expires_in, now);
        }
    }
    let ready = !remembered.kept().is_empty();
    let snapshot = crate::snapshot::build(reloadable, overrides, &remembered, None, metrics, ready, now);
    (remembered, snapshot)
}

/// Runs until dropped.
pub(crate) async fn run(shared: Arc<Shared>, control: Control) {
    let Control { manifests, health, remembered, waiting, reports } = control;
    let views: Views = {
        let shared = Arc::clone(&shared);
        Arc::new(move || {
            let snapshot = shared.snapshot.load();
            snapshot.services.values().flat_map(|service| service.view.instances().to_vec()).collect()
        })
    };
    let health = synchronize(
        health,
        Arc::clone(&shared.clock),
        Arc::clone(&shared.sink),
        shared.health,
        views,
        HEALTH_PERIOD,
    );
    let refresh = Round::new(shared, manifests, remembered).repeat(waiting);
    join3(reports, health, refresh).await;
}

/// The first of two futures that is ready, the other dropped.
async fn first<A, B, T>(a: A, b: B) -> T
where
    A: Future<Output = T>,
    B: Future<Output = T>,
{
    let (a, b) = (std::pin::pin!(a), std::pin::pin!(b));
    select(a, b).await.factor_first().0
}
