//! Stores that fail as they are told, and a clock that follows tokio's.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use mesh_core::{
    clock::{Clock, Tick, UnixMillis},
    idempotency::{Answer, Fingerprint, IdempotencyKey},
    store::{Begin, IdempotencyStore, Lease, MemoryStore, StoreError},
};

/// A store in memory that can be down, in parts.
#[derive(Debug)]
pub(crate) struct FailingStore {
    inner: MemoryStore,
    pub(crate) begin_down: AtomicBool,
    pub(crate) renew_down: AtomicBool,
    pub(crate) complete_down: AtomicBool,
    pub(crate) unreadable: AtomicBool,
    /// Whether others get a turn before `begin` answers.
    pub(crate) slow: AtomicBool,
    pub(crate) begins: AtomicUsize,
    pub(crate) renewals: AtomicUsize,
    pub(crate) leases: Mutex<Vec<Lease>>,
}

impl FailingStore {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryStore::new(clock),
            begin_down: AtomicBool::new(false),
            renew_down: AtomicBool::new(false),
            complete_down: AtomicBool::new(false),
            unreadable: AtomicBool::new(false),
            slow: AtomicBool::new(false),
            begins: AtomicUsize::new(0),
            renewals: AtomicUsize::new(0),
            leases: Mutex::default(),
        })
    }
}

fn check(down: &AtomicBool) -> Result<(), StoreError> {
    match down.load(Ordering::SeqCst) {
        true => Err(StoreError::Unreachable("pulled the plug".to_owned())),
        false => Ok(()),
    }
}

#[async_trait]
impl IdempotencyStore for FailingStore {
    async fn begin(
        &self,
        key: &IdempotencyKey,
        owner: [u8; 16],
        lease_for: Duration,
    ) -> Result<Begin, StoreError> {
        self.begins.fetch_add(1, Ordering::SeqCst);
        if self.slow.load(Ordering::SeqCst) {
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
        }
        check(&self.begin_down)?;
        if self.unreadable.load(Ordering::SeqCst) {
            return Ok(Begin::Unreadable);
        }
        let begun = self.inner.begin(key, owner, lease_for).await;
        if let Ok(Begin::Fresh(lease)) = &begun {
            self.leases.lock().unwrap().push(lease.clone());
        }
        begun
    }

    async fn renew(&self, lease: &Lease, lease_for: Duration) -> Result<bool, StoreError> {
        self.renewals.fetch_add(1, Ordering::SeqCst);
        check(&self.renew_down)?;
        self.inner.renew(lease, lease_for).await
    }

    async fn complete(
        &self,
        lease: &Lease,
        fingerprint: &Fingerprint,
        answer: &Answer,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        check(&self.complete_down)?;
        self.inner.complete(lease, fingerprint, answer, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<bool, StoreError> {
        check(&self.complete_down)?;
        self.inner.release(lease).await
    }
}

/// Monotonic time as tokio shows it: stands still and jumps with paused tests.
#[derive(Debug)]
pub(crate) struct TokioClock(tokio::time::Instant);

impl TokioClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(tokio::time::Instant::now()))
    }
}

impl Clock for TokioClock {
    fn unix(&self) -> UnixMillis {
        UnixMillis(u64::try_from(self.0.elapsed().as_millis()).unwrap())
    }

    fn monotonic(&self) -> Tick {
        Tick::default().after(self.0.elapsed())
    }
}
