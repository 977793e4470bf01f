//! The port that remembers which requests ran, and what was answered.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;

use super::StoreError;
use crate::idempotency::{Answer, Fingerprint, IdempotencyKey};

/// The right to run one request. Whoever holds it renews it, completes it or releases it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The key that is claimed.
    pub key: IdempotencyKey,
    /// Tells this claim from all others of the key; of a key of [`IdempotencyKey::compat`] stores need not look at it.
    pub owner: [u8; 16],
}

/// What the store says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Nobody had it: it is claimed now.
    Fresh(Lease),
    /// Somebody holds it.
    InFlight,
    /// It was answered; without the request's fingerprint under a key of [`IdempotencyKey::compat`].
    Answered(Option<Fingerprint>, Answer),
    /// There is an entry that cannot be read: never executed again.
    Unreadable,
}

/// Remembers which requests ran.
///
/// # Contract
///
/// * Of any number of concurrent `begin` calls with one key, exactly one returns [`Begin::Fresh`].
/// * `renew`, `complete` and `release` do nothing, and answer `false`, when the lease is no longer the key's current one.
/// * A lease that is not renewed ends `lease_for` after its claim or last renewal; an answer `ttl` after it was stored.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait IdempotencyStore: Debug + Send + Sync {
    /// Claims `key` for `lease_for` with the random `owner`, unless it is claimed or answered. One round trip.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    async fn begin(
        &self,
        key: &IdempotencyKey,
        owner: [u8; 16],
        lease_for: Duration,
    ) -> Result<Begin, StoreError>;

    /// Lets the lease last `lease_for` from now. One round trip.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    async fn renew(&self, lease: &Lease, lease_for: Duration) -> Result<bool, StoreError>;

    /// Stores the answer for `ttl` and ends the lease. One round trip.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    async fn complete(
        &self,
        lease: &Lease,
        fingerprint: &Fingerprint,
        answer: &Answer,
        ttl: Duration,
    ) -> Result<bool, StoreError>;

    /// Ends the lease without an answer: the next request runs. One round trip.
    ///
    /// # Errors
    ///
    /// When the store cannot be reached or refuses.
    async fn release(&self, lease: &Lease) -> Result<bool, StoreError>;
}
