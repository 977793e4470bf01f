//! Which of a client's headers go on to the service, and what is said about the client.
//!
//! Refuses headers that other servers read as ones the mesh protects.

use std::{
    io::Write as _,
    net::{IpAddr, SocketAddr},
};

use http::{HeaderMap, HeaderName, header::TE};

use super::nomination::nominated;
use crate::{
    error::Code,
    header::{
        Class, TRACESTATE, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PREFIX,
        X_FORWARDED_PROTO,
    },
};

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
    /// Whether the request came with a valid `traceparent`: then its `tracestate` goes on.
    pub is_traced: bool,
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
    /// Is `tracestate`: goes on with a valid `traceparent` only.
    TraceState,
}

/// What becomes of the header `name` by its name alone (docs/refusals.md, Headers and trust).
///
/// `Host` and `Content-Length` are dropped: the sender sets them anew for its own message. `Expect` is dropped, because
/// it was answered at the door. `traceparent` is dropped: the next hop gets one of its own
/// ([`TraceContext`](crate::trace::TraceContext)).
#[must_use]
pub fn disposition(name: &HeaderName) -> Disposition {
    let class = Class::of(name);
    if class.is_plain() {
        Disposition::Forward
    } else if class.is_forwarding() {
        Disposition::Forwarding
    } else if *name == TRACESTATE {
        Disposition::TraceState
    } else {
        Disposition::Drop
    }
}

/// Hands `line` each header line that goes on to the service: the client's own without what is dropped and without what
/// `Connection` nominates, then X-Forwarded-For/Host/Proto/Port/Prefix. Signature headers, `traceparent` and `Host` are not
/// among them.
///
/// From an untrusted peer nothing of X-Forwarded-* is believed. From a trusted one its address is appended to
/// `X-Forwarded-For`; `X-Forwarded-Host`, `-Proto` and `-Port` stay as it sent them; the prefix goes behind the one it
/// took out. `Forwarded`, `X-Real-IP` and other X-Forwarded-* go on from nobody: not every proxy that sets the five
/// overwrites those, so that a client could speak through it.
///
/// Cost: one walk over the lines, nothing copied. The order of a name's lines stays.
pub fn forward_headers(
    headers: &HeaderMap,
    facts: &ClientFacts<'_>,
    mut line: impl FnMut(&HeaderName, &[u8]),
) {
    let nominated = nominated(headers);
    let mut has_trusted = [false; 3];
    for (name, value) in headers {
        match disposition(name) {
            Disposition::Forward if nominated.is_empty() || !nominated.contains_key(name) => {
                line(name, value.as_bytes());
            }
            Disposition::Forwarding if facts.peer_is_trusted => {
                if let Some(index) = FROM_TRUSTED.iter().position(|trusted| trusted == name) {
                    has_trusted[index] = true;
                    line(name, value.as_bytes());
                }
            }
            Disposition::TraceState if facts.is_traced => line(name, value.as_bytes()),
            Disposition::Forward | Disposition::Forwarding | Disposition::Drop | Disposition::TraceState => {}
        }
    }
    forwarding(headers, facts, has_trusted, line);
}

/// What a trusted peer says of the client stays as it is.
static FROM_TRUSTED: [HeaderName; 3] = [X_FORWARDED_HOST, X_FORWARDED_PROTO, X_FORWARDED_PORT];

/// What the gateway says about the client, but for what a trusted peer said already.
fn forwarding(
    headers: &HeaderMap,
    facts: &ClientFacts<'_>,
    has_trusted: [bool; 3],
    mut line: impl FnMut(&HeaderName, &[u8]),
) {
    let before = |name| facts.peer_is_trusted.then(|| headers.get_all(name).iter()).into_iter().flatten();
    let mut scratch = Vec::with_capacity(64);
    for address in before(X_FORWARDED_FOR) {
        scratch.extend_from_slice(address.as_bytes());
        scratch.extend_from_slice(b", ");
    }
    push_address(&mut scratch, facts.peer.to_canonical());
    line(&X_FORWARDED_FOR, &scratch);
    scratch.clear();
    scratch.extend_from_slice(itoa::Buffer::new().format(facts.port).as_bytes());
    let said = [facts.host.as_bytes(), facts.scheme.as_bytes(), &scratch];
    for ((name, value), has) in FROM_TRUSTED.iter().zip(said).zip(has_trusted) {
        if !has && !value.is_empty() {
            line(name, value);
        }
    }
    if let Some(prefix) = facts.prefix {
        let outer = before(X_FORWARDED_PREFIX).next().and_then(|outer| outer.to_str().ok());
        let outer = outer.filter(|outer| outer.starts_with('/')).unwrap_or_default();
        line(&X_FORWARDED_PREFIX, [outer.trim_end_matches('/'), prefix].concat().as_bytes());
    }
}

/// `write!` takes longer for four numbers than all else here.
fn push_address(out: &mut Vec<u8>, address: IpAddr) {
    let IpAddr::V4(address) = address else {
        let _never_fails = write!(out, "{address}");
        return;
    };
    for (index, octet) in address.octets().into_iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
    }
}

/// Whether the client says that it takes trailers (`TE: trailers`), whatever else it takes.
#[must_use]
pub fn takes_trailers(headers: &HeaderMap) -> bool {
    headers
        .get_all(TE)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// The client's address: the peer's, or behind trusted proxies the rightmost untrusted one in X-Forwarded-For.
///
/// An entry that is no address (with a port or without) ends the walk: the proxy that reported it is the last one
/// known. When all are trusted, the leftmost is the client. IPv4-mapped IPv6 addresses are given, and asked about, as IPv4.
#[must_use]
pub fn client_address(headers: &HeaderMap, peer: IpAddr, is_trusted: &dyn Fn(IpAddr) -> bool) -> IpAddr {
    let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).iter().collect();
    let mut entries = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    let mut client = peer.to_canonical();
    while is_trusted(client) {
        let Some(address) = entries.next().and_then(address) else { break };
        client = address;
    }
    client
}

/// Reads `1.2.3.4`, `1.2.3.4:567`, `::1`, `[::1]` or `[::1]:567`.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let entry = str::from_utf8(entry.trim_ascii()).ok()?;
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || Some(entry.parse::<SocketAddr>().ok()?.ip());
    Some(entry.parse().ok().or_else(bracketed).or_else(with_port)?.to_canonical())
}

#[cfg(test)]
mod tests;
