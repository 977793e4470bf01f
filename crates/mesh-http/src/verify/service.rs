//! The services that stand before another one and let in what is verified.

use std::{
    mem,
    task::{Context, Poll},
};

use axum::{BoxError, body::Body};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tower::Service;

use super::door::{Door, Visitor};

/// Lets in requests whose signature and timestamp hold. Made by [`TrustGateway::layer`].
#[derive(Clone, Debug)]
pub struct TrustGateway<S> {
    inner: S,
    door: Door,
}

/// Lets in requests of a named service whose signature and timestamp hold. Made by [`TrustService::layer`].
#[derive(Clone, Debug)]
pub struct TrustService<S> {
    inner: S,
    door: Door,
}

/// A service that differs from its sibling in whom it expects at its door.
macro_rules! stands_before {
    ($name:ident, $visitor:expr) => {
        impl<S> $name<S> {
            pub(super) const fn new(inner: S, door: Door) -> Self {
                Self { inner, door }
            }
        }

        impl<S, B, R> Service<Request<B>> for $name<S>
        where
            S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
            S::Future: Send,
            B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
            R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
        {
            type Response = Response<Body>;
            type Error = S::Error;
            type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

            fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
                self.inner.poll_ready(context)
            }

            fn call(&mut self, request: Request<B>) -> Self::Future {
                let fresh = self.inner.clone();
                let ready = mem::replace(&mut self.inner, fresh);
                Box::pin(enter(self.door.clone(), $visitor, ready, request))
            }
        }
    };
}

stands_before!(TrustGateway, Visitor::Gateway);
stands_before!(TrustService, Visitor::Service);

/// Lets `request` through `door` to `inner`, or answers with the refusal.
async fn enter<S, B, R>(
    door: Door,
    visitor: Visitor,
    mut inner: S,
    request: Request<B>,
) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<Body>, Response = Response<R>>,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let version = request.version();
    match door.admit(request, visitor).await {
        Ok(request) => Ok(inner.call(request).await?.map(Body::new)),
        Err(refusal) => Ok(refusal.answer(version)),
    }
}
