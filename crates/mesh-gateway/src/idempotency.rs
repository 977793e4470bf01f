//! Lets a keyed request to a route that declares `idempotency` run once: the one case in which a store is asked between
//! a request and its answer.
//!
//! Refuses to answer one user with another's response: keys are scoped to `Authorization` and `Cookie`.

mod broken;

use std::{convert::Infallible, error::Error, sync::atomic::Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use mesh_core::{
    error::Code, forward::Survey, header::X_IDEMPOTENCY_CACHE_HIT, idempotency::key::edge_scope,
    route::manifest::RouteIdempotency,
};
use mesh_http::idempotency::{IdempotencyLayer, Scope};
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

use crate::{
    body::{Body, BodyError},
    door::check_head,
    error::Refusal,
    gateway::Gateway,
    metrics::Tally,
    peer::Peer,
    proxy::{self, Arrival, Way},
    snapshot::RouteRef,
    trail::Trail,
};
use broken::Watching;

/// Answers an unsafe request to a route that declares `idempotency`: forwarded, replayed or refused.
pub(crate) async fn answer_straight<B>(
    gateway: &Gateway,
    route: RouteRef,
    mut request: Request<B>,
    peer: Peer,
    trail: Trail,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    let scope = Scope(edge_scope(request.headers()));
    request.extensions_mut().insert(scope);
    let forward = {
        let (gateway, route) = (gateway.clone(), route.clone());
        service_fn(move |request: Request<axum::body::Body>| {
            let (gateway, route, trail) = (gateway.clone(), route.clone(), trail.clone());
            async move { Ok::<_, Infallible>(forwarded(&gateway, &route, request, peer, &trail).await) }
        })
    };
    answer(gateway, &route, request, forward).await
}

/// Like [`answer_straight`], with another end of the way; the scope stands in the request's extensions.
pub(crate) async fn answer<B, S, R>(
    gateway: &Gateway,
    route: &RouteRef,
    request: Request<B>,
    end: S,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
    S: Service<Request<axum::body::Body>, Response = Response<R>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (end, broke) = Watching::around(end);
    match layer(gateway, route).layer(end).oneshot(request).await {
        // Nothing of the answer went out: it was held to be kept.
        Ok(_) if broke.load(Ordering::Relaxed) => {
            Refusal::new(Code::UpstreamUnreachable, "the service's answer broke off").into_response()
        }
        Ok(response) => {
            if response.headers().contains_key(X_IDEMPOTENCY_CACHE_HIT) {
                gateway.cells().count(Tally::Replayed);
            }
            response.map(Body::inner)
        }
        Err(never) => match never {},
    }
}

async fn forwarded(
    gateway: &Gateway,
    route: &RouteRef,
    request: Request<axum::body::Body>,
    peer: Peer,
    trail: &Trail,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    // The head was good when the request came in; it is read again because it borrows from the request.
    let survey = Survey::of(&parts.headers);
    let limits = &route.policy.reloadable.settings.limits;
    let forwarded = match check_head(&parts, survey, !body.is_end_stream(), limits) {
        Ok(head) => {
            let arrival = Arrival { peer, way: Way::Straight, trail };
            proxy::forward(gateway, route, &parts, &head, body, arrival).await
        }
        Err(refusal) => Err(refusal),
    };
    forwarded.unwrap_or_else(Refusal::into_response)
}

/// The layer with the numbers of the settings, and what the route asks of it.
fn layer(gateway: &Gateway, route: &RouteRef) -> IdempotencyLayer {
    let settings = &route.policy.reloadable.settings.idempotency;
    let layer = gateway
        .shared()
        .idempotency
        .clone()
        .service(route.entry().service.clone())
        .body_limit(usize::try_from(route.terms().body_limit).unwrap_or(usize::MAX))
        .ttl(settings.ttl)
        .lock_timeout(settings.lock_timeout)
        .max_body(settings.max_body);
    match route.terms().idempotency {
        Some(RouteIdempotency::Required) => layer.required(),
        _ => layer,
    }
}
