//! What happens to a request before its route is known: limits, method, target, headers; then where it goes.
//!
//! Refuses what a service could read differently from the gateway.

mod buffer;
mod crumbs;
mod guard;
mod head;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header::ALLOW, request::Parts};
use mesh_core::{
    error::Code,
    forward::{self, Survey},
    route::wire::MANIFEST_PATH,
    trace::TraceContext,
};
use tracing::Instrument as _;

use crate::{
    access_log::{AccessLog, Pending, Request as LogRequest},
    body::{Body, BodyError},
    error::{Refusal, allow},
    gateway::Gateway,
    idempotency,
    layered::{self, Passage},
    peer::Peer,
    proxy::{self, Arrival},
    registration,
    snapshot::{Held, RouteRef, Snapshot},
    trail::Trail,
};
pub(crate) use buffer::{announces_too_much, buffer, malformed_body};
pub(crate) use crumbs::join_cookies;
pub(crate) use guard::{Guarded, Reading};
pub(crate) use head::{Head, check as check_head, upgrade};

/// Answers one request.
///
/// What is rare on the way is boxed: it would make each request larger to move.
pub(crate) async fn enter<B>(gateway: &Gateway, parts: Box<Parts>, body: B, peer: Peer) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    let (mut trail, directed) = direct(gateway, &parts, !body.is_end_stream());
    if let Some(log) = &gateway.shared().access_log {
        write_down(log, gateway, &mut trail, &parts, peer);
    }
    let line = trail.line().cloned();
    let (head, way) = match directed {
        Ok(directed) => directed,
        Err(refusal) => return noted(refusal.into_response(), line),
    };
    if let (Some(line), Way::Route(route)) = (&line, &way) {
        line.routed(route.entry().uri.as_str(), route.entry().service.as_str());
    }
    let response = match way {
        Way::Answer(response) => *response,
        Way::Registration => {
            Box::pin(registration::take(gateway, &parts, body)).instrument(trail.span()).await
        }
        Way::Route(route) => match &route.stack {
            Some(stack) => {
                let stack = stack.clone();
                let path = head.target.map_or("", |target| target.path()).to_owned();
                let span = trail.span();
                let passage = Passage { gateway: gateway.clone(), route, peer, trail };
                let request = Request::from_parts(*parts, body);
                Box::pin(layered::answer(passage, stack, &path, request)).instrument(span).await
            }
            None if route.declares_idempotency() && !parts.method.is_safe() => {
                let request = Request::from_parts(*parts, body);
                let span = trail.span();
                let answer = idempotency::answer_straight(gateway, route, request, peer, trail);
                Box::pin(answer).instrument(span).await
            }
            None => {
                let arrival = Arrival { peer, way: proxy::Way::Straight, trail: &trail };
                proxy::forward(gateway, &route, &parts, &head, body, arrival)
                    .await
                    .unwrap_or_else(Refusal::into_response)
            }
        },
    };
    noted(response, line)
}

/// Begins the line of the access log that the request becomes, where it is one of the sample.
fn write_down(log: &AccessLog, gateway: &Gateway, trail: &mut Trail, parts: &Parts, peer: Peer) {
    let shared = gateway.shared();
    if !log.takes(&shared.entropy) {
        return;
    }
    let reloadable = Arc::clone(&gateway.snapshot().reloadable);
    let trusts = |address| reloadable.settings.trusts(address);
    let client = forward::request::client_address(&parts.headers, peer.address, &trusts);
    let trace = trail.trace().map(TraceContext::trace_id);
    let request =
        LogRequest { id: &trail.logged_id(), trace, client, method: &parts.method, path: parts.uri.path() };
    let line = Pending::begin(log, &shared.clock, gateway.cells(), request);
    trail.becomes(line);
}

/// The answer, with which the line of the access log ends, if there is one.
fn noted(response: Response<Body>, line: Option<Arc<Pending>>) -> Response<Body> {
    let Some(line) = line else { return response };
    line.answered(response.status(), response.extensions().get::<Code>().copied());
    response.map(|body| body.noted(line))
}

/// Where a request goes.
enum Way {
    Answer(Box<Response<Body>>),
    Registration,
    Route(RouteRef),
}

impl Way {
    fn answer(response: Response<Body>) -> Self {
        Self::Answer(Box::new(response))
    }
}

/// Gives the request its ids, checks the head and finds its way, in one look at the snapshot.
fn direct<'a>(
    gateway: &Gateway,
    parts: &'a Parts,
    has_body: bool,
) -> (Trail, Result<(Head<'a>, Way), Refusal>) {
    let (shared, snapshot) = (gateway.shared(), gateway.snapshot());
    let settings = &snapshot.reloadable.settings;
    let survey = Survey::of(&parts.headers);
    let trail = Trail::of(&survey, &*shared.entropy, &settings.trace);
    let directed = head::check(parts, survey, has_body, &settings.limits).and_then(|head| {
        let way = way(&snapshot, &parts.method, &head);
        if head.survey.has_upgrade
            && let Way::Route(route) = &way
        {
            upgrade(parts, route.entry().route.allows_upgrade(), has_body)?;
        }
        Ok((head, way))
    });
    (trail, directed)
}

fn way(snapshot: &Arc<Held<Snapshot>>, method: &Method, head: &Head<'_>) -> Way {
    let Some(target) = &head.target else {
        return Way::answer(options(&head::METHODS));
    };
    if target.path().trim_end_matches('/') == MANIFEST_PATH {
        return match *method {
            Method::POST => Way::Registration,
            Method::OPTIONS => Way::answer(options(&[Method::OPTIONS, Method::POST])),
            _ => Way::answer(not_allowed(&[Method::OPTIONS, Method::POST])),
        };
    }
    if !snapshot.ready {
        let refusal = Refusal::new(Code::NotReady, "no routes have been loaded yet").retry_after(1);
        return Way::answer(refusal.into_response());
    }
    let rank = snapshot.table.rank(method, target.path());
    if let Some(route) = rank.and_then(|rank| RouteRef::of(snapshot, rank)) {
        return Way::Route(route);
    }
    match snapshot.table.allowed(target.path()) {
        Some(methods) if *method == Method::OPTIONS => Way::answer(options(&methods)),
        Some(methods) => Way::answer(not_allowed(&methods)),
        None => Way::answer(Refusal::new(Code::RouteNotFound, "no route matches the path").into_response()),
    }
}

fn not_allowed(methods: &[Method]) -> Response<Body> {
    Refusal::new(Code::MethodNotAllowed, "the path does not take this method")
        .allowing(methods)
        .into_response()
}

fn options(methods: &[Method]) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(value) = HeaderValue::try_from(allow(methods)) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}
