//! The body of a client's request, read from its connection as somebody asks for it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::client::{BrokenBody, SharedClient};

/// The body of a request; without a client, none.
#[derive(Debug)]
pub(super) struct RequestBody(Option<SharedClient>);

impl RequestBody {
    pub(super) const fn empty() -> Self {
        Self(None)
    }

    /// The body of the request that has begun.
    pub(super) const fn of(client: SharedClient) -> Self {
        Self(Some(client))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BrokenBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenBody>>> {
        let Some(client) = &self.0 else { return Poll::Ready(None) };
        let read = ready!(client.lock().poll_body(context));
        if !matches!(read, Ok(Some(_))) {
            self.leave();
        }
        Poll::Ready(read.transpose().map(|read| read.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|client| client.lock().has_ended())
    }

    fn size_hint(&self) -> SizeHint {
        match self.0.as_ref().map(|client| client.lock().left()) {
            None => SizeHint::with_exact(0),
            Some(Some(left)) => SizeHint::with_exact(left),
            Some(None) => SizeHint::default(),
        }
    }
}

impl RequestBody {
    fn leave(&mut self) {
        if let Some(client) = self.0.take() {
            client.lock().leave();
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.leave();
    }
}
