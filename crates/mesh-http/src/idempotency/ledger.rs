//! Who runs a request: the store's word, and the process's own where the store has none.
//!
//! Refuses to run what this process runs or ran without the store, even after the store is back.

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{HeaderValue, Response};
use mesh_core::{
    entropy::Entropy,
    error::Code,
    header::X_IDEMPOTENCY_STATUS,
    idempotency::{
        Answer, Fingerprint, IdempotencyKey,
        verdict::{Verdict, judge},
    },
    store::{Begin, IdempotencyStore, Lease, MemoryStore, StoreError},
};
use tokio::task::JoinHandle;

use super::{asking::Asking, terms::Terms};

/// How long the process's own claim of a key lasts: longer than any handler. It ends with the handler, and a process
/// that dies takes it along.
const LOCAL_LEASE: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest pause between renewals, whatever the lock timeout is.
const MIN_RENEWAL: Duration = Duration::from_millis(1);

/// The store, and what the process remembers by itself: which keys it runs, and answers that the store did not take.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) store: Arc<dyn IdempotencyStore>,
    pub(super) local: MemoryStore,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) bypassing: Arc<AtomicBool>,
    pub(super) asking: Asking,
    /// How many answers said so.
    pub(super) not_stored: Arc<AtomicU64>,
}

/// The right to run a request.
#[derive(Debug)]
pub(super) struct Claim {
    /// The store's lease; none while the store is down.
    shared: Option<Lease>,
    /// The process's own.
    local: Option<Lease>,
}

/// What is done with a request.
#[derive(Debug)]
pub(super) enum Decision {
    Run(Claim),
    Replay {
        answer: Answer,
        /// Whether the store has it, and not just this process.
        stored: bool,
    },
    Refuse(Code),
}

/// Renews a lease until it is dropped.
#[derive(Debug)]
pub(super) struct Renewal(Option<JoinHandle<()>>);

impl Drop for Renewal {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Ledger {
    /// Claims `key`, or says what else to do.
    pub(super) async fn begin(
        &self,
        key: &IdempotencyKey,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Decision {
        let mut owner = [0; 16];
        self.entropy.fill(&mut owner);
        let begun = self.asking.begin(&self.store, key, owner, terms.lock_timeout).await;
        self.note(begun.as_ref().err());
        let shared = match begun.map(|begun| judge(begun, fingerprint)) {
            Ok(Verdict::Run(lease)) => Some(lease),
            Ok(Verdict::Replay(answer)) => return Decision::Replay { answer, stored: true },
            Ok(Verdict::Refuse(code)) => return Decision::Refuse(code),
            Err(_) if terms.required => return Decision::Refuse(Code::IdempotencyStoreUnavailable),
            Err(_) => None,
        };
        let local = self.local.begin(key, owner, LOCAL_LEASE).await.unwrap_or(Begin::InFlight);
        let decision = match judge(local, fingerprint) {
            Verdict::Run(lease) => return Decision::Run(Claim { shared, local: Some(lease) }),
            Verdict::Replay(answer) => Decision::Replay { answer, stored: false },
            Verdict::Refuse(code) => Decision::Refuse(code),
        };
        self.release(Claim { shared, local: None }).await;
        decision
    }

    /// Keeps the store's lease of `claim` alive until the renewal is dropped.
    pub(super) fn renew(&self, claim: &Claim, lock_timeout: Duration) -> Renewal {
        let Some(lease) = claim.shared.clone() else { return Renewal(None) };
        let store = self.store.clone();
        Renewal(Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep((lock_timeout / 3).max(MIN_RENEWAL)).await;
                match store.renew(&lease, lock_timeout).await {
                    Ok(true) => {}
                    Ok(false) => {
                        tracing::warn!(key = %lease.key, "the claim of a running request was lost");
                        return;
                    }
                    Err(error) => tracing::debug!(%error, "a claim was not renewed; trying again"),
                }
            }
        })))
    }

    /// Leaves the answer; says whether the store took it. What it could not take the process remembers.
    pub(super) async fn complete(
        &self,
        claim: Claim,
        fingerprint: &Fingerprint,
        answer: &Answer,
        ttl: Duration,
    ) -> bool {
        let completed = match &claim.shared {
            Some(lease) => self.store.complete(lease, fingerprint, answer, ttl).await.map(Some),
            None => Ok(None),
        };
        self.note(completed.as_ref().err());
        let taken = matches!(completed, Ok(Some(true)));
        if let Ok(Some(false)) = completed {
            tracing::warn!("an answer came after its claim was lost, and was not stored");
        }
        if let Some(lease) = &claim.local {
            // Somebody else may have stored another answer where the claim was lost: this one is not kept.
            let kept = match completed {
                Ok(Some(_)) => self.local.release(lease).await,
                Ok(None) | Err(_) => self.local.complete(lease, fingerprint, answer, ttl).await,
            };
            debug_assert!(kept.is_ok(), "memory does not fail");
        }
        taken
    }

    /// Lets the next request with the key run.
    pub(super) async fn release(&self, claim: Claim) {
        if let Some(lease) = &claim.shared {
            let released = self.store.release(lease).await;
            self.note(released.as_ref().err());
        }
        if let Some(lease) = &claim.local {
            let released = self.local.release(lease).await;
            debug_assert!(released.is_ok(), "memory does not fail");
        }
    }

    /// Says that the store does not have this answer.
    pub(super) fn mark_not_stored<B>(&self, response: &mut Response<B>) {
        self.not_stored.fetch_add(1, Ordering::Relaxed);
        response.headers_mut().insert(X_IDEMPOTENCY_STATUS, HeaderValue::from_static("not-stored"));
    }

    /// Says once when the store fails, and once when it is back.
    fn note(&self, error: Option<&StoreError>) {
        match error {
            Some(error) if !self.bypassing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%error, "idempotency goes on without its store");
            }
            None if self.bypassing.swap(false, Ordering::Relaxed) => {
                tracing::info!("the idempotency store is back");
            }
            _ => {}
        }
    }
}
