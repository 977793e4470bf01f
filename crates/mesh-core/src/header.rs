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
/// The tenant for whom a request is made, as the mesh says it.
pub const X_TENANT_ID: HeaderName = HeaderName::from_static("x-tenant-id");
/// The role in which a request is made, as the mesh says it.
pub const X_ROLE: HeaderName = HeaderName::from_static("x-role");
/// How the headers begin that say for which user a request is made.
pub const X_USER_PREFIX: &str = "x-user-";

/// Whether a header says who somebody is: inside the mesh it stands once, in ASCII (docs/refusals.md, row 71).
#[must_use]
pub fn is_identity(name: &HeaderName) -> bool {
    [X_SERVICE_NAME, X_SERVICE_AUDIENCE, X_TENANT_ID, X_ROLE].contains(name)
        || name.as_str().starts_with(X_USER_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_somebody_is_stands_in_few_headers() {
        for name in ["x-service-name", "x-user-id", "x-user-email", "x-tenant-id", "x-role"] {
            assert!(is_identity(&HeaderName::from_static(name)), "{name}");
        }
        for name in ["x-request-id", "x-signature", "user-agent", "x-used-by"] {
            assert!(!is_identity(&HeaderName::from_static(name)), "{name}");
        }
    }
}
