//! The secrets of a node: one signs, all of them verify.

use super::Algorithm;
use crate::secret::Secret;

/// One active secret and the previous ones, which verify only.
#[derive(Clone, Debug)]
pub struct Keyring {
    /// What signatures are made with.
    pub algorithm: Algorithm,
    /// Signs and verifies.
    pub active: Secret,
    /// Verify only, while a rotation lasts.
    pub previous: Vec<Secret>,
}

impl Keyring {
    /// A keyring of one secret with the default algorithm.
    #[must_use]
    pub const fn new(active: Secret) -> Self {
        Self { algorithm: Algorithm::Sha256, active, previous: Vec::new() }
    }
}
