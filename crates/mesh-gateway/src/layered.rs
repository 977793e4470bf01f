//! Lets a request pass what stands in the way of its route: layers, then idempotency, then a handler or a proxy.
//!
//! Refuses as the straight way does: the head was checked, the body keeps its limits, and nothing of what only the mesh
//! may say comes in from the street.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body as InnerBody;
use bytes::Bytes;
use futures_util::{FutureExt as _, future::BoxFuture};
use http::{HeaderName, Request, Response};
use mesh_core::{error::Code, header::is_reserved, idempotency::key::edge_scope};
use mesh_http::idempotency::Scope;
use tower::Service;

use crate::{
    body::{Body, BodyError},
    door::{Guarded, announces_too_much},
    error::Refusal,
    gateway::Gateway,
    idempotency,
    meta::RouteMeta,
    overrides::RouteService,
    peer::Peer,
    snapshot::RouteRef,
    trail::Trail,
};

/// On an answer: the request's body was not read to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unread;

/// What the end of the way needs, in the extensions of the request: a stack is shared by workers, and each has its own
/// connections.
#[derive(Clone, Debug)]
pub(crate) struct Passage {
    pub(crate) gateway: Gateway,
    pub(crate) route: RouteRef,
    pub(crate) peer: Peer,
    pub(crate) trail: Trail,
}

/// Answers a request whose head was checked, by `stack`. `path` is that of its target.
pub(crate) async fn answer<B>(
    passage: Passage,
    stack: RouteService,
    path: &str,
    request: Request<B>,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    let route = passage.route.clone();
    let clock = Arc::clone(&passage.gateway.shared().clock);
    let cells = Arc::clone(passage.gateway.cells());
    let begun = clock.monotonic();
    if let Err(refusal) = announces_too_much(request.headers(), route.body_bounds().0) {
        return refusal.into_response();
    }
    let (request, reading) = prepare(passage, path, request);
    let answered = AssertUnwindSafe(stack.answer(request)).catch_unwind().await;
    if let Some(refusal) = reading.refusal() {
        return refusal.into_response();
    }
    let mut response = match answered {
        Ok(response) => response.map(Body::inner),
        Err(_) => {
            tracing::error!(service = %route.entry().service, uri = %route.entry().uri, "a layer or a handler panicked");
            Refusal::new(Code::Internal, "the gateway could not answer").into_response()
        }
    };
    if !reading.has_ended() {
        response.extensions_mut().insert(Unread);
    }
    if let Some(figures) = cells.route(route.number()) {
        figures.answered(response.status(), clock.monotonic().since(begun));
    }
    response
}

/// The request as layers see it: its body within the limits, its route beside it.
fn prepare<B>(
    passage: Passage,
    path: &str,
    request: Request<B>,
) -> (Request<InnerBody>, Arc<crate::door::Reading>)
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    let (mut parts, body) = request.into_parts();
    let reserved: Vec<HeaderName> = parts.headers.keys().filter(|name| is_reserved(name)).cloned().collect();
    for name in reserved {
        parts.headers.remove(name);
    }
    let route = &passage.route;
    if route.declares_idempotency() {
        // By what the client sent: a layer may take it away, or put a scope of its own here.
        parts.extensions.insert(Scope(edge_scope(&parts.headers)));
    }
    parts.extensions.insert(RouteMeta::new(Arc::clone(route.entry()), path));
    parts.extensions.insert(passage.peer);
    let (limit, limits) = route.body_bounds();
    let (body, reading) = Guarded::around(body, limit, limits);
    parts.extensions.insert(passage);
    (Request::from_parts(parts, body), reading)
}

/// What stands behind the last layer: idempotency where the route asks for it, then the end of the way.
#[derive(Clone, Debug)]
pub(crate) struct Innermost(RouteService);

impl Innermost {
    pub(crate) const fn new(end: RouteService) -> Self {
        Self(end)
    }
}

impl Service<Request<InnerBody>> for Innermost {
    type Response = Response<InnerBody>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<InnerBody>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<InnerBody>) -> Self::Future {
        let end = self.0.clone();
        Box::pin(async move {
            let Some(passage) = request.extensions().get::<Passage>().cloned() else {
                return Ok(without_passage());
            };
            Ok(if passage.route.declares_idempotency() && !request.method().is_safe() {
                idempotency::answer(&passage.gateway, &passage.route, request, end).await.map(InnerBody::new)
            } else {
                end.answer(request).await
            })
        })
    }
}

/// A layer made a request of its own, without the extensions of the one that it was given.
pub(crate) fn without_passage() -> Response<InnerBody> {
    tracing::error!("a request came to the proxy without the extensions that the gateway gave it");
    Refusal::new(Code::Internal, "the request lost its route").into_response().map(InnerBody::new)
}
