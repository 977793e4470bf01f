//! Notes that a service's answer broke off while it was held to be kept: the client can still be told.

use std::{
    convert::Infallible,
    error::Error,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::Service;

use crate::{body::BodyError, transport::Broken};

/// The end of a request's way, whose answer is watched.
#[derive(Clone, Debug)]
pub(super) struct Watching<S> {
    end: S,
    broke: Arc<AtomicBool>,
}

impl<S> Watching<S> {
    /// `end`, and whether a service's answer broke off behind it.
    pub(super) fn around(end: S) -> (Self, Arc<AtomicBool>) {
        let broke = Arc::<AtomicBool>::default();
        (Self { end, broke: Arc::clone(&broke) }, broke)
    }
}

impl<S, B, R> Service<Request<B>> for Watching<S>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Watched<R>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.end.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (answering, broke) = (self.end.call(request), Arc::clone(&self.broke));
        Box::pin(async move { Ok(answering.await?.map(|body| Watched { body: Box::pin(body), broke })) })
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(super) struct Watched<R> {
    body: Pin<Box<R>>,
    broke: Arc<AtomicBool>,
}

impl<R> Body for Watched<R>
where
    R: Body<Data = Bytes>,
    R::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.body.as_mut().poll_frame(context).map_err(|error| {
            let error = error.into();
            if is_of_service(&*error) {
                self.broke.store(true, Ordering::Relaxed);
            }
            error
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether a body broke off because its service's did.
fn is_of_service(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<Broken>() {
            return true;
        }
        cause = error.source();
    }
    false
}
