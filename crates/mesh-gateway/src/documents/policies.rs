//! Which numbers apply to a call on a route: by the settings, its service's manifest and its own metadata.

use mesh_core::{
    retry::RetryMethods,
    route::{Manifest, Route, manifest::RouteIdempotency},
    service::Service,
};
use serde_json::{Value, json};

use crate::settings::GatewaySettings;

/// `{"attempt_timeout","deadline","retries","retry_delay","retry_methods","protocol","request_bodies","body_limit",
/// "idempotency","failure_threshold","recovery_timeout"}`: seconds, but the delay in milliseconds and the limit in bytes,
/// which is null where bodies are streamed.
pub(super) fn policies(settings: &GatewaySettings, manifest: &Manifest, route: &Route) -> Value {
    let configured = settings.service(&manifest.service);
    // What is configured wins whole: over the manifest, never over the route.
    let of_service = configured.and_then(|service| service.timeout).or(manifest.timeout);
    let timeout = route.timeout().or(of_service).unwrap_or(settings.timeout);
    let retries = configured.and_then(|service| service.retries).unwrap_or(settings.retry.retries);
    let deadline = settings.deadline.unwrap_or(timeout.saturating_mul(3));
    let retry_methods = match settings.retry.methods {
        RetryMethods::Idempotent => "idempotent",
        RetryMethods::All => "all",
    };
    let idempotency = route.idempotency().map(|asked| match asked {
        RouteIdempotency::Optional => "optional",
        RouteIdempotency::Required => "required",
    });
    let (protocol, request_bodies) =
        configured.map_or_else(Default::default, |service| (service.protocol, service.request_bodies));
    let is_streamed = configured.is_some_and(Service::streams_requests);
    let body_limit = (!is_streamed).then(|| route.body_limit().unwrap_or(settings.body_limit));
    json!({
        "attempt_timeout": timeout.as_secs_f64(),
        "deadline": deadline.as_secs_f64(),
        "retries": retries,
        "retry_delay": settings.retry.retry_delay.as_secs_f64() * 1_000.0,
        "retry_methods": retry_methods,
        "protocol": protocol.as_str(),
        "request_bodies": request_bodies.as_str(),
        "body_limit": body_limit,
        "idempotency": idempotency,
        "failure_threshold": settings.health.failure_threshold(),
        "recovery_timeout": settings.health.recovery_timeout().as_secs_f64(),
    })
}
