//! Whether a service lives, and whether it wants work.

use axum::{Router, body::Body};
use http::Request;
use mesh_http::health::{Readiness, health_endpoint};
use tower::ServiceExt;

use super::support::Read;

async fn check(app: &Router, path: &str, status: u16, body: &str) {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let read = Read::of(app.clone().oneshot(request).await.unwrap()).await;
    assert_eq!((read.status, read.text()), (status, body), "{path}");
}

#[tokio::test]
async fn a_service_lives_while_it_runs_and_is_ready_when_it_says_so() {
    let readiness = Readiness::new(false);
    let app = health_endpoint(readiness.clone());
    check(&app, "/microservice/health", 200, r#"{"status":"ok"}"#).await;
    check(&app, "/microservice/health/live", 200, r#"{"status":"ok"}"#).await;
    check(&app, "/microservice/health/ready", 503, r#"{"status":"not ready"}"#).await;
    readiness.set(true);
    check(&app, "/microservice/health/ready", 200, r#"{"status":"ok"}"#).await;
}
