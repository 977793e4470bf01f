//! Signs requests as they go on the wire.

use std::fmt;

use super::{Algorithm, Keyring};
use crate::crypto::{Hmac, HmacKey};

/// Makes signatures with the active secret. Cheap to clone; one HMAC key schedule at construction.
#[derive(Clone)]
pub struct Signer {
    algorithm: Algorithm,
    key: HmacKey,
}

/// A finished signature: lower-case hex digits, ready for the header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    digits: [u8; 128],
    length: usize,
}

/// A signature under way over a body that arrives in parts.
pub struct Signing {
    context: Hmac,
}

impl Signer {
    /// A signer with the keyring's active secret.
    #[must_use]
    pub fn new(keyring: &Keyring) -> Self {
        let _ = keyring;
        todo!()
    }

    /// Signs a whole request.
    ///
    /// `target` is the request target exactly as it goes on the wire (`/path?query`, encoded, path prefix of the
    /// base URL included); its query is left out and trailing slashes are trimmed, as a receiver of the package
    /// does. `timestamp` is Unix seconds.
    #[must_use]
    pub fn sign(&self, method: &str, target: &str, timestamp: u64, body: &[u8]) -> Signature {
        let mut signing = self.begin(method, target, timestamp);
        signing.update(body);
        signing.finish()
    }

    /// Begins a signature whose body follows in parts.
    #[must_use]
    pub fn begin(&self, method: &str, target: &str, timestamp: u64) -> Signing {
        let _ = (method, target, timestamp, self.algorithm, &self.key);
        todo!()
    }
}

impl Signing {
    /// Takes the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    /// The signature over all that was taken.
    #[must_use]
    pub fn finish(self) -> Signature {
        todo!()
    }
}

impl Signature {
    /// The hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[..self.length]).unwrap_or_default()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signer").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Signature(***)")
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Signing(***)")
    }
}

/// The path that is signed for `target`: without query, trailing slashes trimmed, at least `/`.
#[must_use]
pub fn signed_path(target: &str) -> &str {
    let _ = target;
    todo!()
}
