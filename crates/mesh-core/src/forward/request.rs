//! Which of a client's headers go on to the service, and what is said about the client.
//!
//! Refuses headers that other servers read as ones the mesh protects.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};

use crate::error::Code;

/// What the gateway knows of the client and of the route. Trusted: came from the socket and the settings.
#[derive(Clone, Copy, Debug)]
pub struct ClientFacts<'a> {
    /// The peer's address.
    pub peer: IpAddr,
    /// Whether the peer is one of `gateway.trusted_proxies`: then its X-Forwarded-* are appended to, not replaced.
    pub peer_is_trusted: bool,
    /// `http` or `https`, as the client used it.
    pub scheme: &'a str,
    /// The `Host` (or authority) the client asked for, checked before.
    pub host: &'a str,
    /// The port the gateway listens on.
    pub port: u16,
    /// The prefix that is taken out of the path, e.g. `/catalog`.
    pub prefix: Option<&'a str>,
}

/// Why a request's headers are refused. The caller's fault; never worth a retry as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// `Connection` nominates a header that the mesh protects.
    #[error("Connection nominates a protected header")]
    ProtectedNomination,
    /// A header name with `_`, which other servers read as `-`.
    #[error("a header name has an underscore")]
    UnderscoreInName,
    /// `Host` is missing, doubled, empty or malformed, or differs from the target's authority.
    #[error("the Host header is missing or malformed")]
    BadHost,
    /// An expectation other than `100-continue`.
    #[error("an expectation that cannot be met")]
    UnknownExpectation,
    /// An upgrade to websocket on a route that does not allow it.
    #[error("the route does not allow an upgrade")]
    UpgradeNotAllowed,
    /// A body on GET, HEAD or OPTIONS.
    #[error("the method has no body")]
    BodyNotAllowed,
}

impl RequestError {
    /// The refusal's code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::ProtectedNomination => Code::BadConnectionHeader,
            Self::UnderscoreInName => Code::BadHeaderName,
            Self::BadHost => Code::BadHost,
            Self::UnknownExpectation => Code::ExpectationFailed,
            Self::UpgradeNotAllowed => Code::UpgradeNotAllowed,
            Self::BodyNotAllowed => Code::BodyNotAllowed,
        }
    }
}

/// What becomes of one of the client's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Goes on as it is, each line on its own.
    Forward,
    /// Is left out: hop-by-hop, spoofable identity, method or URL overrides.
    Drop,
    /// Is an X-Forwarded-* or like header: replaced, or appended to for a trusted peer.
    Forwarding,
}

/// What becomes of the header `name` by its name alone (docs/refusals.md, Headers and trust).
#[must_use]
pub fn disposition(name: &HeaderName) -> Disposition {
    let _ = name;
    todo!()
}

/// Checks a request's headers, and `authority` of an absolute-form target against `Host`.
/// `has_body`: the message's framing announces a body; `is_http_11`: `Host` is required.
///
/// # Errors
///
/// See [`RequestError`].
pub fn check(
    headers: &HeaderMap,
    method: &http::Method,
    authority: Option<&str>,
    is_http_11: bool,
    has_body: bool,
) -> Result<(), RequestError> {
    let _ = (headers, method, authority, is_http_11, has_body);
    todo!()
}

/// The headers that go on to the service: the client's own without what is dropped and without what `Connection`
/// nominates, plus X-Forwarded-For/Host/Proto/Port/Prefix. Signature headers and `Host` are not among them.
#[must_use]
pub fn forwarded_headers(headers: &HeaderMap, facts: &ClientFacts<'_>) -> HeaderMap {
    let _ = (headers, facts);
    todo!()
}

/// The client's address: the peer's, or behind trusted proxies the rightmost untrusted one in X-Forwarded-For.
#[must_use]
pub fn client_address(headers: &HeaderMap, peer: IpAddr, is_trusted: &dyn Fn(IpAddr) -> bool) -> IpAddr {
    let _ = (headers, peer, is_trusted);
    todo!()
}
