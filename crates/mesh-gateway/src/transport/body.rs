//! A service's answer as it arrives, over either protocol; when it breaks off, the instance is told on.

mod http1;
mod http2;

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::tunnel::Tunnel;
use crate::http1::Malformed;
pub(super) use http1::Pieces;
pub(super) use http2::Frames;

/// What is called at the end of the body; with a message when that is no good one.
type OnEnd = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// The body of a service's answer.
pub(crate) struct UpstreamBody {
    kind: Kind,
    on_end: Option<OnEnd>,
}

enum Kind {
    Http1(Box<Pieces>),
    Http2(Box<Frames>),
    /// Nothing comes any more, but why it broke off.
    Over(Option<Broken>),
}

/// Why a body broke off. The instance's fault, but for [`is_client_s`](Self::is_client_s).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the connection was lost within the answer: {0}")]
    Lost(#[from] io::Error),
    #[error("the answer ended before its end")]
    Short,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the stream was lost within the answer: {0}")]
    Stream(Box<h2::Error>),
}

impl Broken {
    /// Whether the gateway itself ended the stream, because the client's side of it broke off.
    fn is_client_s(&self) -> bool {
        matches!(self, Self::Stream(error) if error.is_reset() && !error.is_remote() && !error.is_library())
    }
}

impl From<h2::Error> for Broken {
    fn from(error: h2::Error) -> Self {
        Self::Stream(Box::new(error))
    }
}

impl UpstreamBody {
    const fn new(kind: Kind) -> Self {
        Self { kind, on_end: None }
    }

    pub(super) fn http1(pieces: Pieces) -> Self {
        Self::new(Kind::Http1(Box::new(pieces)))
    }

    pub(super) fn http2(frames: Frames) -> Self {
        Self::new(Kind::Http2(Box::new(frames)))
    }

    /// The connection of an instance that switched protocols.
    pub(crate) fn into_tunnel(self) -> Option<Tunnel> {
        match self.kind {
            Kind::Http1(pieces) => pieces.into_tunnel(),
            Kind::Http2(_) | Kind::Over(_) => None,
        }
    }

    /// Whether all of it has come: it cannot break off any more.
    pub(crate) fn is_here(&self) -> bool {
        match &self.kind {
            Kind::Http1(pieces) => pieces.is_here(),
            Kind::Http2(_) | Kind::Over(_) => self.is_end_stream(),
        }
    }

    /// Calls `on_end` when the body has come or breaks off, and not when it is given up. A body without bytes calls nobody.
    pub(crate) fn watch(&mut self, on_end: impl FnOnce(Result<(), &str>) + Send + 'static) {
        if !self.is_end_stream() {
            self.on_end = Some(Box::new(on_end));
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let piece = ready!(match &mut self.kind {
            Kind::Http1(pieces) => pieces.poll_piece(context),
            Kind::Http2(frames) => frames.poll_piece(context),
            Kind::Over(broken) => return Poll::Ready(broken.take().map(Err)),
        });
        match piece {
            Ok(piece) => {
                if (piece.is_none() || self.is_end_stream())
                    && let Some(on_end) = self.on_end.take()
                {
                    on_end(Ok(()));
                }
                Poll::Ready(piece.map(Ok))
            }
            Err(broken) => {
                if let Some(on_end) = self.on_end.take().filter(|_| !broken.is_client_s()) {
                    on_end(Err(&broken.to_string()));
                }
                // The error ends the client's connection at once: what came before it is let out first.
                self.kind = Kind::Over(Some(broken));
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Http1(pieces) => pieces.is_end(),
            Kind::Http2(frames) => frames.is_end(),
            Kind::Over(broken) => broken.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Http1(pieces) => pieces.size(),
            Kind::Http2(frames) => frames.size(),
            Kind::Over(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UpstreamBody").field("is_end", &self.is_end_stream()).finish_non_exhaustive()
    }
}

/// The trailers that go on: none that frames the message or speaks for the mesh (RFC 9110 §6.5.1).
pub(super) fn forwarded(trailers: &HeaderMap) -> Option<HeaderMap> {
    use mesh_core::header::{is_framing, is_hop_by_hop, is_protected};
    let goes_on = |name: &http::HeaderName| !is_hop_by_hop(name) && !is_framing(name) && !is_protected(name);
    let kept: HeaderMap = trailers
        .iter()
        .filter(|(name, _)| goes_on(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    (!kept.is_empty()).then_some(kept)
}
