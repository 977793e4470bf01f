//! Verifies what came in: the same MAC, the clock's window, in constant time (docs/wire.md, S4 and S6 to S8).
//!
//! Refuses a timestamp that is not decimal digits and a signature that is not lower-case hex.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    Algorithm, Keyring, Signature, mac,
    signer::{sent_path, signed_path},
};
use crate::{
    clock::UnixMillis,
    crypto::{self, Hmac, HmacKey},
    error::{Code, Origin, Retry},
};

/// Source: docs/wire.md, S6; 19 digits always fit 64 bits.
const MAX_TIMESTAMP_DIGITS: usize = 19;

/// Verifies signatures with every secret of a keyring. Cheap to clone; one HMAC key schedule per secret at construction.
#[derive(Clone)]
pub struct Verifier {
    algorithm: Algorithm,
    keys: Arc<[HmacKey]>,
    tolerance: Duration,
}

/// The signature headers of a request, each exactly once. Parse with [`Presented::parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented<'a> {
    signature: &'a [u8],
    timestamp: &'a [u8],
    seconds: u64,
}

/// A verification under way over a body that arrives in parts. Begin it with [`Verifier::begin`].
#[must_use = "nothing is verified before `finish`"]
pub struct Verifying {
    signature: Box<[u8]>,
    contexts: Vec<Hmac>,
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
        let (signature, timestamp) = match (signatures, timestamps) {
            ([], _) | (_, []) => return Err(SignatureError::Missing),
            ([signature], [timestamp]) => (*signature, *timestamp),
            _ => return Err(SignatureError::Malformed),
        };
        if signature.is_empty() || !signature.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(SignatureError::Malformed);
        }
        let seconds = seconds(timestamp).ok_or(SignatureError::Malformed)?;
        Ok(Self { signature, timestamp, seconds })
    }
}

impl Verifier {
    /// A verifier with all secrets of `keyring`; timestamps may be `tolerance` off, in both directions, inclusive.
    /// What is left of `tolerance` below a second is ignored: timestamps are whole seconds.
    #[must_use]
    pub fn new(keyring: Keyring, tolerance: Duration) -> Self {
        let Keyring { algorithm, active, previous } = keyring;
        let secrets = std::iter::once(active).chain(previous);
        let keys = secrets.map(|secret| HmacKey::new(algorithm.hash(), secret.expose())).collect();
        Self { algorithm, keys, tolerance }
    }

    /// Whether the timestamp lies in the window: what can be said before the body was read.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Malformed`] for a signature that has not the algorithm's length,
    /// [`SignatureError::OutsideWindow`].
    pub fn check_window(&self, presented: &Presented<'_>, now: UnixMillis) -> Result<(), SignatureError> {
        if presented.signature.len() != self.algorithm.hex_digits() {
            return Err(SignatureError::Malformed);
        }
        if now.seconds().abs_diff(presented.seconds) > self.tolerance.as_secs() {
            return Err(SignatureError::OutsideWindow);
        }
        Ok(())
    }

    /// Verifies a whole request. `target` is the request target as it was sent; a MAC over its path as sent or with
    /// trailing slashes trimmed is accepted. Tries every secret, whichever matches; allocates nothing.
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
        self.check_window(presented, now)?;
        let contexts = self.contexts(presented, method, target).map(|mut context| {
            context.update(body);
            context
        });
        verdict(contexts, presented.signature)
    }

    /// Begins the verification of a request whose body follows in parts: checks the window, as
    /// [`check_window`](Self::check_window) does, and takes everything but the body. `target` is as for
    /// [`verify`](Self::verify).
    ///
    /// # Errors
    ///
    /// Those of [`check_window`](Self::check_window).
    pub fn begin(
        &self,
        presented: &Presented<'_>,
        method: &str,
        target: &str,
        now: UnixMillis,
    ) -> Result<Verifying, SignatureError> {
        self.check_window(presented, now)?;
        let contexts = self.contexts(presented, method, target).collect();
        Ok(Verifying { signature: presented.signature.into(), contexts })
    }

    /// A MAC for every secret and every reading of the path, without the body.
    fn contexts(&self, presented: &Presented<'_>, method: &str, target: &str) -> impl Iterator<Item = Hmac> {
        let trimmed = signed_path(target);
        let sent = sent_path(target);
        let readings = [Some(trimmed), (sent != trimmed).then_some(sent)];
        readings.into_iter().flatten().flat_map(move |path| {
            self.keys.iter().map(move |key| mac::begin(key, method, path.as_bytes(), presented.timestamp))
        })
    }
}

impl Verifying {
    /// Takes the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        for context in &mut self.contexts {
            context.update(bytes);
        }
    }

    /// Whether the signature holds for all that was taken.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Mismatch`].
    pub fn finish(self) -> Result<(), SignatureError> {
        verdict(self.contexts.into_iter(), &self.signature)
    }
}

/// Compares with every MAC, so that the time taken does not tell which secret matched.
fn verdict(contexts: impl Iterator<Item = Hmac>, signature: &[u8]) -> Result<(), SignatureError> {
    let matched = contexts.fold(false, |matched, context| {
        matched | crypto::equal(Signature::over(context).as_bytes(), signature)
    });
    if matched { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// A timestamp: decimal digits only, at most 19.
pub(super) fn seconds(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > MAX_TIMESTAMP_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Verifier")
            .field("algorithm", &self.algorithm)
            .field("secrets", &self.keys.len())
            .field("tolerance", &self.tolerance)
            .finish()
    }
}

impl fmt::Debug for Verifying {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Verifying(***)")
    }
}

#[cfg(test)]
mod tests;
