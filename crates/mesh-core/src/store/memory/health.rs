//! The health port in memory.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use super::{MemoryStore, expiring::Expiring};
use crate::{
    clock::UnixMillis,
    health::HealthRecord,
    service::Instance,
    store::{HealthStore, StoreError},
};

#[derive(Debug, Default)]
pub(super) struct HealthMemory(Mutex<Expiring<Instance, HealthRecord>>);

impl HealthMemory {
    fn lock(&self) -> MutexGuard<'_, Expiring<Instance, HealthRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl HealthStore for MemoryStore {
    async fn add_failure(
        &self,
        instance: &Instance,
        now: UnixMillis,
        ttl: Duration,
    ) -> Result<HealthRecord, StoreError> {
        let tick = self.clock.monotonic();
        let mut records = self.health.lock();
        let before = records.get(instance, tick).map_or(0, |(record, _)| record.failures);
        let record = HealthRecord { failures: before.saturating_add(1), last_failure: now.seconds() };
        records.insert(instance.clone(), record, tick, ttl);
        Ok(record)
    }

    async fn clear(&self, instance: &Instance) -> Result<bool, StoreError> {
        Ok(self.health.lock().remove(instance, self.clock.monotonic()).is_some())
    }

    async fn read(&self, instances: &[Instance]) -> Result<Vec<Option<HealthRecord>>, StoreError> {
        let tick = self.clock.monotonic();
        let records = self.health.lock();
        Ok(instances.iter().map(|instance| records.get(instance, tick).map(|(record, _)| *record)).collect())
    }
}
