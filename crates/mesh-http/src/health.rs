//! Whether a service lives, and whether it wants work.
//!
//! ```
//! use mesh_http::health::{Readiness, health_endpoint};
//!
//! let readiness = Readiness::new(false);
//! let app: axum::Router = axum::Router::new().merge(health_endpoint(readiness.clone()));
//! readiness.set(true); // once connections are open; false again while draining
//! ```

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{Router, response::IntoResponse, response::Response, routing::get};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};

/// Where a service says that it lives. Source: docs/wire.md and the gateway's admin listener: the same paths.
pub const HEALTH_PATH: &str = "/microservice/health";

/// Whether a service wants work. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Ready or not, to begin with.
    #[must_use]
    pub fn new(ready: bool) -> Self {
        Self(Arc::new(AtomicBool::new(ready)))
    }

    /// Ready from now on, or not.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    /// Whether it wants work.
    #[must_use]
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// `GET /microservice/health` and `/microservice/health/live`: 200 `{"status":"ok"}` while the process runs;
/// `/microservice/health/ready`: the same, or 503 `{"status":"not ready"}`. Unsigned: says nothing else.
pub fn health_endpoint(readiness: Readiness) -> Router {
    let live = || async { answer(true) };
    let ready = move || async move { answer(readiness.get()) };
    Router::new()
        .route(HEALTH_PATH, get(live))
        .route(&format!("{HEALTH_PATH}/live"), get(live))
        .route(&format!("{HEALTH_PATH}/ready"), get(ready))
}

fn answer(ok: bool) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    match ok {
        true => (headers, r#"{"status":"ok"}"#).into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, headers, r#"{"status":"not ready"}"#).into_response(),
    }
}
