//! The service that gives every request one id.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, HeaderValue, Request, Response};
use mesh_core::{
    entropy::{Entropy, uuid_v4},
    header::X_REQUEST_ID,
};
use pin_project_lite::pin_project;
use tower::Service;

/// The longest id that is kept, as for idempotency keys. Source: docs/refusals.md, row 84.
const MAX_ID_BYTES: usize = 255;

/// A request's id, in its extensions: visible ASCII, at most 255 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id(HeaderValue);

impl Id {
    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Gives every request one id. Made by [`RequestId::layer`].
#[derive(Clone, Debug)]
pub struct RequestId<S> {
    inner: S,
    entropy: Arc<dyn Entropy>,
}

impl<S> RequestId<S> {
    pub(super) const fn new(inner: S, entropy: Arc<dyn Entropy>) -> Self {
        Self { inner, entropy }
    }

    /// The request's own id if it has a well-formed one, else a new one.
    fn id(&self, headers: &HeaderMap) -> Id {
        let mut given = headers.get_all(X_REQUEST_ID).iter();
        match (given.next(), given.next()) {
            (Some(one), None) if is_well_formed(one) => Id(one.clone()),
            _ => {
                let mut random = [0; 16];
                self.entropy.fill(&mut random);
                let text = uuid_v4(random);
                Id(HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("")))
            }
        }
    }
}

fn is_well_formed(id: &HeaderValue) -> bool {
    (1..=MAX_ID_BYTES).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
}

impl<S, B, R> Service<Request<B>> for RequestId<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Echo<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let id = self.id(request.headers());
        request.headers_mut().insert(X_REQUEST_ID, id.0.clone());
        request.extensions_mut().insert(id.clone());
        Echo { answer: self.inner.call(request), id: Some(id) }
    }
}

pin_project! {
    /// The answer under way, to which the request's id is added unless it has one of its own.
    #[derive(Debug)]
    pub struct Echo<F> {
        #[pin]
        answer: F,
        id: Option<Id>,
    }
}

impl<F, R, E> Future for Echo<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.answer.poll(context))?;
        if let Some(Id(id)) = this.id.take() {
            response.headers_mut().entry(X_REQUEST_ID).or_insert(id);
        }
        Poll::Ready(Ok(response))
    }
}
