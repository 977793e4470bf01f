//! What a client is made of, and which settings make none.

mod error;

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use http::HeaderValue;
use mesh_core::{
    clock::{Clock, SystemClock},
    entropy::{Entropy, SystemEntropy},
    event::{EventSink, NoEvents},
    health::{HealthPolicy, view::ServiceView},
    name::{NameError, ServiceName},
    retry::{RetryMethods, RetryPolicy},
    service::{BaseUrl, Service},
    signature::Signer,
    store::{HealthStore, ManifestStore, MemoryStore},
};
use tokio::runtime::Handle;

pub use self::error::BuildError;
use crate::{
    client::{Background, Configured, Inner, ManifestTarget, ServiceClient},
    driver::Driver,
    identity::Identity,
    report::{Views, reporter, synchronize},
    request::target,
    transport::HttpTransport,
};

/// How often the shared health is read.
const HEALTH_PERIOD: Duration = Duration::from_secs(1);
/// Source: docs/refusals.md; a blackholed address costs a call no more than this.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(250);
/// Source: docs/settings.md, `manifest.ttl`.
const MANIFEST_TTL: Duration = Duration::from_secs(300);
/// An absent deadline is this many timeouts.
pub(crate) const DEADLINE_TIMEOUTS: u32 = 3;

/// What holds for every call, unless its service or the call itself says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// The limit of one attempt.
    pub timeout: Duration,
    /// Further attempts per instance.
    pub retries: u32,
    /// The bound of the first delay between attempts at one instance; it doubles.
    pub retry_delay: Duration,
    /// Which requests are repeated after they were written.
    pub retry_methods: RetryMethods,
    /// The limit of the whole call; absent: three times the timeout that holds for the call.
    pub deadline: Option<Duration>,
    /// The largest answer that `send` holds, in bytes.
    pub max_response: usize,
}

impl Default for Defaults {
    /// 5 s, 2 retries, 100 ms, idempotent methods, no deadline of its own, 16 MiB.
    fn default() -> Self {
        let RetryPolicy { retries, retry_delay, methods } = RetryPolicy::default();
        Self {
            timeout: Duration::from_secs(5),
            retries,
            retry_delay,
            retry_methods: methods,
            deadline: None,
            max_response: 16 * 1024 * 1024,
        }
    }
}

/// Collects what a [`ServiceClient`] needs.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct ServiceClientBuilder {
    identity: Identity,
    services: Vec<Service>,
    defaults: Defaults,
    connect_timeout: Option<Duration>,
    health_store: Option<Arc<dyn HealthStore>>,
    health_policy: HealthPolicy,
    sink: Arc<dyn EventSink>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    transport: Option<Arc<dyn HttpTransport>>,
    manifests: ManifestTarget,
}

