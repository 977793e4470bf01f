//! Whose fault an error is, whether to try again, and the code that a refusal carries.

use std::fmt;

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The one who called: another request is needed.
    Caller,
    /// The mesh itself, or its settings.
    Mesh,
    /// The store that remembers.
    Store,
    /// The service that was called.
    Upstream,
}

/// Whether the same work may succeed if it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Yes, as it is.
    Same,
    /// Yes, at another instance.
    Elsewhere,
    /// No: something must change first.
    Never,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// The `code` of a refusal: stable, for machines (docs/refusals.md). Statuses are chosen at the edges.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The text that stands in the answer.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    /// No signature headers.
    SignatureMissing = "sig.missing",
    /// The signature or its timestamp does not hold.
    SignatureInvalid = "sig.invalid",
    /// No service name header, or no valid one.
    SignatureServiceMissing = "sig.service_missing",
    /// A request body beyond the limit.
    BodyTooLarge = "body_too_large",
    /// A body where none is allowed.
    BodyNotAllowed = "body_not_allowed",
    /// A request head beyond the limit.
    HeadersTooLarge = "headers_too_large",
    /// A target beyond the limit.
    UriTooLong = "uri_too_long",
    /// The client was too slow.
    RequestTimeout = "request_timeout",
    /// An expectation other than `100-continue`.
    ExpectationFailed = "expectation_failed",
    /// Ambiguous or broken message framing.
    BadFraming = "bad_framing",
    /// A `Host` that is missing, doubled, malformed or contradicted.
    BadHost = "bad_host",
    /// A header name that other servers read as another one.
    BadHeaderName = "bad_header_name",
    /// `Connection` nominates a header that the mesh protects.
    BadConnectionHeader = "bad_connection_header",
    /// A doubled or malformed identity header.
    BadIdentityHeader = "bad_identity_header",
    /// A target that is not in canonical form.
    PathNotCanonical = "path_not_canonical",
    /// An upgrade on a route that does not allow it.
    UpgradeNotAllowed = "upgrade_not_allowed",
    /// No route matches the path.
    RouteNotFound = "route_not_found",
    /// The path is known, with other methods.
    MethodNotAllowed = "method_not_allowed",
    /// The gateway has no routes yet, or is draining.
    NotReady = "not_ready",
    /// The gateway lacks files, ports or memory for one more connection.
    Overloaded = "overloaded",
    /// The service sent what is no HTTP answer.
    BadUpstreamResponse = "bad_upstream_response",
    /// No instance could be reached, or the answer broke off.
    UpstreamUnreachable = "upstream_unreachable",
    /// No instance is known or worth trying now.
    UpstreamUnavailable = "upstream_unavailable",
    /// The time for the whole call is over.
    DeadlineExceeded = "deadline_exceeded",
    /// The caller may not do this.
    Forbidden = "forbidden",
    /// A twin of the request is being processed.
    IdempotencyInFlight = "idempotency.in_flight",
    /// The key was used for another request.
    IdempotencyKeyReused = "idempotency.key_reused",
    /// The route needs a key.
    IdempotencyKeyMissing = "idempotency.key_missing",
    /// The key is empty, too long, doubled or has control bytes.
    IdempotencyKeyMalformed = "idempotency.key_malformed",
    /// The answer was delivered once and not kept.
    IdempotencyNotReplayable = "idempotency.not_replayable",
    /// The stored answer cannot be read.
    IdempotencyUnreadable = "idempotency.unreadable",
    /// The store cannot be reached and the route requires it.
    IdempotencyStoreUnavailable = "idempotency.store_unavailable",
    /// No verified caller stands before the idempotency layer.
    IdempotencyNoCaller = "idempotency.no_caller",
    /// The manifest is not JSON.
    ManifestNotJson = "manifest.not_json",
    /// Fields of the manifest are missing or of the wrong type.
    ManifestInvalid = "manifest.invalid",
    /// The manifest names another service than its caller.
    ManifestNotOwner = "manifest.not_owner",
    /// A metadata key that begins with `_`.
    ManifestReservedKey = "manifest.reserved_key",
    /// A route that another service owns.
    ManifestRouteConflict = "manifest.route_conflict",
    /// A route that cannot be built.
    ManifestInvalidRoute = "manifest.invalid_route",
    /// The manifest is larger than the limit.
    ManifestTooLarge = "manifest.too_large",
    /// An announced base URL outside the allowed targets.
    ManifestTargetForbidden = "manifest.target_forbidden",
    /// A manifest older than the stored one.
    ManifestStale = "manifest.stale",
    /// The manifest could not be stored.
    ManifestStoreUnavailable = "manifest.store_unavailable",
    /// A fault of the mesh itself.
    Internal = "internal",
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_is_unique_and_plain() {
        let texts: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        assert!(texts.iter().all(|text| text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_' | b'.'))));
    }
}
