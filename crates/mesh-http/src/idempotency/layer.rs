//! The layer that makes [`Idempotency`].

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use mesh_core::{
    clock::{Clock, SystemClock},
    entropy::{Entropy, SystemEntropy},
    event::EventSink,
    name::ServiceName,
    store::{IdempotencyStore, MemoryStore},
};
use tower::Layer;

use super::{Idempotency, asking::Asking, execution::Executions, ledger::Ledger, terms::Terms};

/// Makes [`Idempotency`] services. All services of one layer share what it remembers by itself.
#[derive(Clone, Debug)]
pub struct IdempotencyLayer {
    terms: Arc<Terms>,
    ledger: Ledger,
    executions: Executions,
}

impl Idempotency<()> {
    /// Lets a request that is sent twice run once, as `store` remembers.
    #[must_use]
    pub fn layer(store: Arc<dyn IdempotencyStore>) -> IdempotencyLayer {
        let ledger = Ledger {
            store,
            local: MemoryStore::new(Arc::new(SystemClock)),
            entropy: Arc::new(SystemEntropy::new()),
            bypassing: Arc::default(),
            asking: Asking::default(),
            not_stored: Arc::default(),
        };
        IdempotencyLayer { terms: Arc::default(), ledger, executions: Executions::default() }
    }
}

impl IdempotencyLayer {
    /// How long an answer is kept; 60 s unless set.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        self.with(|terms| terms.ttl = ttl)
    }

    /// How long a claim lasts that nobody renews, e.g. after a crash; 10 s unless set. Renewed at a third of it.
    #[must_use]
    pub fn lock_timeout(self, lock_timeout: Duration) -> Self {
        self.with(|terms| terms.lock_timeout = lock_timeout)
    }

    /// The largest answer that is kept, in bytes; 256 KiB unless set. Never more than is held in memory for it.
    #[must_use]
    pub fn max_body(self, bytes: u64) -> Self {
        self.with(|terms| terms.max_body = bytes)
    }

    /// The largest request that is read, in bytes; 1 MiB unless set. More is answered 413 `body_too_large`.
    #[must_use]
    pub fn body_limit(self, bytes: usize) -> Self {
        self.with(|terms| terms.body_limit = bytes)
    }

    /// Refuses unsafe requests without a key (400), and every keyed one while the store is down (503).
    #[must_use]
    pub fn required(self) -> Self {
        self.with(|terms| terms.required = true)
    }

    /// Lets requests without a verified caller share one scope: whoever knows a key gets its answer.
    #[must_use]
    pub fn anonymous(self) -> Self {
        self.with(|terms| terms.anonymous = true)
    }

    /// Shares keys, entries and locks with PHP services (docs/wire.md, I11): the key is `X-Request-Id` alone, for all callers
    /// and requests alike, so no verified caller is needed, and whoever knows an id gets its answer. For a migration, behind
    /// callers that are trusted; never at a public door.
    #[must_use]
    pub fn compat(self) -> Self {
        self.with(|terms| terms.compat = true)
    }

    /// How many requests may run on at once after their clients went; 1,024 unless set. One more ends with its client,
    /// and its claim `lock_timeout` later.
    #[must_use]
    pub fn unattended(mut self, most: usize) -> Self {
        self.executions = Executions::with_alone(most);
        self
    }

    /// Whose keys these are; `app` unless set. Services that share a store need different names.
    #[must_use]
    pub fn service(self, service: ServiceName) -> Self {
        self.with(|terms| terms.service = service)
    }

    /// Who is told of replays; nobody unless set.
    #[must_use]
    pub fn event_sink(self, sink: Arc<dyn EventSink>) -> Self {
        self.with(|terms| terms.sink = sink)
    }

    /// Where the owners of claims are drawn from; the system's generator unless set.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.ledger.entropy = entropy;
        self
    }

    /// Where the time comes from for what the process remembers by itself; the system's clock unless set.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.ledger.local = MemoryStore::new(clock);
        self
    }

    /// How many answers said `X-Idempotency-Status: not-stored` since the start, over all services of the layer: a metric.
    #[must_use]
    pub fn not_stored(&self) -> u64 {
        self.ledger.not_stored.load(Ordering::Relaxed)
    }

    /// Until no keyed request runs, in any service of the layer: for the end of a process, after its server took the last
    /// request, because a request outlives its client.
    pub async fn ended(&self) {
        self.executions.ended().await;
    }

    fn with(mut self, change: impl FnOnce(&mut Terms)) -> Self {
        change(Arc::make_mut(&mut self.terms));
        self
    }
}

impl<S> Layer<S> for IdempotencyLayer {
    type Service = Idempotency<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Idempotency::new(inner, self.terms.clone(), self.ledger.clone(), self.executions.clone())
    }
}
