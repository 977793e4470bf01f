//! What the gateway answers with: nothing, bytes of its own, or a service's body as it arrives.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use crate::{access_log::Pending, transport::UpstreamBody};

/// The body of an answer. A service's body that breaks off is an error here, never a short body.
#[derive(Debug)]
pub struct Body(Kind);

#[derive(Debug)]
enum Kind {
    Full(Option<Bytes>),
    Upstream(UpstreamBody),
    Inner(axum::body::Body),
    Noted(Box<Self>, Arc<Pending>),
}

/// Why a body broke off.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

impl Body {
    /// No bytes.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Kind::Full(None))
    }

    /// These bytes.
    #[must_use]
    pub fn full(bytes: Bytes) -> Self {
        Self(Kind::Full(Some(bytes).filter(|bytes| !bytes.is_empty())))
    }

    /// The body of a layer in front.
    pub(crate) const fn inner(body: axum::body::Body) -> Self {
        Self(Kind::Inner(body))
    }

    /// This body, told of to the access log.
    pub(crate) fn noted(self, line: Arc<Pending>) -> Self {
        if self.is_end_stream() {
            line.completed();
        }
        Self(Kind::Noted(Box::new(self.0), line))
    }

    pub(crate) const fn upstream(body: UpstreamBody) -> Self {
        Self(Kind::Upstream(body))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0.poll(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size()
    }
}

impl Kind {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self {
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Upstream(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Self::Inner(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Self::Noted(body, line) => {
                let polled = body.poll(context);
                if let Poll::Ready(Some(Ok(frame))) = &polled {
                    line.sent(frame.data_ref().map_or(0, Bytes::len));
                }
                if matches!(polled, Poll::Ready(None | Some(Ok(_)))) && body.is_end() {
                    line.completed();
                }
                polled
            }
        }
    }

    fn is_end(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_none(),
            Self::Upstream(body) => body.is_end_stream(),
            Self::Inner(body) => body.is_end_stream(),
            Self::Noted(body, _) => body.is_end(),
        }
    }

    fn size(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Upstream(body) => body.size_hint(),
            Self::Inner(body) => body.size_hint(),
            Self::Noted(body, _) => body.size(),
        }
    }
}
