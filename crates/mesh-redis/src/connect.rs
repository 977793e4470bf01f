//! How the store comes to its server: lazily, so that nobody's start waits for it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use deadpool_redis::redis::Client;

use crate::{
    address::{self, ConnectError},
    health::HealthScripts,
    idempotency::IdempotencyScripts,
    keys::Keys,
    link::Link,
    manifest::Manifests,
    warned::Warned,
};

/// The mesh's ports on one Redis server. Cloning shares the connections.
///
/// Every call returns within two seconds (`all`: ten), whatever the server does; after a failure calls fail at once for
/// half a second, then one at a time asks again. Call it from background work, never between a request and its answer,
/// unless the request must run once.
///
/// Connections live on a thread of their own, begun with the first call: one that a busy process cannot hold up.
#[derive(Clone, Debug)]
pub struct RedisStore(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) keys: Keys,
    pub(crate) link: Link,
    pub(crate) health: HealthScripts,
    pub(crate) idempotency: IdempotencyScripts,
    pub(crate) manifests: Manifests,
    malformed: AtomicU64,
    warned: Warned,
}

impl RedisStore {
    /// A store on the server that `url` names, with every key under `prefix`. Opens no connection: it succeeds while
    /// the server is down.
    ///
    /// `url` is `redis://[user][:password@]host[:port][/database]`, the same with `rediss://` for TLS (certificates are
    /// checked against those of the operating system), or `unix:///path[?db=0&user=...&pass=...]`.
    ///
    /// # Errors
    ///
    /// When `url` is no such URL.
    pub fn connect(url: &str, prefix: &str) -> Result<Self, ConnectError> {
        let info = address::parse(url)?;
        if address::is_tls(info.addr()) {
            // The redis crate takes the process's provider. Whoever chose one before keeps it.
            let _chosen_before = rustls::crypto::ring::default_provider().install_default();
        }
        let client =
            Client::open(info).map_err(|_| ConnectError::Malformed("no client can be made of it".into()))?;
        let keys = Keys::new(prefix);
        Ok(Self(Arc::new(Inner {
            manifests: Manifests::new(&client, &keys),
            health: HealthScripts::default(),
            idempotency: IdempotencyScripts::default(),
            link: Link::new(client),
            keys,
            malformed: AtomicU64::new(0),
            warned: Warned::default(),
        })))
    }

    /// The keys that the store uses.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// How many values were read and ignored since the start because they do not parse; one that stays is counted each
    /// time it is read. A metric.
    #[must_use]
    pub fn malformed_values(&self) -> u64 {
        self.0.malformed.load(Ordering::Relaxed)
    }
}

impl Inner {
    /// Counts a value that is ignored; warns of it the first time.
    pub(crate) fn ignore(&self, key: &str, reason: &str) {
        self.malformed.fetch_add(1, Ordering::Relaxed);
        if self.warned.first(key) {
            tracing::warn!(redis = %self.link.address(), key, reason, "ignored a value in redis");
        }
    }
}
