//! The idempotency port in memory.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::{MemoryStore, expiring::Expiring};
use crate::{
    idempotency::{Answer, Fingerprint, IdempotencyKey},
    store::{Begin, IdempotencyStore, Lease, StoreError},
};

#[derive(Debug, Default)]
pub(super) struct IdempotencyMemory(Mutex<Expiring<IdempotencyKey, Entry>>);

#[derive(Debug)]
enum Entry {
    Leased { owner: [u8; 16] },
    Answered(Fingerprint, Answer),
}

impl Entry {
    fn is_leased_to(&self, by: &[u8; 16]) -> bool {
        matches!(self, Self::Leased { owner } if owner == by)
    }
}

impl IdempotencyMemory {
    fn lock(&self) -> MutexGuard<'_, Expiring<IdempotencyKey, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl IdempotencyStore for MemoryStore {
    async fn begin(
        &self,
        key: &IdempotencyKey,
        owner: [u8; 16],
        lease_for: Duration,
    ) -> Result<Begin, StoreError> {
        let now = self.clock.monotonic();
        let mut entries = self.idempotency.lock();
        Ok(match entries.get(key, now) {
            Some((Entry::Leased { .. }, _)) => Begin::InFlight,
            Some((Entry::Answered(fingerprint, answer), _)) => Begin::Answered(*fingerprint, answer.clone()),
            None => {
                entries.insert(key.clone(), Entry::Leased { owner }, now, lease_for);
                Begin::Fresh(Lease { key: key.clone(), owner })
            }
        })
    }

    async fn renew(&self, lease: &Lease, lease_for: Duration) -> Result<bool, StoreError> {
        let now = self.clock.monotonic();
        Ok(self
            .idempotency
            .lock()
            .renew(&lease.key, now, lease_for, |entry| entry.is_leased_to(&lease.owner)))
    }

    async fn complete(
        &self,
        lease: &Lease,
        fingerprint: &Fingerprint,
        answer: &Answer,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.clock.monotonic();
        let mut entries = self.idempotency.lock();
        let current = entries.get(&lease.key, now).is_some_and(|(entry, _)| entry.is_leased_to(&lease.owner));
        if current {
            entries.insert(lease.key.clone(), Entry::Answered(*fingerprint, answer.clone()), now, ttl);
        }
        Ok(current)
    }

    async fn release(&self, lease: &Lease) -> Result<bool, StoreError> {
        let now = self.clock.monotonic();
        let mut entries = self.idempotency.lock();
        let current = entries.get(&lease.key, now).is_some_and(|(entry, _)| entry.is_leased_to(&lease.owner));
        if current {
            entries.remove(&lease.key, now);
        }
        Ok(current)
    }
}
