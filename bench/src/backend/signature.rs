//! The checking mode: whether a request is signed as docs/wire.md says.
//!
//! Written from the document and not on mesh-core: what is measured does not check itself.

use ring::hmac;

use super::request::{Field, Request};
use crate::clock;

/// Source: docs/wire.md, Signature v1; the gateway's default.
const TOLERANCE_SECONDS: u64 = 60;

/// Knows the secret.
#[derive(Debug)]
pub(super) struct Checker(hmac::Key);

impl Checker {
    /// For HMAC-SHA256 under `secret`.
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Whether `request` is signed, now, by somebody with a name.
    ///
    /// # Errors
    ///
    /// The text of the refusal.
    pub(super) fn check(&self, request: &Request<'_>) -> Result<(), &'static str> {
        self.check_at(request, clock::unix_seconds())
    }

    fn check_at(&self, request: &Request<'_>, now: u64) -> Result<(), &'static str> {
        let (Field::Once(signature), Field::Once(timestamp)) = (request.signature, request.timestamp) else {
            return Err("Missing signature headers.");
        };
        if !matches!(request.service, Field::Once(name) if !name.is_empty()) {
            return Err("Missing service name header.");
        }
        let then = std::str::from_utf8(timestamp).ok().and_then(|text| text.parse::<u64>().ok());
        let in_time = then.is_some_and(|then| now.abs_diff(then) <= TOLERANCE_SECONDS);
        // Whoever can be here already sits on the machine that runs the benchmark: no constant time.
        match in_time && self.mac(request, timestamp).as_bytes() == signature {
            true => Ok(()),
            false => Err("Invalid signature or timestamp."),
        }
    }

    /// Lower-case hex over method, path, timestamp and body.
    fn mac(&self, request: &Request<'_>, timestamp: &[u8]) -> String {
        let path = request.target.split('?').next().unwrap_or_default();
        let mut context = hmac::Context::with_key(&self.0);
        context.update(request.method.as_bytes());
        context.update(b"\n/");
        context.update(path.trim_matches('/').as_bytes());
        context.update(b"\n");
        context.update(timestamp);
        context.update(b"\n");
        context.update(request.body);
        hex::encode(context.sign())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From tests/vectors/signing.json, made by the PHP package: secret `interop-secret`, time 1700000000.
    const PLAIN_GET: &[u8] = b"759d3f55dc280cd0d9b9c438319a7717c1fd010ba932b55da3aa0fe05d834f12";

    fn signed(target: &str) -> Request<'_> {
        Request {
            method: "GET",
            target,
            signature: Field::Once(PLAIN_GET),
            timestamp: Field::Once(b"1700000000"),
            service: Field::Once(b"gateway"),
            ..Request::default()
        }
    }

    #[track_caller]
    fn check(request: &Request<'_>, now: u64, expected: Result<(), &str>) {
        assert_eq!(Checker::new(b"interop-secret").check_at(request, now), expected);
    }

    #[test]
    fn the_signature_of_the_php_package_passes_within_the_tolerance() {
        for now in [1_699_999_940, 1_700_000_000, 1_700_000_060] {
            check(&signed("/api/orders"), now, Ok(()));
            check(&signed("/api/orders/?a=/b/"), now, Ok(()));
        }
        check(&signed("/api/orders"), 1_700_000_061, Err("Invalid signature or timestamp."));
    }

    #[test]
    fn another_path_method_or_body_is_refused() {
        let refused = Err("Invalid signature or timestamp.");
        check(&signed("/api/order"), 1_700_000_000, refused);
        check(&Request { method: "POST", ..signed("/api/orders") }, 1_700_000_000, refused);
        check(&Request { body: b"a", ..signed("/api/orders") }, 1_700_000_000, refused);
    }

    #[test]
    fn a_missing_field_has_its_own_text() {
        let unsigned = Request { signature: Field::Absent, ..signed("/api/orders") };
        check(&unsigned, 1_700_000_000, Err("Missing signature headers."));
        let doubled = Request { timestamp: Field::Doubled, ..signed("/api/orders") };
        check(&doubled, 1_700_000_000, Err("Missing signature headers."));
        let nameless = Request { service: Field::Once(b""), ..signed("/api/orders") };
        check(&nameless, 1_700_000_000, Err("Missing service name header."));
    }
}
