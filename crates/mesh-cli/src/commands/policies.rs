//! Which numbers apply to a call on a route: by these settings, its service's manifest and its own metadata.

use mesh_core::{
    retry::RetryMethods,
    route::{Manifest, Route, manifest::RouteIdempotency},
};
use serde_json::{Value, json};

use crate::settings::Settings;

/// `{"attempt_timeout","deadline","retries","retry_delay","retry_methods","body_limit","idempotency",
/// "failure_threshold","recovery_timeout"}`: seconds, but the delay in milliseconds and the limit in bytes.
pub(crate) fn document(settings: &Settings, manifest: &Manifest, route: &Route) -> Value {
    let configured = settings.services.iter().find(|service| service.name == manifest.service);
    // What is configured wins whole: over the manifest, never over the route.
    let of_service = configured.and_then(|service| service.timeout).or(manifest.timeout);
    let timeout = route.timeout().or(of_service).unwrap_or(settings.defaults.timeout);
    let retries = configured.and_then(|service| service.retries).unwrap_or(settings.defaults.retry.retries);
    let deadline = settings.defaults.deadline.unwrap_or(timeout.saturating_mul(3));
    let retry_methods = match settings.defaults.retry.methods {
        RetryMethods::Idempotent => "idempotent",
        RetryMethods::All => "all",
    };
    let idempotency = route.idempotency().map(|asked| match asked {
        RouteIdempotency::Optional => "optional",
        RouteIdempotency::Required => "required",
    });
    json!({
        "attempt_timeout": timeout.as_secs_f64(),
        "deadline": deadline.as_secs_f64(),
        "retries": retries,
        "retry_delay": settings.defaults.retry.retry_delay.as_secs_f64() * 1_000.0,
        "retry_methods": retry_methods,
        "body_limit": route.body_limit().unwrap_or(settings.gateway.body_limit),
        "idempotency": idempotency,
        "failure_threshold": settings.health.failure_threshold(),
        "recovery_timeout": settings.health.recovery_timeout().as_secs_f64(),
    })
}

/// The same, in words.
pub(crate) fn lines(policies: &Value) -> Vec<String> {
    let of = |key: &str| policies[key].to_string().trim_end_matches(".0").to_owned();
    let mut lines = vec![
        format!(
            "{} s for one attempt, {} further attempts per instance, {} s for the whole call",
            of("attempt_timeout"),
            of("retries"),
            of("deadline")
        ),
        format!("a body of at most {} bytes", of("body_limit")),
        format!(
            "an instance is unhealthy after {} failures, for {} s",
            of("failure_threshold"),
            of("recovery_timeout")
        ),
    ];
    match policies["idempotency"].as_str() {
        Some("required") => lines.push("a key is required, and its request runs once".to_owned()),
        Some(_) => lines.push("a request with a key runs once".to_owned()),
        None => {}
    }
    lines
}
