//! What steers a gateway: numbers, names and lists, checked before they come here.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::PathBuf,
    time::Duration,
};

use http::HeaderName;
use mesh_core::{
    health::HealthPolicy,
    name::ServiceName,
    retry::RetryPolicy,
    route::{PrefixStyle, TableSettings, registration::Cidr},
    service::Service,
};

use crate::tls::{ListenerTls, UpstreamTls};

/// What steers a gateway. [`Default`] is what `mesh.toml` says when it says nothing (docs/settings.md), but for the
/// snapshot, which is off.
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// Services configured here; they win whole over what manifests announce.
    pub configured: Vec<Service>,
    /// Only these services are served; absent: all.
    pub services: Option<BTreeSet<ServiceName>>,
    /// Prefix by service.
    pub prefixes: BTreeMap<ServiceName, String>,
    /// Where prefixes stand.
    pub prefix_style: PrefixStyle,
    /// Where the last good routes are written; absent: nowhere.
    pub snapshot: Option<PathBuf>,
    /// The largest request body, in bytes, unless a route says otherwise.
    pub body_limit: u64,
    /// Peers whose X-Forwarded-* are appended to, not replaced.
    pub trusted_proxies: Vec<Cidr>,
    /// Headers that are taken out of every answer.
    pub strip_response_headers: Vec<HeaderName>,
    /// Where announced base URLs may lead, beyond the configured services.
    pub allow_targets: Vec<Cidr>,
    /// How long a manifest that was pushed here is stored.
    pub manifest_ttl: Duration,
    /// How long a manifest is kept past its expiry.
    pub manifest_grace: Duration,
    /// How far a signature's timestamp may be off.
    pub timestamp_tolerance: Duration,
    /// When an instance counts as failed.
    pub health: HealthPolicy,
    /// Retries, delay, methods; a service's own `retries` wins.
    pub retry: RetryPolicy,
    /// The limit of one attempt, unless the route, the service's settings or its manifest say otherwise.
    pub timeout: Duration,
    /// The limit of a whole call; absent: three times the effective timeout.
    pub deadline: Option<Duration>,
    /// The limit of one connect.
    pub connect_timeout: Duration,
    /// The certificates of the public listener; absent: it is not encrypted.
    pub tls: Option<ListenerTls>,
    /// Trust in instances with an `https://` base URL; absent: the public roots, and no certificate of the gateway's own.
    pub upstream_tls: Option<UpstreamTls>,
    /// How requests to routes that ask for it are de-duplicated.
    pub idempotency: IdempotencySettings,
    /// Whether requests without a trace begin one.
    pub trace: TraceSettings,
    /// What clients may send, and how slowly.
    pub limits: Limits,
}

/// What becomes of requests that come without a valid `traceparent`. Those with one always keep their trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TraceSettings {
    /// Whether a new trace is begun.
    pub create: bool,
    /// The share of new traces that services are told to record, 0 to 1.
    pub sample: f64,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self { create: true, sample: 1.0 }
    }
}

/// How requests to routes that declare `idempotency` are de-duplicated (docs/wire.md, Idempotency).
#[derive(Clone, Copy, Debug)]
pub struct IdempotencySettings {
    /// How long an answer is replayed.
    pub ttl: Duration,
    /// How long a claim lasts that nobody renews.
    pub lock_timeout: Duration,
    /// The largest answer that is kept, in bytes.
    pub max_body: u64,
}

impl Default for IdempotencySettings {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(60), lock_timeout: Duration::from_secs(10), max_body: 256 * 1024 }
    }
}

/// What clients may send, and how slowly (docs/refusals.md, Size and time).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Header lines of one request.
    pub headers: usize,
    /// Bytes of one request's head.
    pub head_bytes: usize,
    /// From a connection's first byte of a request to the end of its head; also how long a new connection may say nothing.
    pub head_timeout: Duration,
    /// How long a connection is kept between two requests.
    pub idle_timeout: Duration,
    /// A body must deliver [`body_window_bytes`](Self::body_window_bytes) in each of these.
    pub body_window: Duration,
    /// See [`body_window`](Self::body_window).
    pub body_window_bytes: u64,
    /// The largest body that is held for a further attempt (docs/decisions, buffered retries).
    pub held_body: usize,
    /// How long requests under way may take to finish at shutdown.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers: 100,
            head_bytes: 64 * 1024,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            body_window: Duration::from_secs(10),
            body_window_bytes: 10 * 1024,
            held_body: 64 * 1024,
            drain: Duration::from_secs(30),
        }
    }
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            configured: Vec::new(),
            services: None,
            prefixes: BTreeMap::new(),
            prefix_style: PrefixStyle::default(),
            snapshot: None,
            body_limit: 1024 * 1024,
            trusted_proxies: Vec::new(),
            strip_response_headers: Vec::new(),
            allow_targets: Vec::new(),
            manifest_ttl: Duration::from_secs(300),
            manifest_grace: Duration::from_secs(30),
            timestamp_tolerance: Duration::from_secs(60),
            health: HealthPolicy::default(),
            retry: RetryPolicy::default(),
            timeout: Duration::from_secs(5),
            deadline: None,
            connect_timeout: Duration::from_millis(250),
            tls: None,
            upstream_tls: None,
            idempotency: IdempotencySettings::default(),
            trace: TraceSettings::default(),
            limits: Limits::default(),
        }
    }
}

impl GatewaySettings {
    /// The settings of the route table.
    #[must_use]
    pub fn table(&self) -> TableSettings {
        TableSettings {
            services: self.services.clone(),
            prefixes: self.prefixes.clone(),
            style: self.prefix_style,
        }
    }

    /// The configured service of this name.
    #[must_use]
    pub fn service(&self, name: &ServiceName) -> Option<&Service> {
        self.configured.iter().find(|service| service.name == *name)
    }

    /// Whether `address` is one of the trusted proxies.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|block| block.contains(address))
    }
}
