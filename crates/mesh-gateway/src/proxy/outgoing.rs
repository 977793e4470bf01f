//! The request as it goes on: the service's path, the client's headers without what is not theirs to say.

use std::borrow::Cow;

use bytes::Bytes;
use http::request::Parts;
use mesh_core::{
    forward::{self, ClientFacts},
    header::{TRACEPARENT, X_REQUEST_ID, is_end_identity},
    service::Protocol,
};

use super::{Arrival, Way};
use crate::{
    body::BodyError,
    door::{Head, buffer},
    error::Refusal,
    http1::{HEAD_BYTES, write_line},
    snapshot::RouteRef,
    transport::Streamed,
};

/// The service's path and the client's query, byte for byte.
pub(super) fn path_and_query<'a>(route: &RouteRef, head: &Head<'a>) -> Cow<'a, str> {
    let Some((target, _)) = head.target.as_ref().zip(route.terms().prefix.as_ref()) else {
        return head.path_and_query.into();
    };
    let path = route.entry().service_path(target.path());
    if path.len() == target.path().len() {
        return head.path_and_query.into();
    }
    match target.query() {
        Some(query) => [&path, "?", query].concat().into(),
        None => path,
    }
}

/// The header lines of every attempt, as they go on the wire: everything but `Host`, framing and the signature's
/// headers. Carries a request id and a trace: one for all attempts.
pub(super) fn lines(route: &RouteRef, parts: &Parts, head: &Head<'_>, arrival: Arrival<'_>) -> Vec<u8> {
    let Arrival { peer, way, trail } = arrival;
    let facts = ClientFacts {
        peer: peer.address,
        peer_is_trusted: route.policy.reloadable.settings.trusts(peer.address),
        scheme: if peer.is_https { "https" } else { "http" },
        host: head.host,
        port: peer.port,
        prefix: route.terms().prefix.as_deref(),
        is_traced: trail.is_traced,
    };
    let mut lines = Vec::with_capacity(HEAD_BYTES);
    forward::request::forward_headers(&parts.headers, &facts, |name, value| {
        write_line(&mut lines, name.as_str(), value);
    });
    if way == Way::Layered {
        for (name, value) in parts.headers.iter().filter(|(name, _)| is_end_identity(name)) {
            write_line(&mut lines, name.as_str(), value.as_bytes());
        }
    }
    if head.survey.request_id.is_none() {
        write_line(&mut lines, X_REQUEST_ID.as_str(), trail.id());
    }
    if let Some(trace) = trail.trace() {
        write_line(&mut lines, TRACEPARENT.as_str(), &trace.header());
    }
    lines
}

/// The body of a request that has one, held whole or as it comes.
pub(super) async fn body<B>(
    route: &RouteRef,
    parts: &Parts,
    body: B,
) -> Result<(Bytes, Option<Streamed>), Refusal>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    if route.terms().service.streams_requests {
        return Ok((Bytes::new(), Some(Streamed::new(body))));
    }
    Ok((
        buffer(&parts.headers, body, route.terms().body_limit, &route.policy.reloadable.settings.limits)
            .await?,
        None,
    ))
}

/// Whether an instance is told that its trailers are taken. HTTP/1.1 instances are told nothing: `TE` is the
/// connection's own there.
pub(super) fn takes_trailers(route: &RouteRef, parts: &Parts) -> bool {
    route.terms().service.protocol == Protocol::Http2 && forward::request::takes_trailers(&parts.headers)
}
