//! What all workers of a gateway share.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use http::HeaderValue;
use mesh_client::driver::Driver;
use mesh_core::{clock::Clock, entropy::Entropy, event::EventSink, health::HealthPolicy, name::ServiceName};
use mesh_http::idempotency::IdempotencyLayer;
use tokio::sync::mpsc;

use crate::{
    access_log::AccessLog,
    metrics::Metrics,
    overrides::Overrides,
    refresh::{Command, Control},
    snapshot::{Latest, Snapshot},
};

/// What all workers share: the snapshot, the keys, the figures.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) name: ServiceName,
    pub(crate) name_header: HeaderValue,
    /// Cannot be reloaded: the driver and whoever shares health hold it.
    pub(crate) health: HealthPolicy,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) sink: Arc<dyn EventSink>,
    pub(crate) driver: Driver,
    pub(crate) idempotency: IdempotencyLayer,
    /// What the embedding code put in the way of requests; stays.
    pub(crate) overrides: Overrides,
    pub(crate) snapshot: Latest<Snapshot>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) draining: AtomicBool,
    /// Taken by the first who runs it.
    pub(crate) control: Mutex<Option<Control>>,
}

impl Shared {
    /// Whether routes were loaded and the gateway is not draining.
    pub(crate) fn is_ready(&self) -> bool {
        self.snapshot.load().ready && !self.draining.load(Ordering::Relaxed)
    }
}
