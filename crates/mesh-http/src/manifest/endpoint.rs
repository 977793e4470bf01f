//! Where a service tells its manifest to whoever holds the secret.

use std::sync::Arc;

use axum::{Router, response::IntoResponse, routing::get};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use mesh_core::{
    clock::{Clock, SystemClock},
    route::{Manifest, wire::MANIFEST_PATH},
    signature::Verifier,
};

use crate::verify::TrustGateway;

/// `GET /microservice/manifest` behind [`TrustGateway`]: the document with the moment of the answer as its timestamp,
/// as the package makes it. Merge it into the service's router.
pub fn manifest_endpoint(manifest: Manifest, verifier: impl Into<Arc<Verifier>>) -> Router {
    endpoint(Arc::new(manifest), verifier.into(), Arc::new(SystemClock))
}

fn endpoint(manifest: Arc<Manifest>, verifier: Arc<Verifier>, clock: Arc<dyn Clock>) -> Router {
    let door = TrustGateway::layer(verifier).clock(clock.clone());
    let answer = move || async move {
        let manifest = Manifest::clone(&manifest).made_at(clock.unix());
        let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
        (headers, manifest.to_json()).into_response()
    };
    Router::new().route(MANIFEST_PATH, get(answer).layer(door))
}
