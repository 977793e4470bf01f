//! The port that remembers manifests until they expire, and tells when any has changed.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use super::StoreError;
use crate::name::ServiceName;

/// A manifest document as stored. Not parsed: one that does not parse must not hide the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredManifest {
    /// The service it is stored under.
    pub service: ServiceName,
    /// The JSON document.
    pub document: Bytes,
    /// How long it is still kept; absent: without end.
    pub expires_in: Option<Duration>,
}

/// What became of a document that was to replace another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// It is stored.
    Stored,
    /// Somebody else stored another document in between: read and judge again.
    Changed,
}

/// Counts changes of a store as one process saw them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// Remembers manifests.
///
/// # Contract
///
/// * `put` and `replace` store document, expiry and membership at once, and wake everybody in `changed`.
/// * Of two concurrent `replace` calls that expect the same document, exactly one returns [`Replaced::Stored`]
///   (unless both store what is expected already).
/// * A manifest is forgotten `ttl` after it was stored.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ManifestStore: Debug + Send + Sync {
    /// Stores `document` for `ttl`, whatever was there. One round trip.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    async fn put(&self, service: &ServiceName, document: Bytes, ttl: Duration) -> Result<(), StoreError>;

    /// Stores `document` for `ttl` if the stored document is `expected` (`None`: none is stored). One round trip.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    async fn replace(
        &self,
        service: &ServiceName,
        expected: Option<Bytes>,
        document: Bytes,
        ttl: Duration,
    ) -> Result<Replaced, StoreError>;

    /// The document of one service. One round trip.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    async fn get(&self, service: &ServiceName) -> Result<Option<StoredManifest>, StoreError>;

    /// All documents, by service name. A bounded number of round trips, whatever the number of services.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    async fn all(&self) -> Result<Vec<StoredManifest>, StoreError>;

    /// Waits until a manifest may have changed since `seen`, and returns the revision to wait for next. Returns at once
    /// when it missed something (as after a lost connection); may return without a change; never fails.
    async fn changed(&self, seen: Revision) -> Revision;
}
