//! Verifies what came in: the same MAC, the clock's window, in constant time.

use std::time::Duration;

use super::Keyring;
use crate::{
    clock::UnixMillis,
    error::{Code, Origin, Retry},
};

/// Verifies signatures with every secret of a keyring.
#[derive(Clone, Debug)]
pub struct Verifier {
    keyring: Keyring,
    tolerance: Duration,
}

/// The signature headers of a request, each exactly once. Parse with [`Presented::parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented<'a> {
    signature: &'a [u8],
    timestamp: u64,
}

/// Why a request is not verified. The caller's fault; never worth a retry as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// No signature or no timestamp header.
    #[error("missing signature headers")]
    Missing,
    /// A header is doubled or not of its shape.
    #[error("malformed signature headers")]
    Malformed,
    /// The timestamp lies outside the window.
    #[error("timestamp outside the tolerance")]
    OutsideWindow,
    /// No secret makes this signature.
    #[error("signature does not match")]
    Mismatch,
}

impl SignatureError {
    /// Whose fault it is.
    #[must_use]
    pub const fn origin(self) -> Origin {
        Origin::Caller
    }

    /// Whether to try again as it is.
    #[must_use]
    pub const fn retry(self) -> Retry {
        Retry::Never
    }

    /// The refusal's code: [`Code::SignatureMissing`] or [`Code::SignatureInvalid`].
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::Missing => Code::SignatureMissing,
            Self::Malformed | Self::OutsideWindow | Self::Mismatch => Code::SignatureInvalid,
        }
    }
}

impl<'a> Presented<'a> {
    /// Reads the values of `X-Signature` and `X-Timestamp`, each of which stands exactly once: decimal digits
    /// only (at most 19), lower-case hex digits only. Every value of a doubled header is given.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Missing`] when one has no value, [`SignatureError::Malformed`] when one is doubled or misshapen.
    pub fn parse(signatures: &[&'a [u8]], timestamps: &[&'a [u8]]) -> Result<Self, SignatureError> {
        let _ = (signatures, timestamps);
        todo!()
    }
}

impl Verifier {
    /// A verifier with all secrets of `keyring`; timestamps may be `tolerance` off, in both directions, inclusive.
    #[must_use]
    pub const fn new(keyring: Keyring, tolerance: Duration) -> Self {
        Self { keyring, tolerance }
    }

    /// Whether the timestamp lies in the window: what can be said before the body was read.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Malformed`] for a signature that has not the algorithm's length,
    /// [`SignatureError::OutsideWindow`].
    pub fn check_window(&self, presented: &Presented<'_>, now: UnixMillis) -> Result<(), SignatureError> {
        let _ = (presented.timestamp, presented.signature, now, self.tolerance, &self.keyring);
        todo!()
    }

    /// Verifies a whole request. `target` is the request target as it was sent; a MAC over its path as sent or with
    /// trailing slashes trimmed is accepted.
    ///
    /// # Errors
    ///
    /// See [`SignatureError`].
    pub fn verify(
        &self,
        presented: &Presented<'_>,
        method: &str,
        target: &str,
        body: &[u8],
        now: UnixMillis,
    ) -> Result<(), SignatureError> {
        let _ = (presented, method, target, body, now);
        todo!()
    }
}
