//! Signs requests as they go on the wire.

use std::fmt;

use super::{
    Algorithm, Keyring,
    mac::{self, leading_slashes},
};
use crate::{
    crypto::{Hmac, HmacKey},
    percent::write_lower_hex,
};

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
        let algorithm = keyring.algorithm;
        Self { algorithm, key: HmacKey::new(algorithm.hash(), keyring.active.expose()) }
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

    /// Begins a signature whose body follows in parts. Allocates nothing.
    #[must_use]
    pub fn begin(&self, method: &str, target: &str, timestamp: u64) -> Signing {
        let mut buffer = itoa::Buffer::new();
        let timestamp = buffer.format(timestamp).as_bytes();
        Signing { context: mac::begin(&self.key, method, signed_path(target).as_bytes(), timestamp) }
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
        Signature::over(self.context)
    }
}

impl Signature {
    pub(super) fn over(context: Hmac) -> Self {
        let tag = context.finish();
        let mut digits = [0; 128];
        write_lower_hex(&mut digits, tag.as_ref());
        Self { digits, length: tag.as_ref().len() * 2 }
    }

    /// The hex digits, as they go into the header.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    /// The hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
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

/// The path that is signed for `target`: without query, leading slashes as one, trailing slashes trimmed, at least `/`
/// (docs/wire.md, S2 and S3).
///
/// A target without a leading `/`, which no request line has, comes back without one; the MAC puts it in front.
#[must_use]
pub fn signed_path(target: &str) -> &str {
    match sent_path(target).trim_end_matches('/') {
        "" => "/",
        path => path,
    }
}

/// The path of `target` as it was sent: without query, leading slashes as one.
pub(super) fn sent_path(target: &str) -> &str {
    let ends = target.bytes().position(|byte| byte == b'?').unwrap_or(target.len());
    let path = &target[..ends];
    &path[leading_slashes(path.as_bytes()).saturating_sub(1)..]
}

#[cfg(test)]
mod tests {
    use super::{super::mac::mac, *};
    use crate::secret::Secret;

    const SECRET: &str = "a secret of 24 bytes ...";

    fn signer(algorithm: Algorithm) -> Signer {
        let active = Secret::try_new(SECRET).unwrap();
        Signer::new(&Keyring { algorithm, ..Keyring::new(active) })
    }

    #[track_caller]
    fn check(target: &str, path: &str) {
        assert_eq!(signed_path(target), path, "{target}");
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            let expected = mac(algorithm, SECRET.as_bytes(), "PUT", path, "1700000000", b"body");
            assert_eq!(signer(algorithm).sign("put", target, 1_700_000_000, b"body").as_str(), expected);
        }
    }

    #[test]
    fn the_path_is_signed_as_a_receiver_of_the_package_reads_it() {
        check("/api/orders", "/api/orders");
        check("/api/orders/", "/api/orders");
        check("/api/orders///?a=/", "/api/orders");
        check("/api/orders?", "/api/orders");
        check("/", "/");
        check("//", "/");
        check("?a=1", "/");
        check("", "/");
        check("//api//a%2Fb/%c3%bc", "/api//a%2Fb/%c3%bc");
    }

    #[test]
    fn a_body_in_parts_signs_as_the_whole() {
        let signer = signer(Algorithm::Sha256);
        let mut signing = signer.begin("POST", "/a", 0);
        signing.update(b"one ");
        signing.update(b"");
        signing.update(b"two");
        assert_eq!(signing.finish(), signer.sign("POST", "/a", 0, b"one two"));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let signer = signer(Algorithm::Sha256);
        let text =
            format!("{signer:?} {:?} {:?}", signer.begin("GET", "/", 1), signer.sign("GET", "/", 1, b""));
        assert_eq!(text, "Signer { algorithm: Sha256, .. } Signing(***) Signature(***)");
    }
}
