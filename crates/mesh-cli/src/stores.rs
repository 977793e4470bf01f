//! Which store remembers: Redis where `[redis]` is set, else the memory of this process.

use std::sync::Arc;

use mesh_core::{
    clock::SystemClock,
    store::{HealthStore, IdempotencyStore, ManifestStore, MemoryStore},
};
use mesh_redis::RedisStore;

use crate::{exit::Failure, settings::Settings};

/// The ports that the commands need.
#[derive(Clone, Debug)]
pub(crate) struct Stores {
    pub(crate) health: Arc<dyn HealthStore>,
    pub(crate) manifests: Arc<dyn ManifestStore>,
    pub(crate) idempotency: Arc<dyn IdempotencyStore>,
}

impl Stores {
    /// The memory of this process.
    pub(crate) fn memory() -> Self {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        Self { health: store.clone(), manifests: store.clone(), idempotency: store }
    }

    /// As the settings say. Does not connect yet.
    ///
    /// # Errors
    ///
    /// When the URL of Redis cannot be used.
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, Failure> {
        match &settings.redis {
            None => Ok(Self::memory()),
            Some(redis) => {
                let store = RedisStore::connect(&redis.url, &redis.prefix)
                    .map_err(|error| Failure::usage(format!("redis.url: {error}")))?;
                let store = Arc::new(store);
                Ok(Self { health: store.clone(), manifests: store.clone(), idempotency: store })
            }
        }
    }
}
