//! The MAC itself: the package's payload, byte for byte.

use super::Algorithm;

/// Lower-case hex of `HMAC(algorithm, secret, payload)`, where
/// `payload = UPPER_ASCII(method) LF "/" + path without leading "/" LF timestamp LF body`.
///
/// Takes whatever it is given, as the package does: what may be signed is decided by
/// [`Signer`](super::Signer) and [`Verifier`](super::Verifier).
#[must_use]
pub fn mac(
    algorithm: Algorithm,
    secret: &[u8],
    method: &str,
    path: &str,
    timestamp: &str,
    body: &[u8],
) -> String {
    let _ = (algorithm, secret, method, path, timestamp, body);
    todo!()
}
