//! Puts a gateway together.

use std::sync::{Arc, Mutex, atomic::AtomicBool};

use arc_swap::ArcSwap;
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
    metrics::Metrics,
    refresh::{self, Control},
    reloadable::Reloadable,
    settings::GatewaySettings,
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
}

/// Why there is no gateway. The fault of the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The gateway's own name travels in a header and is not visible ASCII.
    #[error("the gateway's name {0} must be visible ASCII, because it travels in a header")]
    Name(ServiceName),
    /// A configured instance is reached over https, which the gateway does not speak.
    #[error(
        "the service {service} has the base URL {url}: the gateway speaks plain http towards instances only"
    )]
    HttpsInstance {
        /// The service.
        service: ServiceName,
        /// The base URL.
        url: String,
    },
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

    /// The gateway. Reads the snapshot on disk, if there is one; the store is first asked by
    /// [`Gateway::control`].
    ///
    /// # Errors
    ///
    /// See [`BuildError`].
    pub fn build(self) -> Result<Gateway, BuildError> {
        let Self { name, keyring, manifests, health, idempotency, settings, clock, entropy, sink } = self;
        let name_header = HeaderValue::from_str(name.as_str())
            .ok()
            .filter(|_| name.is_visible_ascii())
            .ok_or_else(|| BuildError::Name(name.clone()))?;
        check(&settings)?;
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
        let metrics = Metrics::default();
        let reloadable = Reloadable::new(settings, keyring);
        let (remembered, snapshot) = refresh::begin(&reloadable, &metrics, &*clock);
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
            snapshot: ArcSwap::from_pointee(snapshot),
            metrics,
            commands,
            draining: AtomicBool::new(false),
            control: Mutex::new(Some(control)),
        })))
    }
}

/// That the gateway can do what the settings ask of it.
pub(super) fn check(settings: &GatewaySettings) -> Result<(), BuildError> {
    for service in &settings.configured {
        if let Some(url) = service.base_urls.iter().find(|url| url.is_https()) {
            return Err(BuildError::HttpsInstance { service: service.name.clone(), url: url.to_string() });
        }
    }
    Ok(())
}
