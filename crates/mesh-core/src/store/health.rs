//! The port that remembers failures of instances, shared by all who call them.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;

use super::StoreError;
use crate::{clock::UnixMillis, health::HealthRecord, service::Instance};

/// Remembers failures of instances.
///
/// # Contract
///
/// * Of any number of concurrent `add_failure` calls, none is lost.
/// * A record is forgotten `ttl` after its last failure.
/// * What does not parse is no record, never an error.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait HealthStore: Debug + Send + Sync {
    /// Adds one failure at `now`, renews the record's `ttl`, and returns the record. One round trip.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    async fn add_failure(
        &self,
        instance: &Instance,
        now: UnixMillis,
        ttl: Duration,
    ) -> Result<HealthRecord, StoreError>;

    /// Forgets the failures of `instance`; answers whether there were any. One round trip.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    async fn clear(&self, instance: &Instance) -> Result<bool, StoreError>;

    /// The records of `instances`, in their order. One round trip for all.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    async fn read(&self, instances: &[Instance]) -> Result<Vec<Option<HealthRecord>>, StoreError>;
}
