//! The service that stands before another one and lets a keyed request run once.

use std::{
    borrow::Cow,
    mem,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{BoxError, body::Body};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, request::Parts};
use mesh_core::{
    error::Code,
    idempotency::{Fingerprint, IdempotencyKey, RequestKey, key::caller_scope},
};
use tower::Service;
use tracing::Instrument;

use super::{
    execution::Executions,
    ledger::Ledger,
    run::{Keyed, answer, cancelled},
    terms::Terms,
};
use crate::{body::buffered, caller::Caller, reject::Refusal, target::sent_uri};

/// The scope of requests without a verified caller: no service can be called so.
const ANONYMOUS: &str = "{anonymous}";

/// Among whose keys a request's key is looked for, where that is not the verified caller's: an edge knows users and not
/// callers. Put into the request's extensions by whoever stands before the layer; wins over a `Caller`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(pub String);

/// Lets a request that is sent twice run once. Made by [`Idempotency::layer`].
#[derive(Clone, Debug)]
pub struct Idempotency<S> {
    inner: S,
    terms: Arc<Terms>,
    ledger: Ledger,
    executions: Executions,
}

impl<S> Idempotency<S> {
    pub(super) const fn new(inner: S, terms: Arc<Terms>, ledger: Ledger, executions: Executions) -> Self {
        Self { inner, terms, ledger, executions }
    }
}

impl<S, B, R> Service<Request<B>> for Idempotency<S>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
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
        let mut ready = mem::replace(&mut self.inner, fresh);
        let (terms, ledger, executions) = (self.terms.clone(), self.ledger.clone(), self.executions.clone());
        Box::pin(async move {
            let version = request.version();
            let sent = match key_of(&request, &terms) {
                Ok(Some(sent)) => sent,
                Ok(None) => return Ok(ready.call(request.map(Body::new)).await?.map(Body::new)),
                Err(refusal) => return Ok(refusal.answer(version)),
            };
            let (keyed, request) = match identify(request, sent, &terms).await {
                Ok(identified) => identified,
                Err(refusal) => return Ok(refusal.answer(version)),
            };
            // A task of its own: a client that goes away does not stop what it has begun.
            let work = async move { answer(&terms, &ledger, keyed, ready, request).await };
            let running = executions.start(work.instrument(tracing::Span::current()));
            running.await.unwrap_or_else(|_| Ok(cancelled(version)))
        })
    }
}

/// The key under which a request runs once; `None` when it may run as often as it comes.
fn key_of<B>(request: &Request<B>, terms: &Terms) -> Result<Option<RequestKey>, Refusal> {
    if request.method().is_safe() {
        return Ok(None);
    }
    let read = if terms.compat { RequestKey::from_request_id } else { RequestKey::from_headers };
    match read(request.headers()) {
        Ok(None) if terms.required => Err(Refusal::of(Code::IdempotencyKeyMissing)),
        Ok(sent) => Ok(sent),
        Err(error) => Err(Refusal::of(error.code())),
    }
}

/// Whose request it is and what it asks; its body is in memory afterwards.
async fn identify<B>(
    request: Request<B>,
    sent: RequestKey,
    terms: &Terms,
) -> Result<(Keyed, Request<Body>), Refusal>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    let (parts, body) = request.into_parts();
    let key = match terms.compat {
        true => IdempotencyKey::compat(&sent),
        false => IdempotencyKey::scoped(&scope(&parts, terms)?, &terms.service, &sent),
    };
    let body = buffered(body, terms.body_limit).await.map_err(|unread| unread.refusal())?;
    let uri = sent_uri(&parts);
    let fingerprint = Fingerprint::of(parts.method.as_str(), uri.path(), uri.query(), &body);
    let keyed = Keyed { sent, key, fingerprint, path: uri.path().to_owned() };
    Ok((keyed, Request::from_parts(parts, Body::from(body))))
}

/// Who must not be answered with somebody else's answer.
fn scope<'p>(parts: &'p Parts, terms: &Terms) -> Result<Cow<'p, str>, Refusal> {
    if let Some(Scope(scope)) = parts.extensions.get() {
        return Ok(scope.into());
    }
    match parts.extensions.get::<Caller>() {
        Some(caller) => Ok(caller_scope(caller.name(), &parts.headers).into()),
        None if terms.anonymous => Ok(ANONYMOUS.into()),
        None => {
            tracing::error!(
                path = parts.uri.path(),
                "no verified caller before the idempotency layer: add TrustService after Idempotency"
            );
            Err(Refusal::of(Code::IdempotencyNoCaller))
        }
    }
}
