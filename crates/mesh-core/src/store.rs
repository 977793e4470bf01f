//! The ports: facts that a mesh remembers, each atomic, so that one script or one transaction can implement it.

pub mod health;
pub mod idempotency;
pub mod manifest;
pub mod memory;

pub use health::HealthStore;
pub use idempotency::{Begin, IdempotencyStore, Lease};
pub use manifest::{ManifestStore, Replaced, Revision, StoredManifest};
pub use memory::MemoryStore;
#[cfg(feature = "mock")]
pub use {health::MockHealthStore, idempotency::MockIdempotencyStore, manifest::MockManifestStore};

use crate::error::{Origin, Retry};

/// A store could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached, or not in time. Worth another try.
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
    /// It answered, and refused: read-only, out of memory, a value of another type.
    #[error("the store refused: {0}")]
    Refused(String),
}

impl StoreError {
    /// Whose fault it is.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        Origin::Store
    }

    /// Whether to try again.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Unreachable(_) => Retry::Same,
            Self::Refused(_) => Retry::Never,
        }
    }
}
