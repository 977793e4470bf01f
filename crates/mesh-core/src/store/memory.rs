//! The ports in memory: for tests, for `mesh dev`, and for a node that shares nothing.

mod expiring;
mod health;
mod idempotency;
mod manifest;

use std::sync::Arc;

use crate::clock::Clock;

/// All ports in the memory of one process. Cloning shares the memory.
///
/// Answers under idempotency keys take at most 64 MiB together: one that finds no room is remembered as done, without its
/// body.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    health: Arc<health::HealthMemory>,
    idempotency: Arc<idempotency::IdempotencyMemory>,
    manifests: Arc<manifest::ManifestMemory>,
}

impl MemoryStore {
    /// An empty store that takes the time from `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, health: Arc::default(), idempotency: Arc::default(), manifests: Arc::default() }
    }
}