impl ServiceClientBuilder {
    pub(crate) fn new(identity: Identity) -> Self {
        Self {
            identity,
            services: Vec::new(),
            defaults: Defaults::default(),
            connect_timeout: None,
            health_store: None,
            health_policy: HealthPolicy::default(),
            sink: Arc::new(NoEvents),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::new()),
            transport: None,
            manifests: ManifestTarget { ttl: MANIFEST_TTL, ..ManifestTarget::default() },
        }
    }

    /// Adds services that can be called.
    pub fn services(mut self, services: impl IntoIterator<Item = Service>) -> Self {
        self.services.extend(services);
        self
    }

    /// What holds for every call.
    pub const fn defaults(mut self, defaults: Defaults) -> Self {
        self.defaults = defaults;
        self
    }

    /// The limit of a connection: name, TCP, TLS. Absent: 250 ms, or the default timeout if that is less.
    pub const fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// Where failures of instances are shared. Absent: the memory of this process.
    pub fn health_store(mut self, store: Arc<dyn HealthStore>) -> Self {
        self.health_store = Some(store);
        self
    }

    /// When an instance is left alone.
    pub const fn health_policy(mut self, policy: HealthPolicy) -> Self {
        self.health_policy = policy;
        self
    }

    /// Who hears of failed attempts, changes of health and registered routes.
    pub fn event_sink(mut self, sink: Arc<dyn EventSink>) -> Self {
        self.sink = sink;
        self
    }

    /// Where the time comes from.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where request ids and jitter come from.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// How requests travel. Absent: the transport of the feature `reqwest`.
    pub fn transport(mut self, transport: impl HttpTransport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Manifests are registered at the gateway that is configured as the service `name`.
    pub fn manifest_gateway(mut self, name: ServiceName) -> Self {
        self.manifests.gateway = Some(name);
        self
    }

    /// Manifests are stored in `store`, unless a gateway is set.
    pub fn manifest_store(mut self, store: Arc<dyn ManifestStore>) -> Self {
        self.manifests.store = Some(store);
        self
    }

    /// How long a stored manifest is kept. Absent: 300 s.
    pub const fn manifest_ttl(mut self, ttl: Duration) -> Self {
        self.manifests.ttl = ttl;
        self
    }

    /// The client. Its background work is spawned on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When a setting makes no client, see [`BuildError`].
    pub fn build(self) -> Result<ServiceClient, BuildError> {
        let runtime = Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let name = HeaderValue::from_str(self.identity.name.as_str())
            .ok()
            .filter(|_| self.identity.name.is_visible_ascii())
            .ok_or(BuildError::Identity(NameError::NotVisibleAscii))?;
        check_numbers(&self.defaults, &self.services)?;
        let services = configured(&self.services)?;
        if let Some(gateway) =
            self.manifests.gateway.as_ref().filter(|name| !services.contains_key(name.as_str()))
        {
            return Err(BuildError::UnknownGateway(gateway.clone()));
        }
        let connect_timeout = self.connect_timeout.unwrap_or(CONNECT_TIMEOUT.min(self.defaults.timeout));
        if connect_timeout.is_zero() {
            return Err(BuildError::ZeroTimeout);
        }
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                let mut urls = self.services.iter().flat_map(|service| &service.base_urls);
                default_transport(connect_timeout, urls.any(BaseUrl::is_https))?
            }
        };
        let (clock, policy) = (self.clock, self.health_policy);
        let shared = self.health_store;
        let store = shared.clone().unwrap_or_else(|| Arc::new(MemoryStore::new(Arc::clone(&clock))));
        let (reporter, carry) = reporter(store, Arc::clone(&clock), policy);
        let carrier = Mutex::new(Some(runtime.spawn(carry)));
        // Nobody else writes into a memory of our own: there is nothing to bring home.
        let synchronizer = shared.clone().map(|store| {
            let views: Vec<_> =
                services.values().flat_map(|service| service.view.instances().to_vec()).collect();
            let views: Views = Arc::new(move || views.clone());
            let (clock, sink) = (Arc::clone(&clock), Arc::clone(&self.sink));
            runtime.spawn(synchronize(store, clock, sink, policy, views, HEALTH_PERIOD)).abort_handle()
        });
        Ok(ServiceClient {
            inner: Arc::new(Inner {
                name,
                signer: Signer::new(&self.identity.keyring),
                services,
                defaults: self.defaults,
                connect_timeout,
                driver: Driver::new(
                    Arc::clone(&clock),
                    Arc::clone(&self.entropy),
                    Arc::clone(&self.sink),
                    policy,
                    reporter,
                ),
                clock,
                entropy: self.entropy,
                sink: self.sink,
                transport,
                manifests: self.manifests,
                runtime,
                background: Background { synchronizer, shared: shared.map(|store| (store, policy)), carrier },
                unsigned_bodies: AtomicU64::new(0),
            }),
        })
    }
}

fn check_numbers(defaults: &Defaults, services: &[Service]) -> Result<(), BuildError> {
    let timeouts = services.iter().filter_map(|service| service.timeout);
    for timeout in timeouts.chain([defaults.timeout]) {
        if timeout.is_zero() {
            return Err(BuildError::ZeroTimeout);
        }
        if defaults.deadline.is_some_and(|deadline| deadline < timeout) {
            return Err(BuildError::DeadlineBelowTimeout);
        }
    }
    let retries = services.iter().filter_map(|service| service.retries);
    for retries in retries.chain([defaults.retries]) {
        RetryPolicy::try_new(retries, defaults.retry_delay, defaults.retry_methods)?;
    }
    Ok(())
}

fn configured(services: &[Service]) -> Result<HashMap<Box<str>, Configured>, BuildError> {
    let mut all = HashMap::with_capacity(services.len());
    for service in services {
        if let Some(url) = service.base_urls.iter().find(|url| !target::travels(&url.target("/"))) {
            return Err(BuildError::BaseUrl(url.clone()));
        }
        let Entry::Vacant(vacant) = all.entry(service.name.as_str().into()) else {
            return Err(BuildError::DoubledService(service.name.clone()));
        };
        let view = ServiceView::new(service.name.clone(), &service.base_urls, None);
        vacant.insert(Configured {
            view: Arc::new(view),
            timeout: service.timeout,
            retries: service.retries,
            multipart: service.multipart,
        });
    }
    Ok(all)
}

#[cfg(feature = "reqwest")]
fn default_transport(
    connect_timeout: Duration,
    with_tls: bool,
) -> Result<Arc<dyn HttpTransport>, BuildError> {
    match crate::transport::SchemeTransport::try_new(connect_timeout, with_tls) {
        Ok(transport) => Ok(Arc::new(transport)),
        Err(error) => Err(BuildError::Transport(error)),
    }
}

#[cfg(not(feature = "reqwest"))]
fn default_transport(
    _connect_timeout: Duration,
    _with_tls: bool,
) -> Result<Arc<dyn HttpTransport>, BuildError> {
    Err(BuildError::NoTransport)
}
