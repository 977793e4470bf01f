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
/// What tracing systems add to it, passed on with a valid one.
pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// The tenant for whom a request is made, as the mesh says it.
pub const X_TENANT_ID: HeaderName = HeaderName::from_static("x-tenant-id");
/// The role in which a request is made, as the mesh says it.
pub const X_ROLE: HeaderName = HeaderName::from_static("x-role");
/// How the headers begin that say for which user a request is made.
pub const X_USER_PREFIX: &str = "x-user-";
/// `Keep-Alive`: how long a connection is kept (hop-by-hop).
pub const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
/// `Proxy-Connection`: an old misspelling of `Connection`.
pub const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// What a header's name says about it. One look at the name answers for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class(u8);

impl Class {
    const NONE: Self = Self(0);
    const HOP_BY_HOP: Self = Self(1);
    const IDENTITY: Self = Self(2);
    const RESERVED: Self = Self(4);
    const OVERRIDE: Self = Self(8);
    const FORWARDING: Self = Self(16);
    const FRAMING: Self = Self(32);
    const TRACE: Self = Self(64);
    /// Protected for no other reason.
    const KEPT: Self = Self(128);

    /// The class of `name`.
    #[must_use]
    pub fn of(name: &HeaderName) -> Self {
        let name = name.as_str();
        match name.as_bytes().first() {
            Some(b'a') => match name {
                "accept-signature" => Self::RESERVED,
                "authorization" => Self::KEPT,
                _ => Self::NONE,
            },
            Some(b'c') => match name {
                "connection" => Self::HOP_BY_HOP,
                "content-digest" => Self::RESERVED,
                "content-encoding" | "content-type" | "cookie" => Self::KEPT,
                "content-length" => Self::FRAMING,
                _ => Self::NONE,
            },
            Some(b'e') if name == "expect" => Self::FRAMING,
            Some(b'f') if name == "forwarded" => Self::FORWARDING,
            Some(b'h') => match name {
                "host" => Self::FRAMING,
                "http2-settings" => Self::HOP_BY_HOP,
                _ => Self::NONE,
            },
            Some(b'i') if name == "idempotency-key" => Self::KEPT,
            Some(b'k') if name == "keep-alive" => Self::HOP_BY_HOP,
            Some(b'p') => match name {
                "proxy-authenticate" | "proxy-authorization" | "proxy-connection" => {
                    Self::HOP_BY_HOP.and(Self::OVERRIDE)
                }
                "proxy" => Self::OVERRIDE,
                _ if name.starts_with("proxy-") => Self::OVERRIDE,
                _ => Self::NONE,
            },
            Some(b's') if name.starts_with("signature") => Self::RESERVED,
            Some(b't') => match name {
                "te" | "trailer" | "transfer-encoding" => Self::HOP_BY_HOP,
                "traceparent" | "tracestate" => Self::TRACE,
                _ => Self::NONE,
            },
            Some(b'u') if name == "upgrade" => Self::HOP_BY_HOP,
            Some(b'v') if name == "via" => Self::KEPT,
            Some(b'x') => Self::of_extension(name),
            _ => Self::NONE,
        }
    }

