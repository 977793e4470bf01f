//! The body of an answer over HTTP/2. When it ends, well or not, its stream makes room for another one; when it is
//! dropped before, the instance is told to stop (RST_STREAM).

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::{Reason, RecvStream};
use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body::{Frame, SizeHint};

use super::{Broken, forwarded};
use crate::transport::http2::{Sending, Slot};

/// What is held while the body lasts: the stream's room, and who sends the rest of the request.
type Held = (Slot, Option<Sending>);

/// A body over a stream of a shared connection.
pub(in crate::transport) struct Frames {
    /// None: it is over.
    stream: Option<(RecvStream, Held)>,
    /// How much is still to come, where the answer said so.
    left: Option<u64>,
    has_data_ended: bool,
}

impl Frames {
    /// The body of an answer with these headers.
    pub(in crate::transport) fn new(headers: &HeaderMap, stream: RecvStream, held: Held) -> Self {
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let is_over = stream.is_end_stream();
        Self { stream: (!is_over).then_some((stream, held)), left: length, has_data_ended: false }
    }

    pub(super) const fn is_end(&self) -> bool {
        self.stream.is_none()
    }

    pub(super) fn size(&self) -> SizeHint {
        match self.left {
            _ if self.is_end() => SizeHint::with_exact(0),
            Some(left) => SizeHint::with_exact(left),
            None => SizeHint::default(),
        }
    }

    /// The next frame; none: it is over.
    pub(super) fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Frame<Bytes>>, Broken>> {
        loop {
            let Some((stream, (slot, _))) = &mut self.stream else { return Poll::Ready(Ok(None)) };
            if self.has_data_ended {
                let trailers = ready!(stream.poll_trailers(context));
                self.stream = None;
                let trailers = unless_done(trailers)?.flatten();
                return Poll::Ready(Ok(trailers.as_ref().and_then(forwarded).map(Frame::trailers)));
            }
            let data = ready!(stream.poll_data(context)).transpose();
            let Some(data) = unless_done(data)?.flatten() else {
                self.has_data_ended = true;
                continue;
            };
            slot.hear();
            // It is on its way to the client, whose own pace decides when more is asked for.
            let _gone_or_not = stream.flow_control().release_capacity(data.len());
            self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
            if stream.is_end_stream() {
                self.stream = None;
            }
            if !data.is_empty() {
                return Poll::Ready(Ok(Some(Frame::data(data))));
            }
        }
    }
}

/// An instance that has answered and wants no more of the request says so with a reset that is no error (RFC 9113 §8.1).
fn unless_done<T>(result: Result<T, h2::Error>) -> Result<Option<T>, h2::Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_reset() && error.reason() == Some(Reason::NO_ERROR) => Ok(None),
        Err(error) => Err(error),
    }
}
