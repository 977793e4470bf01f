//! What the tests of the door share: a clock, a keyring, signed requests, answers as text.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, request::Builder};
use http_body_util::BodyExt;
use mesh_core::{
    clock::Clock,
    secret::Secret,
    signature::{Keyring, Signer, Verifier},
};
use mesh_testkit::clock::ManualClock;

pub(crate) const SECRET: &str = "interop-secret-of-the-mesh";

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::default())
}

pub(crate) fn keyring(secret: &str) -> Keyring {
    Keyring::new(Secret::try_new(secret).unwrap())
}

pub(crate) fn verifier() -> Arc<Verifier> {
    Arc::new(Verifier::new(keyring(SECRET), Duration::from_secs(60)))
}

/// A request of `orders`, signed now with `secret`.
pub(crate) fn signed_with(
    secret: &str,
    clock: &ManualClock,
    method: &str,
    target: &str,
    body: &str,
) -> Builder {
    let seconds = clock.unix().seconds();
    let signature = Signer::new(&keyring(secret)).sign(method, target, seconds, body.as_bytes());
    Request::builder()
        .method(method)
        .uri(target)
        .header("X-Service-Name", "orders")
        .header("X-Timestamp", seconds)
        .header("X-Signature", signature.as_str())
}

/// A request of `orders`, signed now.
pub(crate) fn signed(clock: &ManualClock, method: &str, target: &str, body: &'static str) -> Request<Body> {
    signed_with(SECRET, clock, method, target, body).body(Body::from(body)).unwrap()
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Read {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