    /// Of a name that begins with `x`.
    fn of_extension(name: &str) -> Self {
        match name {
            "x-service-name" | "x-service-audience" | "x-tenant-id" | "x-role" => {
                Self::IDENTITY.and(Self::RESERVED)
            }
            "x-signature" | "x-timestamp" => Self::RESERVED,
            "x-request-id" => Self::KEPT,
            "x-real-ip" => Self::FORWARDING,
            "x-http-method"
            | "x-http-method-override"
            | "x-method-override"
            | "x-original-url"
            | "x-rewrite-url" => Self::OVERRIDE,
            _ if name.starts_with("x-forwarded-") => Self::FORWARDING,
            _ if name.starts_with(X_USER_PREFIX) => Self::IDENTITY.and(Self::RESERVED),
            _ if name.starts_with("x-idempotency-") => Self::RESERVED,
            _ => Self::NONE,
        }
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn is_any_of(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the name says nothing: the header goes on as it is.
    #[must_use]
    pub const fn is_plain(self) -> bool {
        self.0 & !Self::KEPT.0 == 0
    }

    /// See [`is_hop_by_hop`].
    #[must_use]
    pub const fn is_hop_by_hop(self) -> bool {
        self.is_any_of(Self::HOP_BY_HOP)
    }

    /// See [`is_forwarding`].
    #[must_use]
    pub const fn is_forwarding(self) -> bool {
        self.is_any_of(Self::FORWARDING)
    }

    /// See [`is_protected`].
    #[must_use]
    pub const fn is_protected(self) -> bool {
        let protected =
            Self::RESERVED.and(Self::FORWARDING).and(Self::FRAMING).and(Self::TRACE).and(Self::KEPT);
        self.is_any_of(protected)
    }
}

/// Whether a header speaks to the next hop alone, by its name (RFC 9110 §7.6.1, and what older software sends).
#[must_use]
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    Class::of(name).is_hop_by_hop()
}

/// Whether a header says who somebody is: inside the mesh it stands once, in ASCII (docs/refusals.md, row 71).
#[must_use]
pub fn is_identity(name: &HeaderName) -> bool {
    Class::of(name).is_any_of(Class::IDENTITY)
}

/// Whether a header says for which end user a request is made: what a gateway's own layers may set.
#[must_use]
pub fn is_end_identity(name: &HeaderName) -> bool {
    is_identity(name) && ![X_SERVICE_NAME, X_SERVICE_AUDIENCE].contains(name)
}

/// Whether only the mesh may say this to a service: who calls, for whom, the proof of it, and what became of a key.
#[must_use]
pub fn is_reserved(name: &HeaderName) -> bool {
    Class::of(name).is_any_of(Class::RESERVED)
}

/// Whether software takes the header for another method or target than the request's, for a word between proxies
/// (`Proxy-*`, known or not), or for a setting of its own (`Proxy`, CVE-2016-5385). Said of requests alone.
#[must_use]
pub fn is_override(name: &HeaderName) -> bool {
    Class::of(name).is_any_of(Class::OVERRIDE)
}

/// Whether the header is a proxy's word about the client: `X-Forwarded-*`, `Forwarded`, `X-Real-IP`.
#[must_use]
pub fn is_forwarding(name: &HeaderName) -> bool {
    Class::of(name).is_forwarding()
}

/// Whether the header belongs to one message between two peers: the sender sets it anew.
#[must_use]
pub fn is_framing(name: &HeaderName) -> bool {
    Class::of(name).is_any_of(Class::FRAMING)
}

/// Whether `Connection` may not nominate the header, because somebody before the gateway may have set it for everybody
/// behind (a proxy that authenticates, a load balancer, the mesh), or because the message means something else
/// without it.
///
/// A client that wants its own header gone need not send it; one that nominates these wants somebody else's gone.
/// Hop-by-hop headers may be nominated: they are left out anyway.
#[must_use]
pub fn is_protected(name: &HeaderName) -> bool {
    Class::of(name).is_protected()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rule: fn(&HeaderName) -> bool, yes: &[&str], no: &[&str]) {
        for (names, expected) in [(yes, true), (no, false)] {
            for name in names {
                assert_eq!(rule(&name.parse().unwrap()), expected, "{name}");
            }
        }
    }

    #[test]
    fn what_speaks_to_the_next_hop_is_known() {
        let hop =
            ["Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization"];
        check(is_hop_by_hop, &hop, &["Host", "Via", "Content-Length", "Proxy-Status"]);
        check(is_hop_by_hop, &["TE", "Trailer", "Transfer-Encoding", "Upgrade"], &["Max-Forwards"]);
    }

    #[test]
    fn what_only_the_mesh_may_say_is_known() {
        let reserved =
            ["X-Service-Name", "X-Service-Audience", "X-Signature", "X-Timestamp", "Content-Digest"];
        check(is_reserved, &reserved, &["X-Request-Id", "Authorization", "Idempotency-Key", "X-User"]);
        let reserved = ["Signature", "Signature-Input", "X-User-Id", "X-User-Email", "X-Tenant-Id", "X-Role"];
        check(is_reserved, &reserved, &["X-Tenant", "X-Roles"]);
        check(is_reserved, &["X-Idempotency-Status", "X-Idempotency-Cache-Hit"], &["Cookie"]);
    }

    #[test]
    fn what_must_not_be_nominated_is_known() {
        let protected =
            ["X-Signature", "X-User-Id", "X-Forwarded-For", "Forwarded", "X-Real-IP", "Host", "Expect"];
        check(is_protected, &protected, &["TE", "Trailer", "Upgrade", "Keep-Alive", "Close"]);
        let protected = ["Authorization", "Cookie", "Content-Length", "Content-Type", "X-Request-Id"];
        check(is_protected, &protected, &["Accept", "X-Trace", "X-HTTP-Method-Override"]);
    }

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
