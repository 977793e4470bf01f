//! The client that services call each other with.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::HeaderValue;
use mesh_core::{
    clock::Clock, entropy::Entropy, event::EventSink, health::view::ServiceView, name::ServiceName,
    signature::Signer, store::ManifestStore,
};
use tokio::{runtime::Handle, task::AbortHandle};

use crate::{
    builder::{Defaults, ServiceClientBuilder},
    driver::Driver,
    identity::Identity,
    request::ServiceCalls,
    transport::HttpTransport,
};

/// Calls services by name: signed, retried, failed over. Cheap to clone; clones share connections and health.
///
/// Its background work (health reports and reads) lives on the runtime that [`build`](ServiceClientBuilder::build) was
/// called in and ends with the last clone.
#[derive(Clone, Debug)]
pub struct ServiceClient {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) name: HeaderValue,
    pub(crate) signer: Signer,
    pub(crate) services: HashMap<ServiceName, Configured>,
    pub(crate) defaults: Defaults,
    pub(crate) connect_timeout: Duration,
    pub(crate) driver: Driver,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) sink: Arc<dyn EventSink>,
    pub(crate) transport: Arc<dyn HttpTransport>,
    pub(crate) manifests: ManifestTarget,
    pub(crate) runtime: Handle,
    #[expect(dead_code, reason = "held for its drop")]
    pub(crate) background: Background,
}

/// A service as configured, and what is known of its instances.
#[derive(Debug)]
pub(crate) struct Configured {
    pub(crate) view: Arc<ServiceView>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: Option<u32>,
}

/// Where manifests are registered.
#[derive(Debug, Default)]
pub(crate) struct ManifestTarget {
    pub(crate) gateway: Option<ServiceName>,
    pub(crate) store: Option<Arc<dyn ManifestStore>>,
    pub(crate) ttl: Duration,
}

/// Work that ends with the client.
#[derive(Debug, Default)]
pub(crate) struct Background(pub(crate) Option<AbortHandle>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl ServiceClient {
    /// Begins a client that calls as `identity`.
    pub fn builder(identity: Identity) -> ServiceClientBuilder {
        ServiceClientBuilder::new(identity)
    }

    /// Calls to the service `name`. A name that is none, or that is not configured, is told by `send`.
    #[must_use]
    pub fn service(&self, name: impl Into<String>) -> ServiceCalls {
        ServiceCalls::new(self.clone(), name.into())
    }
}
