//! Forwards one request to the service of its route, and brings the answer back. Asks no store.

mod answer;
mod outgoing;
mod replaced;
mod switched;

use bytes::Bytes;
use http::{HeaderMap, Response, request::Parts};
use mesh_client::driver::CallFacts;
use mesh_core::{
    error::Code,
    header::{IDEMPOTENCY_KEY, X_REQUEST_ID},
};

use crate::{
    body::{Body, BodyError},
    door::{Head, malformed_body},
    error::Refusal,
    gateway::Gateway,
    metrics::Tally,
    peer::Peer,
    snapshot::RouteRef,
    trail::Trail,
    transport::Outgoing,
};
pub(crate) use replaced::Replaced;
pub use replaced::{DefaultProxy, Proxy};

/// How a request came to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the door.
    Straight,
    /// By what the embedding code put in its way: trusted to say for whom it is made, and counted where it came in.
    Layered,
}

/// Who sent a request, and by which way it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) peer: Peer,
    pub(crate) way: Way,
    pub(crate) trail: &'a Trail,
}

/// Forwards a request that was checked and has a route.
pub(crate) async fn forward<B>(
    gateway: &Gateway,
    route: &RouteRef,
    parts: &Parts,
    head: &Head<'_>,
    body: B,
    arrival: Arrival<'_>,
) -> Result<Response<Body>, Refusal>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    let shared = gateway.shared();
    let (settings, terms) = (&route.policy.reloadable.settings, route.terms());
    let begun = shared.clock.monotonic();
    let (body, streamed) = if body.is_end_stream() {
        (Bytes::new(), None)
    } else {
        Box::pin(outgoing::body(route, parts, body)).await?
    };
    let now = if body.is_empty() { begun } else { shared.clock.monotonic() };
    let is_last_resort = route.view.all_open(&shared.health, now);
    if is_last_resort && route.service.just_failed(now) {
        return Err(answer::unavailable());
    }
    let mut policy = terms.service.retry;
    if is_last_resort {
        // A look at each instance, without waits in between: whoever comes after it is answered at once.
        policy.retries = 0;
    }
    let path_and_query = outgoing::path_and_query(route, head);
    let mut lines = outgoing::lines(route, parts, head, arrival);
    let switch = switched::ask(route, parts, head, !body.is_empty() || streamed.is_some(), &mut lines)?;
    let may_repeat =
        may_repeat(route, parts) && body.len() <= settings.limits.held_body && streamed.is_none();
    let signs_body = streamed.is_none()
        && (body.is_empty() || !terms.service.multipart.leaves_out(&parts.method, &parts.headers));
    let transport = Outgoing {
        pool: gateway.pool(),
        clock: &shared.clock,
        signer: &route.policy.reloadable.signer,
        name: &shared.name_header,
        method: &parts.method,
        path_and_query: &path_and_query,
        protocol: terms.service.protocol,
        takes_trailers: outgoing::takes_trailers(route, parts),
        lines: &lines,
        body: &body,
        streamed: streamed.as_ref(),
        signs_body,
        may_repeat,
        may_switch: switch.is_some(),
        connect_timeout: settings.connect_timeout,
        tls: &route.policy.reloadable.upstream_tls,
    };
    let facts = CallFacts {
        policy,
        may_repeat,
        attempt_timeout: terms.attempt_timeout,
        begun: now,
        deadline: begun.after(terms.deadline),
    };
    // Known before the wait: what lies behind the route may have left the cache by its end.
    let (cells, figures) = (gateway.cells(), gateway.cells().route(route.number()));
    let drive = || shared.driver.drive(&route.view, &facts, &transport);
    let report = match &streamed {
        None => drive().await,
        Some(streamed) => Box::pin(streamed.unless_broken(drive())).await.ok_or_else(malformed_body)?,
    };
    cells.attempted(figures, &route.view, &report.attempts);
    if !signs_body {
        cells.add(Tally::BodyUnsigned, report.attempts.len() as u64);
    }
    if let Some(line) = arrival.trail.line() {
        line.asked(report.attempts.len(), report.attempts.last().map(|last| last.url.as_str()));
    }
    let ended = report.ended;
    let answered = answer::of((gateway, settings), route, report, arrival.trail, switch);
    let status = match &answered {
        Ok(response) => response.status(),
        Err(refusal) => {
            if !matches!(refusal.code, Code::UpstreamUnavailable | Code::Overloaded) {
                route.service.note_failure(&shared.health, ended);
            }
            crate::error::status(refusal.code)
        }
    };
    if arrival.way == Way::Straight
        && let Some(figures) = figures
    {
        figures.received(body.len());
        figures.answered(status, ended.since(begun));
    }
    answered
}

/// Whether the request may be sent again after it was written: by its method, or by an explicit key (docs/wire.md,
/// C12).
fn may_repeat(route: &RouteRef, parts: &Parts) -> bool {
    let has_explicit_key = || {
        has_value(&parts.headers, &IDEMPOTENCY_KEY)
            || route.entry().route.is_idempotent()
            || (has_value(&parts.headers, &X_REQUEST_ID) && route.declares_idempotency())
    };
    let retry = &route.terms().service.retry;
    retry.may_repeat(&parts.method, false) || retry.may_repeat(&parts.method, has_explicit_key())
}

fn has_value(headers: &HeaderMap, name: &http::HeaderName) -> bool {
    headers.get(name).is_some_and(|value| !value.is_empty())
}
