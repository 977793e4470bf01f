//! Which numbers apply to a call on a route, in words.

use serde_json::Value;

/// The `policies` of an explanation, as lines.
pub(crate) fn lines(policies: &Value) -> Vec<String> {
    let of = |key: &str| policies[key].to_string().trim_end_matches(".0").to_owned();
    let mut lines = vec![
        format!(
            "{} s for one attempt, {} further attempts per instance, {} s for the whole call",
            of("attempt_timeout"),
            of("retries"),
            of("deadline")
        ),
        spoken(policies),
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

/// What the instances are spoken to in, and what becomes of bodies; gateways of another version may not tell.
fn spoken(policies: &Value) -> String {
    let of = |key: &str| policies[key].as_str().unwrap_or_default();
    let protocol = if of("protocol") == "http2" { "over HTTP/2: " } else { "" };
    match (of("request_bodies"), &policies["body_limit"]) {
        ("streamed", _) => format!("{protocol}a body of any size, passed on as it comes"),
        (_, limit) => format!("{protocol}a body of at most {limit} bytes"),
    }
}
