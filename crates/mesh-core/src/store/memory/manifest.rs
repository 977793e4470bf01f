//! The manifest port in memory.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use event_listener::Event;

use super::{MemoryStore, expiring::Expiring};
use crate::{
    name::ServiceName,
    store::{ManifestStore, Replaced, Revision, StoreError, StoredManifest},
};

#[derive(Debug, Default)]
pub(super) struct ManifestMemory {
    documents: Mutex<Expiring<ServiceName, Bytes>>,
    revision: AtomicU64,
    change: Event,
}

impl ManifestMemory {
    fn lock(&self) -> MutexGuard<'_, Expiring<ServiceName, Bytes>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called after the document is in place: who wakes up, or asks later, reads the new one.
    fn tell(&self) {
        self.revision.fetch_add(1, Ordering::SeqCst);
        self.change.notify(usize::MAX);
    }
}

#[async_trait]
impl ManifestStore for MemoryStore {
    async fn put(&self, service: &ServiceName, document: Bytes, ttl: Duration) -> Result<(), StoreError> {
        let now = self.clock.monotonic();
        self.manifests.lock().insert(service.clone(), document, now, ttl);
        self.manifests.tell();
        Ok(())
    }

    async fn replace(
        &self,
        service: &ServiceName,
        expected: Option<Bytes>,
        document: Bytes,
        ttl: Duration,
    ) -> Result<Replaced, StoreError> {
        let now = self.clock.monotonic();
        {
            let mut documents = self.manifests.lock();
            if documents.get(service, now).map(|(stored, _)| stored) != expected.as_ref() {
                return Ok(Replaced::Changed);
            }
            documents.insert(service.clone(), document, now, ttl);
        }
        self.manifests.tell();
        Ok(Replaced::Stored)
    }

    async fn get(&self, service: &ServiceName) -> Result<Option<StoredManifest>, StoreError> {
        let now = self.clock.monotonic();
        Ok(self.manifests.lock().get(service, now).map(|(document, left)| StoredManifest {
            service: service.clone(),
            document: document.clone(),
            expires_in: Some(left),
        }))
    }

    async fn all(&self) -> Result<Vec<StoredManifest>, StoreError> {
        let now = self.clock.monotonic();
        let mut all: Vec<_> = self
            .manifests
            .lock()
            .iter(now)
            .map(|(service, document, left)| StoredManifest {
                service: service.clone(),
                document: document.clone(),
                expires_in: Some(left),
            })
            .collect();
        all.sort_unstable_by(|a, b| a.service.cmp(&b.service));
        Ok(all)
    }

    async fn changed(&self, seen: Revision) -> Revision {
        loop {
            // Listen first, look second: a change in between wakes this listener.
            let listener = self.manifests.change.listen();
            let current = Revision(self.manifests.revision.load(Ordering::SeqCst));
            if current != seen {
                return current;
            }
            listener.await;
        }
    }
}
