//! What an idempotency layer was told: numbers, switches, and whom to ask.

use std::{sync::Arc, time::Duration};

use mesh_core::{
    event::{EventSink, NoEvents},
    name::ServiceName,
};

use crate::body::DEFAULT_BODY_LIMIT;

/// What steers one layer.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// How long an answer is kept.
    pub(super) ttl: Duration,
    /// How long a claim lasts that nobody renews.
    pub(super) lock_timeout: Duration,
    /// The largest answer that is kept, in bytes.
    pub(super) max_body: u64,
    /// The largest request that is read, in bytes.
    pub(super) body_limit: usize,
    /// Whether a key must be there, and the store too.
    pub(super) required: bool,
    /// Whether requests without a verified caller share one scope.
    pub(super) anonymous: bool,
    /// Whether keys, entries and locks are the PHP package's.
    pub(super) compat: bool,
    /// Whose keys these are.
    pub(super) service: ServiceName,
    /// Who is told of replays.
    pub(super) sink: Arc<dyn EventSink>,
}

impl Default for Terms {
    /// Source: the package's defaults; docs/settings.md, `[idempotency]`.
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(60),
            lock_timeout: Duration::from_secs(10),
            max_body: 256 * 1024,
            body_limit: DEFAULT_BODY_LIMIT,
            required: false,
            anonymous: false,
            compat: false,
            service: ServiceName::default(),
            sink: Arc::new(NoEvents),
        }
    }
}
