//! Which headers of a caller travel, and which are ours.
//!
//! Refuses control characters in values, and headers that frame the message or belong to the connection.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use mesh_core::header::{IDEMPOTENCY_KEY, X_REQUEST_ID, X_SERVICE_NAME, X_SIGNATURE, X_TIMESTAMP};

use super::Body;
use crate::error::InvalidCall;

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("mesh/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Service name, content type, request id, user agent, timestamp, signature, `Accept`.
const OURS: usize = 7;

/// A header line of the caller's.
pub(super) fn parse(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), InvalidCall> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| InvalidCall::HeaderName)?;
    let connection = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::EXPECT,
        header::HOST,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    if connection.contains(&name) {
        return Err(InvalidCall::ConnectionHeader(name));
    }
    match HeaderValue::from_bytes(value.as_bytes()) {
        Ok(value) => Ok((name, value)),
        Err(_) => Err(InvalidCall::HeaderValue(name)),
    }
}

/// Whether the caller gave an explicit key: the call may be repeated. An empty one is none.
pub(super) fn has_key(headers: &HeaderMap) -> bool {
    headers.get(IDEMPOTENCY_KEY).is_some_and(|key| !key.is_empty())
}

/// All headers of a call but those of an attempt (timestamp, signature). `fresh_id` is used when the caller gave no id.
pub(super) fn complete(
    mut headers: HeaderMap,
    body: &Body,
    service_name: &HeaderValue,
    fresh_id: impl FnOnce() -> [u8; 36],
) -> HeaderMap {
    // Room for ours, the attempt's and what the transport adds, so that no copy of them grows.
    headers.reserve(OURS);
    headers.remove(X_SIGNATURE);
    headers.remove(X_TIMESTAMP);
    headers.insert(X_SERVICE_NAME, service_name.clone());
    match body {
        Body::Raw(_) if headers.contains_key(header::CONTENT_TYPE) => {}
        Body::None | Body::Json(_) | Body::Raw(_) => {
            headers.insert(header::CONTENT_TYPE, JSON);
        }
    }
    if headers.get(X_REQUEST_ID).is_none_or(HeaderValue::is_empty) {
        // A UUID is visible ASCII.
        if let Ok(id) = HeaderValue::from_bytes(&fresh_id()) {
            headers.insert(X_REQUEST_ID, id);
        }
    }
    headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
    headers
}
