//! A request that is sent twice runs once: docs/refusals.md, rows 79 to 90, and docs/wire.md, Idempotency.

mod compat;
mod keys;
mod replay;
mod running;
mod store_down;
mod stores;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Extension, Router,
    body::Body,
    response::{IntoResponse, Response},
    routing::any,
};
use bytes::Bytes;
use http::Request;
use mesh_core::{clock::SystemClock, name::ServiceName, store::MemoryStore};
use mesh_http::{
    Caller,
    caller::Proof,
    idempotency::{Idempotency, IdempotencyLayer},
};
use tower::ServiceExt;

use super::support::Read;

const IN_FLIGHT: &str = r#"{"message":"Request is already being processed.","code":"idempotency.in_flight"}"#;

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Arc::new(SystemClock)))
}

fn layer() -> IdempotencyLayer {
    Idempotency::layer(memory())
}

fn caller(name: &str) -> Extension<Caller> {
    Extension(Caller::new(ServiceName::parse(name).unwrap(), Proof::V1))
}

/// A service behind the layer, called by `orders`, and how often its handler ran.
struct Counted {
    app: Router,
    runs: Arc<AtomicUsize>,
}

impl Counted {
    /// Answers 201 with the number of the run and the body.
    fn new(layer: IdempotencyLayer) -> Self {
        Self::answering(layer, |run, body| {
            (http::StatusCode::CREATED, [("x-run", run.to_string())], body).into_response()
        })
    }

    fn answering(
        layer: IdempotencyLayer,
        answer: impl Fn(usize, Bytes) -> Response + Clone + Send + Sync + 'static,
    ) -> Self {
        let runs = Arc::new(AtomicUsize::new(0));
        let counter = runs.clone();
        let handler =
            move |body: Bytes| async move { answer(counter.fetch_add(1, Ordering::SeqCst) + 1, body) };
        let app = Router::new().fallback(any(handler)).layer(layer).layer(caller("orders"));
        Self { app, runs }
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    async fn ask(&self, request: Request<Body>) -> Read {
        ask(&self.app, request).await
    }
}

async fn ask(app: &Router, request: Request<Body>) -> Read {
    Read::of(app.clone().oneshot(request).await.unwrap()).await
}

fn keyed(method: &str, uri: &str, key: &str, body: &'static str) -> Request<Body> {
    Request::builder().method(method).uri(uri).header("Idempotency-Key", key).body(Body::from(body)).unwrap()
}

fn post(key: &str) -> Request<Body> {
    keyed("POST", "/orders?a=1", key, "body")
}

fn is_hit(read: &Read) -> bool {
    read.header("x-idempotency-cache-hit") == Some("true")
}

#[track_caller]
fn check_refused(read: &Read, status: u16, code: &str) {
    assert_eq!(read.status, status, "{}", read.text());
    let ending = format!(r#","code":"{code}"}}"#);
    assert!(read.text().ends_with(&ending), "{}", read.text());
    assert_eq!(read.header("cache-control"), Some("no-store"));
}
