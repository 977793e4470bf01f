//! The admin listener: for machines that watch, and for people.

mod page;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderValue, Method, StatusCode, header::CACHE_CONTROL, header::CONTENT_TYPE},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use mesh_core::{error::Code, event::Event, health::BreakerState};
use serde::Deserialize;
use serde_json::json;
use tower_http::{catch_panic::CatchPanicLayer, set_header::SetResponseHeaderLayer};

use crate::{
    documents::{self, InstanceRow, Verdict},
    error::Refusal,
    gateway::{Gateway, Shared},
    metrics,
};

/// The media type of Prometheus text.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Admin = State<Arc<Shared>>;

/// The routes of the admin listener.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(gateway: &Gateway) -> Router<S> {
    Router::new()
        .route("/", get(page))
        .route("/microservice/health", get(health))
        .route("/microservice/health/live", get(live))
        .route("/microservice/health/ready", get(ready))
        .route("/microservice/metrics", get(figures))
        .route("/admin/routes", get(routes))
        .route("/admin/explain", get(explain))
        .route("/admin/instances", get(instances))
        .fallback(async || refused(Refusal::new(Code::RouteNotFound, "no such page")))
        .method_not_allowed_fallback(async || {
            let refusal = Refusal::new(Code::MethodNotAllowed, "the admin listener is for reading");
            refused(refusal.allowing(&[Method::GET, Method::HEAD]))
        })
        .with_state(Arc::clone(gateway.shared()))
        .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(CatchPanicLayer::new())
}

async fn page(State(shared): Admin) -> Html<String> {
    Html(page::render(&shared, &rows(&shared)))
}

async fn health(State(shared): Admin) -> Response {
    let rows = rows(&shared);
    for row in rows.iter().filter(|row| row.status != BreakerState::Closed) {
        shared.sink.emit(Event::HealthCheckFailed {
            service: row.service.clone(),
            url: row.url.clone(),
            failures: row.failures,
        });
    }
    let store_is_up = shared.metrics.store_is_up();
    let status = match documents::verdict(&rows, store_is_up) {
        Verdict::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        Verdict::Healthy | Verdict::Degraded => StatusCode::OK,
    };
    fresh(status, documents::report(&rows, store_is_up))
}

async fn live() -> Response {
    fresh(StatusCode::OK, json!({ "status": "live" }))
}

async fn ready(State(shared): Admin) -> Response {
    if shared.is_ready() {
        fresh(StatusCode::OK, json!({ "status": "ready" }))
    } else {
        fresh(StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "not ready" }))
    }
}

async fn figures(State(shared): Admin) -> Response {
    match metrics::encode(&shared) {
        Ok(text) => ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn routes(State(shared): Admin) -> Response {
    fresh(StatusCode::OK, documents::routes(&shared.snapshot.load().table, None))
}

async fn instances(State(shared): Admin) -> Response {
    fresh(StatusCode::OK, documents::health(&rows(&shared)))
}

#[derive(Deserialize)]
struct Asked {
    method: String,
    path: String,
}

async fn explain(State(shared): Admin, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let asked = match asked {
        Ok(Query(asked)) => asked,
        Err(rejection) => return refused(Refusal::new(Code::BadFraming, rejection.body_text())),
    };
    let Ok(method) = asked.method.parse::<Method>() else {
        return refused(Refusal::new(Code::BadFraming, "that is no method"));
    };
    let snapshot = shared.snapshot.load();
    let quarantined = snapshot.quarantined.iter().map(|(service, reason)| (service, reason.as_str()));
    let explanation = documents::explain(&snapshot.table, &rows(&shared), &method, &asked.path)
        .with_quarantined(quarantined)
        .with_policies(&snapshot.reloadable.settings, &snapshot.manifests);
    fresh(StatusCode::OK, explanation.document)
}

/// A refusal in the gateway's shape. It is none of the street's: no metric counts it.
fn refused(refusal: Refusal) -> Response {
    refusal.into_response().map(axum::body::Body::new)
}

fn fresh(status: StatusCode, document: serde_json::Value) -> Response {
    (status, Json(document)).into_response()
}

/// Every instance as this process sees it, by service name.
fn rows(shared: &Shared) -> Vec<InstanceRow> {
    let (now, unix) = (shared.clock.monotonic(), shared.clock.unix());
    let snapshot = shared.snapshot.load();
    let mut rows = Vec::new();
    for (name, service) in &snapshot.services {
        for view in service.view.instances() {
            let (failures, last) = view.failures();
            let last_failure =
                (failures > 0).then(|| unix.seconds().saturating_sub(now.since(last).as_secs()));
            rows.push(InstanceRow {
                service: name.clone(),
                url: view.instance().url.clone(),
                failures,
                last_failure,
                status: view.state(&shared.health, now),
            });
        }
    }
    rows
}
