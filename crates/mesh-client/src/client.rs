//! The client that services call each other with.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::HeaderValue;
use mesh_core::{
    clock::Clock,
    entropy::Entropy,
    event::EventSink,
    health::{HealthPolicy, view::ServiceView},
    name::ServiceName,
    signature::{MultipartPolicy, Signer},
    store::{HealthStore, ManifestStore, StoreError},
};
use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinHandle},
};

use crate::{
    builder::{Defaults, ServiceClientBuilder},
    driver::Driver,
    identity::Identity,
    pool::CallPool,
    report::round,
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
    pub(crate) services: HashMap<Box<str>, Configured>,
    pub(crate) defaults: Defaults,
    pub(crate) connect_timeout: Duration,
    pub(crate) driver: Driver,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) sink: Arc<dyn EventSink>,
    pub(crate) transport: Arc<dyn HttpTransport>,
    pub(crate) manifests: ManifestTarget,
    pub(crate) runtime: Handle,
    pub(crate) background: Background,
    pub(crate) unsigned_bodies: AtomicU64,
}

/// A service as configured, and what is known of its instances.
#[derive(Debug)]
pub(crate) struct Configured {
    pub(crate) view: Arc<ServiceView>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: Option<u32>,
    pub(crate) multipart: MultipartPolicy,
}

/// Where manifests are registered.
#[derive(Debug, Default)]
pub(crate) struct ManifestTarget {
    pub(crate) gateway: Option<ServiceName>,
    pub(crate) store: Option<Arc<dyn ManifestStore>>,
    pub(crate) ttl: Duration,
}

/// Work that ends with the client.
#[derive(Debug)]
pub(crate) struct Background {
    /// Brings home what others told the shared store.
    pub(crate) synchronizer: Option<AbortHandle>,
    /// What the synchronizer reads, and the policy it judges by.
    pub(crate) shared: Option<(Arc<dyn HealthStore>, HealthPolicy)>,
    /// Carries reports to the store; ends by itself after the last one.
    pub(crate) carrier: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(task) = &self.synchronizer {
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

    /// Begins a number of named calls that are sent together, to any services.
    ///
    /// ```
    /// # async fn page(client: &mesh_client::ServiceClient) -> Result<(), mesh_client::CallError> {
    /// let mut answers = client
    ///     .pool()
    ///     .add("user", client.service("users").get("/users/1"))
    ///     .add("orders", client.service("oms").get("/api/orders"))
    ///     .concurrency(8)
    ///     .send()
    ///     .await;
    /// if let Some(user) = answers.take("user") {
    ///     println!("{}", user?.throw()?.text());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub const fn pool(&self) -> CallPool {
        CallPool::new()
    }

    /// Reads the shared health now, as the background does every second: for a process whose first call must know what
    /// others told. Waits 1 s at most; without a shared store there is nothing to read.
    ///
    /// # Errors
    ///
    /// The store's; the local view stays as it is then.
    pub async fn learn(&self) -> Result<(), StoreError> {
        let Some((store, policy)) = &self.inner.background.shared else { return Ok(()) };
        let views = self.inner.services.values().flat_map(|service| service.view.instances());
        let watched: Vec<_> = views.cloned().collect();
        round(&**store, &*self.inner.clock, &*self.inner.sink, policy, &watched).await
    }

    /// How many attempts were signed as if their multipart body were empty, because their service is configured with
    /// [`MultipartPolicy::Php`].
    #[must_use]
    pub fn unsigned_bodies(&self) -> u64 {
        self.inner.unsigned_bodies.load(Ordering::Relaxed)
    }

    /// Ends the client and waits until the store took what the calls reported about health: for a process that ends
    /// after its last call. Waits for other clones to be dropped too, and for a store that is down about 2 s: bound it.
    pub async fn finish(self) {
        let carrier = self.inner.background.carrier.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(self);
        if let Some(carrier) = carrier {
            // A carrier that ended badly has nothing left to carry.
            drop(carrier.await);
        }
    }
}
