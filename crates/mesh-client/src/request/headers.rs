//! Which headers of a caller travel, and which are ours.
//!
//! Refuses control characters in values, and headers that frame the message or belong to the connection.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use mesh_core::{
    header::{IDEMPOTENCY_KEY, X_REQUEST_ID, X_SERVICE_NAME, X_SIGNATURE, X_TIMESTAMP},
    signature::MultipartPolicy,
};

use super::Body;
use crate::error::InvalidCall;

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("mesh/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Service name, content type, request id, user agent, timestamp, signature, and the `Accept` and `Host` of a transport: no
/// map of them grows.
const OURS: usize = 8;

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

/// All headers of a call but those of an attempt (timestamp, signature).
///
/// Those that are ours stand apart until an attempt is made, which puts all of them into one map: what is copied for each
/// attempt is what the caller gave.
#[derive(Debug)]
pub(crate) struct CallHeaders {
    /// The caller's, without those that are ours.
    given: HeaderMap,
    service_name: HeaderValue,
    /// Absent: the caller's stands.
    content_type: Option<HeaderValue>,
    /// Absent: the caller's stands.
    fresh_id: Option<[u8; 36]>,
}

impl CallHeaders {
    /// Of what the caller gave. `fresh_id` is used when that has no id.
    pub(super) fn new(
        mut given: HeaderMap,
        body: &Body,
        service_name: &HeaderValue,
        fresh_id: impl FnOnce() -> [u8; 36],
    ) -> Self {
        for ours in [X_SIGNATURE, X_TIMESTAMP, X_SERVICE_NAME] {
            given.remove(ours);
        }
        let content_type = match body {
            Body::Raw(_) if given.contains_key(header::CONTENT_TYPE) => None,
            Body::None | Body::Json(_) | Body::Raw(_) => {
                given.remove(header::CONTENT_TYPE);
                Some(JSON)
            }
        };
        let fresh_id = given.get(X_REQUEST_ID).is_none_or(HeaderValue::is_empty).then(fresh_id);
        Self { given, service_name: service_name.clone(), content_type, fresh_id }
    }

    /// Whether the body is one that `policy` leaves unsigned: its content type is the caller's then.
    pub(super) fn leave_out(&self, policy: MultipartPolicy, method: &Method) -> bool {
        policy.leaves_out(method, &self.given)
    }

    /// The id that is ours, as text.
    pub(crate) fn fresh_id(&self) -> Option<&[u8]> {
        self.fresh_id.as_ref().map(|id| &id[..])
    }

    /// The call's id.
    pub(super) fn request_id(&self) -> Option<HeaderValue> {
        match self.fresh_id() {
            // A UUID is visible ASCII.
            Some(id) => HeaderValue::from_bytes(id).ok(),
            None => self.given.get(X_REQUEST_ID).cloned(),
        }
    }

    /// All headers of an attempt. `fresh_id` holds [`fresh_id`](Self::fresh_id), where there is one.
    pub(crate) fn of_attempt(
        &self,
        fresh_id: Option<HeaderValue>,
        timestamp: HeaderValue,
        signature: HeaderValue,
    ) -> HeaderMap {
        let mut headers = if self.given.is_empty() { HeaderMap::new() } else { self.given.clone() };
        headers.reserve(OURS);
        headers.insert(X_SERVICE_NAME, self.service_name.clone());
        if let Some(content_type) = &self.content_type {
            headers.insert(header::CONTENT_TYPE, content_type.clone());
        }
        if let Some(id) = fresh_id {
            headers.insert(X_REQUEST_ID, id);
        }
        headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        headers.insert(X_TIMESTAMP, timestamp);
        headers.insert(X_SIGNATURE, signature);
        headers
    }
}
