//! What the gateway answers with: nothing, bytes of its own, or a service's body as it arrives.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::transport::UpstreamBody;

/// The body of an answer. A service's body that breaks off is an error here, never a short body.
#[derive(Debug)]
pub struct Body(Kind);

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is the usual one; a box would cost it an allocation"
)]
enum Kind {
    Full(Option<Bytes>),
    Upstream(UpstreamBody),
    Inner(axum::body::Body),
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
        match &mut self.0 {
            Kind::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Upstream(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
            Kind::Inner(body) => Pin::new(body).poll_frame(context).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Full(bytes) => bytes.is_none(),
            Kind::Upstream(body) => body.is_end_stream(),
            Kind::Inner(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Kind::Upstream(body) => body.size_hint(),
            Kind::Inner(body) => body.size_hint(),
        }
    }
}
