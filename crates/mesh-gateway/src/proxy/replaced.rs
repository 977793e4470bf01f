//! The proxy as a service: the gateway's own, and one that the embedding code puts in its place.

use std::{
    convert::Infallible,
    future::Future,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::Body;
use futures_util::future::BoxFuture;
use http::{Method, Request, Response, request::Parts};
use mesh_core::{error::Code, forward::Survey};
use tower::Service;

use super::{Arrival, Way, forward};
use crate::{
    door::{Head, check_head},
    error::Refusal,
    layered::{Passage, without_passage},
    meta::RouteMeta,
    snapshot::RouteRef,
};

/// Answers the requests of all routes in place of the gateway's own proxy; see
/// [`GatewayBuilder::proxy`](crate::GatewayBuilder::proxy).
///
/// Every `async fn(Request<Body>, DefaultProxy) -> Response<Body>` is one.
pub trait Proxy: Send + Sync + 'static {
    /// Answers one request; its route is the [`RouteMeta`] in its extensions. `default` forwards it as the gateway
    /// would.
    fn forward(
        &self,
        request: Request<Body>,
        default: DefaultProxy,
    ) -> impl Future<Output = Response<Body>> + Send;
}

impl<F, Answer> Proxy for F
where
    F: Fn(Request<Body>, DefaultProxy) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Response<Body>> + Send,
{
    fn forward(
        &self,
        request: Request<Body>,
        default: DefaultProxy,
    ) -> impl Future<Output = Response<Body>> + Send {
        self(request, default)
    }
}

/// The gateway's own proxy: signs, forwards, fails over. For requests that came by a gateway's layers, a handler or a
/// replaced proxy, with the extensions that they came with.
///
/// Method, path, query, headers and body may be changed on the way, but not so that another route would take the
/// request: that is answered 500. Identity headers that were set on the way (`X-User-*`, `X-Tenant-Id`, `X-Role`) go on to the
/// service; the client's own were taken out before.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultProxy;

impl DefaultProxy {
    /// Forwards one request to the service of its route. A refusal is an answer.
    pub async fn forward(self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let Some(Passage { gateway, route, peer, trail }) = parts.extensions.get::<Passage>().cloned() else {
            return without_passage();
        };
        let survey = Survey::of(&parts.headers);
        let trail = trail.after_layers(&survey, &*gateway.shared().entropy);
        let has_body = !http_body::Body::is_end_stream(&body);
        let head = check_head(&parts, survey, has_body, &route.policy.reloadable.settings.limits)
            .and_then(|head| if is_of_route(&route, &parts, &head) { Ok(head) } else { Err(astray()) });
        let answered = match head {
            Ok(head) => {
                let arrival = Arrival { peer, way: Way::Layered, trail: &trail };
                forward(&gateway, &route, &parts, &head, body, arrival).await
            }
            Err(refusal) => Err(refusal),
        };
        answered.unwrap_or_else(Refusal::into_response).map(Body::new)
    }
}

/// Whether the route takes the request, which may have been changed on the way.
fn is_of_route(route: &RouteRef, parts: &Parts, head: &Head<'_>) -> bool {
    let declared = &route.entry().route.method;
    let takes_method =
        parts.method == *declared || (parts.method == Method::HEAD && *declared == Method::GET);
    let came = parts.extensions.get::<RouteMeta>();
    takes_method
        && head.target.is_some_and(|target| {
            came.is_some_and(|meta| meta.path() == target.path()) || route.entry().uri.matches(target.path())
        })
}

fn astray() -> Refusal {
    tracing::error!("a request was changed on its way so that its route does not take it");
    Refusal::new(Code::Internal, "the request was led away from its route")
}

impl Service<Request<Body>> for DefaultProxy {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let proxy = *self;
        Box::pin(async move { Ok(proxy.forward(request).await) })
    }
}

/// A proxy of the embedding code as a service.
#[derive(Debug)]
pub(crate) struct Replaced<P>(Arc<P>);

impl<P> Replaced<P> {
    pub(crate) fn new(proxy: P) -> Self {
        Self(Arc::new(proxy))
    }
}

impl<P> Clone for Replaced<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: Proxy> Service<Request<Body>> for Replaced<P> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let proxy = Arc::clone(&self.0);
        Box::pin(async move { Ok(proxy.forward(request, DefaultProxy).await) })
    }
}
