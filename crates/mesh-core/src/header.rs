//! Every header name that the mesh speaks, and what each kind of header may do.

use http::HeaderName;

/// The HMAC of Signature v1, lower-case hex.
pub const X_SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
/// When a request was signed, Unix seconds.
pub const X_TIMESTAMP: HeaderName = HeaderName::from_static("x-timestamp");
/// Who calls.
pub const X_SERVICE_NAME: HeaderName = HeaderName::from_static("x-service-name");
/// Who is called (ms2).
pub const X_SERVICE_AUDIENCE: HeaderName = HeaderName::from_static("x-service-audience");
/// One id for a call and all its attempts.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// An explicit idempotency key (IETF draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// `true` on an answer from the idempotency store.
pub const X_IDEMPOTENCY_CACHE_HIT: HeaderName = HeaderName::from_static("x-idempotency-cache-hit");
/// `not-stored` on an answer that the idempotency store could not take.
pub const X_IDEMPOTENCY_STATUS: HeaderName = HeaderName::from_static("x-idempotency-status");
/// The client's address, appended by each trusted proxy.
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The `Host` that the client asked for.
pub const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// The scheme that the client used.
pub const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// The port that the client reached.
pub const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
/// The prefix that the gateway took out of the path.
pub const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
/// The standard form of the above (RFC 7239).
pub const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
/// A proxy's word for the client's address.
pub const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
/// W3C trace context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
