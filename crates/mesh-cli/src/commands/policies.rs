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
