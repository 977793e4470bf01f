//! Puts a gateway together.

use std::sync::{Arc, Mutex, atomic::AtomicBool};

use http::HeaderValue;
use mesh_client::{driver::Driver, report};
use mesh_core::{
    clock::{Clock, SystemClock},
    entropy::{Entropy, SystemEntropy},
    event::{EventSink, NoEvents},
    name::ServiceName,
    signature::Keyring,
    store::{HealthStore, IdempotencyStore, ManifestStore, MemoryStore},
};
use mesh_http::idempotency::Idempotency;
use tokio::sync::mpsc;

use super::{Gateway, Shared};
use crate::{
    access_log::AccessLog,
    metrics::Metrics,
    overrides::{OverrideErrors, Overrides, RouteOverrides, RouteService},
    proxy::{Proxy, Replaced},
    refresh::{self, Control},
    reloadable::Reloadable,
    settings::GatewaySettings,
    snapshot::Latest,
    tls::TlsError,
};

/// Commands that may wait for the control task.
const WAITING_COMMANDS: usize = 64;

/// A gateway to be. See [`Gateway::builder`].
#[derive(Debug)]
pub struct GatewayBuilder {
    name: ServiceName,
    keyring: Keyring,
    manifests: Arc<dyn ManifestStore>,
    health: Arc<dyn HealthStore>,
    idempotency: Option<Arc<dyn IdempotencyStore>>,
    settings: GatewaySettings,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    sink: Arc<dyn EventSink>,
    only: Option<Vec<String>>,
    overrides: RouteOverrides,
    proxy: Option<RouteService>,
    access_log: Option<AccessLog>,
}

/// Why there is no gateway. The fault of the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The gateway's own name travels in a header and is not visible ASCII.
    #[error("the gateway's name {0} must be visible ASCII, because it travels in a header")]
    Name(ServiceName),
    /// There is no TLS with what the settings give.
    #[error("tls: {0}")]
    Tls(#[from] TlsError),
    /// The names, prefixes, URIs or handlers that stand in the code are wrong.
    #[error("the overrides of routes are wrong: {0}")]
    Overrides(#[from] OverrideErrors),
    /// Nobody runs the gateway any more.
    #[error("the gateway has ended")]
    Stopped,
}

impl Gateway {
    /// Begins a gateway that is called `name`, signs with `keyring`, reads its routes from `manifests` and shares
    /// health through `health`.
    #[must_use]
    pub fn builder(
        name: ServiceName,
        keyring: Keyring,
        manifests: Arc<dyn ManifestStore>,
        health: Arc<dyn HealthStore>,
    ) -> GatewayBuilder {
        GatewayBuilder {
            name,
            keyring,
            manifests,
            health,
            idempotency: None,
            settings: GatewaySettings::default(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::new()),
            sink: Arc::new(NoEvents),
            only: None,
            overrides: RouteOverrides::default(),
            proxy: None,
            access_log: None,
        }
    }
}

impl GatewayBuilder {
    /// Replaces the settings.
    #[must_use]
    pub fn settings(mut self, settings: GatewaySettings) -> Self {
        self.settings = settings;
        self
    }

    /// Remembers answers of routes that declare `idempotency` in `store`; in the memory of this process unless set.
    #[must_use]
    pub fn idempotency(mut self, store: Arc<dyn IdempotencyStore>) -> Self {
        self.idempotency = Some(store);
        self
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Draws chance from `entropy`.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Tells `sink` what happens.
    #[must_use]
    pub fn events(mut self, sink: Arc<dyn EventSink>) -> Self {
        self.sink = sink;
        self
    }

    /// Serves only these services, whatever the settings say; without any, none.
    #[must_use]
    pub fn services<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.only = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Puts layers, handlers and prefixes before the routes of manifests, by service and by route. A request passes
    /// the layers of all routes, those of its service, those of its route, idempotency where the route declares it, then the handler or
    /// the proxy. May be called more than once.
    ///
    /// Its [`RouteMeta`](crate::RouteMeta) stands in the request's extensions; the head was checked, the body keeps its limits,
    /// and headers that only the mesh may set were taken out. A panic is answered 500. A route without layers, handler
    /// and replaced proxy pays nothing.
    #[must_use]
    pub fn routes(mut self, declare: impl FnOnce(&mut RouteOverrides)) -> Self {
        declare(&mut self.overrides);
        self
    }

    /// Lets `proxy` answer the requests of all routes that have no handler, behind their layers.
    #[must_use]
    pub fn proxy(mut self, proxy: impl Proxy) -> Self {
        self.proxy = Some(RouteService::new(Replaced::new(proxy)));
        self
    }

    /// Writes a line for each request to `log`; none unless set.
    #[must_use]
    pub fn access_log(mut self, log: AccessLog) -> Self {
        self.access_log = Some(log);
        self
    }

    /// The gateway. Reads the snapshot on disk, if there is one; the store is first asked by
    /// [`Gateway::control`].
    ///
    /// # Errors
    ///
    /// See [`BuildError`].
    pub fn build(self) -> Result<Gateway, BuildError> {
        let overrides = Overrides::check(self.only, self.overrides, self.proxy)?;
        let Self { name, keyring, manifests, health, idempotency, settings, clock, entropy, sink, .. } = self;
        let access_log = self.access_log;
        let name_header = HeaderValue::from_str(name.as_str())
            .ok()
            .filter(|_| name.is_visible_ascii())
            .ok_or_else(|| BuildError::Name(name.clone()))?;
        let (reporter, reports) = report::reporter(Arc::clone(&health), Arc::clone(&clock), settings.health);
        let policy = settings.health;
        let driver = Driver::new(
            Arc::clone(&clock),
            Arc::clone(&entropy),
            Arc::clone(&sink),
            settings.health,
            reporter,
        );
        let idempotency = idempotency.unwrap_or_else(|| Arc::new(MemoryStore::new(Arc::clone(&clock))));
        let idempotency = Idempotency::layer(idempotency)
            .entropy(Arc::clone(&entropy))
            .clock(Arc::clone(&clock))
            .event_sink(Arc::clone(&sink));
        let metrics = Arc::<Metrics>::default();
        let reloadable = Reloadable::new(settings, keyring)?;
        let (remembered, snapshot) = refresh::begin(&reloadable, &metrics, &*clock, &overrides);
        let (commands, waiting) = mpsc::channel(WAITING_COMMANDS);
        let control = Control { manifests, health, remembered, waiting, reports: Box::pin(reports) };
        Ok(Gateway::new(Arc::new(Shared {
            name,
            name_header,
            health: policy,
            clock,
            entropy,
            sink,
            driver,
            idempotency,
            overrides,
            snapshot: Latest::new(snapshot),
            metrics,
            access_log,
            commands,
            draining: AtomicBool::new(false),
            control: Mutex::new(Some(control)),
        })))
    }
}
