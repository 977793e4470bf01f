//! The MAC itself: the package's payload, byte for byte (docs/wire.md, S1, S2 and S9).

use super::Algorithm;
use crate::crypto::{Hmac, HmacKey};

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
    path: &(impl AsRef<[u8]> + ?Sized),
    timestamp: &str,
    body: &[u8],
) -> String {
    let mut hmac =
        begin(&HmacKey::new(algorithm.hash(), secret), method, path.as_ref(), timestamp.as_bytes());
    hmac.update(body);
    hex::encode(hmac.finish())
}

/// The MAC after everything but the body. Allocates nothing.
pub(super) fn begin(key: &HmacKey, method: &str, path: &[u8], timestamp: &[u8]) -> Hmac {
    let mut hmac = key.begin();
    let path = &path[leading_slashes(path)..];
    let mut whole = [0; WHOLE];
    let parts = [method.as_bytes(), b"\n/", path, b"\n", timestamp, b"\n"];
    if parts.iter().map(|part| part.len()).sum::<usize>() > WHOLE {
        update_upper(&mut hmac, method.as_bytes());
        parts[1..].iter().for_each(|part| hmac.update(part));
        return hmac;
    }
    let mut length = 0;
    for part in parts {
        whole[length..length + part.len()].copy_from_slice(part);
        length += part.len();
    }
    whole[..method.len()].make_ascii_uppercase();
    hmac.update(&whole[..length]);
    hmac
}

/// What of a payload is hashed at once: most of them up to the body.
const WHOLE: usize = 256;

/// How many `/` stand in front.
pub(super) fn leading_slashes(path: &[u8]) -> usize {
    path.iter().take_while(|byte| **byte == b'/').count()
}

fn update_upper(hmac: &mut Hmac, method: &[u8]) {
    if !method.iter().any(u8::is_ascii_lowercase) {
        return hmac.update(method);
    }
    for part in method.chunks(32) {
        let mut upper = [0; 32];
        let upper = &mut upper[..part.len()];
        upper.copy_from_slice(part);
        upper.make_ascii_uppercase();
        hmac.update(upper);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"interop-secret";

    fn of(method: &str, path: &str, timestamp: &str) -> String {
        mac(Algorithm::Sha256, SECRET, method, path, timestamp, b"{}")
    }

    /// What the payload says, put together in the plainest way there is.
    fn plain(payload: &str) -> String {
        let mut hmac = HmacKey::new(Algorithm::Sha256.hash(), SECRET).begin();
        hmac.update(payload.as_bytes());
        hex::encode(hmac.finish())
    }

    #[test]
    fn the_method_is_upper_cased_in_ascii_alone() {
        assert_eq!(of("pAtCh", "/a", "1"), plain("PATCH\n/a\n1\n{}"));
        assert_eq!(of("gét", "/a", "1"), plain("GéT\n/a\n1\n{}"));
        assert_eq!(of("", "/a", "1"), plain("\n/a\n1\n{}"));
        let long = "propfind-".repeat(9);
        assert_eq!(of(&long, "/a", "1"), plain(&format!("{}\n/a\n1\n{{}}", long.to_uppercase())));
    }

    #[test]
    fn every_leading_slash_becomes_one() {
        for path in ["a/", "/a/", "////a/"] {
            assert_eq!(of("GET", path, "1"), plain("GET\n/a/\n1\n{}"), "{path}");
        }
        for path in ["", "/", "////"] {
            assert_eq!(of("GET", path, "1"), plain("GET\n/\n1\n{}"), "{path:?}");
        }
    }

    #[test]
    fn the_length_of_the_digits_is_the_algorithms() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            assert_eq!(mac(algorithm, b"", "GET", "/", "1", b"").len(), algorithm.hex_digits());
        }
    }
}
