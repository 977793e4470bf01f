//! One keyed request from claim to answer: runs once, whatever becomes of its client.

use std::{error::Error, panic::AssertUnwindSafe};

use axum::{BoxError, body::Body};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, Request, Response, Version, response::Parts};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use mesh_core::{
    error::Code,
    event::Event,
    idempotency::{
        Answer, AnswerBody, Fingerprint, IdempotencyKey, RequestKey,
        answer::{forbids_keeping, kept_headers},
        verdict::is_stored,
    },
};
use tower::Service;

use super::{
    ledger::{Claim, Decision, Ledger},
    reply::replay,
    terms::Terms,
};
use crate::reject::Refusal;

/// What identifies a keyed request.
#[derive(Debug)]
pub(super) struct Keyed {
    pub(super) sent: RequestKey,
    pub(super) key: IdempotencyKey,
    pub(super) fingerprint: Fingerprint,
    pub(super) path: String,
}

/// An answer of the handler, as far as it must be known before it is delivered.
enum Finished {
    Buffered(Parts, Bytes, Option<HeaderMap>),
    Streaming(Parts, Body),
    Broken,
}

/// Answers a keyed request: by running `inner`, from memory, or with a refusal.
pub(super) async fn answer<S, R>(
    terms: &Terms,
    ledger: &Ledger,
    keyed: Keyed,
    inner: S,
    request: Request<Body>,
) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<Body>, Response = Response<R>>,
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    match ledger.begin(&keyed.key, &keyed.fingerprint, terms).await {
        Decision::Run(claim) => run(terms, ledger, claim, &keyed.fingerprint, inner, request).await,
        Decision::Refuse(code) => Ok(Refusal::of(code).answer(request.version())),
        Decision::Replay { answer, stored } => {
            terms.sink.emit(Event::IdempotentRequestDetected {
                key: keyed.sent.as_str().to_owned(),
                method: request.method().clone(),
                path: keyed.path,
            });
            let mut response = replay(answer);
            if !stored {
                ledger.mark_not_stored(&mut response);
            }
            Ok(response)
        }
    }
}

/// Runs the handler under `claim`, and leaves its answer or releases the claim.
async fn run<S, R>(
    terms: &Terms,
    ledger: &Ledger,
    claim: Claim,
    fingerprint: &Fingerprint,
    mut inner: S,
    request: Request<Body>,
) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<Body>, Response = Response<R>>,
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let version = request.version();
    let renewal = ledger.renew(&claim, terms.lock_timeout);
    // Nothing of the handler is used after its panic: its service was cloned for this one request.
    let outcome = AssertUnwindSafe(async {
        let response = inner.call(request).await?.map(Body::new);
        Ok(finish(response, terms.max_body).await)
    })
    .catch_unwind()
    .await;
    drop(renewal);

    let (parts, kept, body) = match outcome {
        Ok(Ok(Finished::Buffered(parts, bytes, trailers))) => {
            let kept = match forbids_keeping(&parts.headers) {
                true => AnswerBody::NotKept,
                false => AnswerBody::Whole(bytes.clone()),
            };
            (parts, kept, rebuilt(bytes, trailers))
        }
        Ok(Ok(Finished::Streaming(parts, body))) => (parts, AnswerBody::NotKept, body),
        Ok(Err(error)) => {
            ledger.release(claim).await;
            return Err(error);
        }
        Ok(Ok(Finished::Broken)) | Err(_) => {
            ledger.release(claim).await;
            return Ok(Refusal::of(Code::Internal).answer(version));
        }
    };
    if !is_stored(parts.status.as_u16()) {
        ledger.release(claim).await;
        return Ok(Response::from_parts(parts, body));
    }
    let answer = Answer { status: parts.status.as_u16(), headers: kept_headers(&parts.headers), body: kept };
    let stored = ledger.complete(claim, fingerprint, &answer, terms.ttl).await;
    let mut response = Response::from_parts(parts, body);
    if !stored {
        ledger.mark_not_stored(&mut response);
    }
    Ok(response)
}

/// Reads the body of an answer that will be kept; leaves any other as it comes.
async fn finish(response: Response<Body>, max_body: u64) -> Finished {
    let (parts, body) = response.into_parts();
    let short = body.size_hint().upper().is_some_and(|length| length <= max_body);
    if !short || !is_stored(parts.status.as_u16()) {
        return Finished::Streaming(parts, body);
    }
    match body.collect().await {
        Ok(collected) => {
            let trailers = collected.trailers().cloned();
            Finished::Buffered(parts, collected.to_bytes(), trailers)
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn Error, "an answer broke off before it could be kept");
            Finished::Broken
        }
    }
}

/// The body as it was read.
fn rebuilt(bytes: Bytes, trailers: Option<HeaderMap>) -> Body {
    match trailers {
        None => Body::from(bytes),
        Some(trailers) => Body::new(Full::new(bytes).with_trailers(std::future::ready(Some(Ok(trailers))))),
    }
}

/// What is answered when the runtime ended the request's task.
pub(super) fn cancelled(version: Version) -> Response<Body> {
    Refusal::of(Code::Internal).answer(version)
}
