//! Holds a request's body, because v1 signs it whole: no more than the limit, no slower than the window.

use std::{future::poll_fn, pin::pin, task::Poll};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body::Body;
use mesh_core::error::Code;
use tokio::time::{Instant, timeout_at};

use crate::{error::Refusal, settings::Limits};

/// The whole body, at most `limit` bytes.
pub(crate) async fn buffer<B>(
    headers: &HeaderMap,
    body: B,
    limit: u64,
    limits: &Limits,
) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    announces_too_much(headers, limit)?;
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    // Most bodies came with their head: no clock is asked for those.
    let mut window: Option<Window> = None;
    while !body.is_end_stream() {
        let mut next = poll_fn(|context| body.as_mut().poll_frame(context).map_err(drop));
        let frame = match poll_fn(|context| Poll::Ready(next.poll_unpin(context))).await {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let ends = window.get_or_insert_with(|| Window::open(limits)).ends;
                timeout_at(ends, next).await.map_err(|_| too_slow())?
            }
        };
        let Some(frame) = frame else { break };
        let Ok(bytes) = frame.map_err(|()| malformed_body())?.into_data() else { continue };
        let length = first.len().max(whole.len()) as u64 + bytes.len() as u64;
        if length > limit {
            return Err(too_large(limit));
        }
        if let Some(window) = &mut window {
            window.count(bytes.len() as u64, limits);
        }
        if first.is_empty() {
            first = bytes;
            continue;
        }
        if whole.is_empty() {
            let expected = announced(headers).unwrap_or_default().max(length);
            whole.reserve(usize::try_from(expected).unwrap_or_default());
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&bytes);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

/// Refuses a body that is announced to be larger than `limit`, before a byte of it is read.
pub(crate) fn announces_too_much(headers: &HeaderMap, limit: u64) -> Result<(), Refusal> {
    if announced(headers).is_some_and(|length| length > limit) { Err(too_large(limit)) } else { Ok(()) }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(crate) fn malformed_body() -> Refusal {
    Refusal::new(Code::BadFraming, "the request body is malformed")
}

pub(super) fn too_slow() -> Refusal {
    Refusal::new(Code::RequestTimeout, "the request body came too slowly")
}

pub(super) fn too_large(limit: u64) -> Refusal {
    Refusal::new(Code::BodyTooLarge, format!("the request body is larger than {limit} bytes"))
}

/// The stretch of time in which the next bytes must come.
pub(super) struct Window {
    ends: Instant,
    received: u64,
}

impl Window {
    pub(super) fn open(limits: &Limits) -> Self {
        Self { ends: now() + limits.body_window, received: 0 }
    }

    pub(super) const fn ends(&self) -> Instant {
        self.ends
    }

    pub(super) fn count(&mut self, bytes: u64, limits: &Limits) {
        self.received += bytes;
        if self.received >= limits.body_window_bytes {
            *self = Self::open(limits);
        }
    }
}

/// The timer's own time, which tests can pause.
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use http_body_util::{Full, StreamBody};
    use std::{convert::Infallible, time::Duration};

    use super::*;

    fn chunks(sizes: &[usize]) -> impl Body<Data = Bytes, Error = Infallible> + use<> {
        let frames: Vec<_> =
            sizes.iter().map(|size| Ok(http_body::Frame::data(Bytes::from(vec![b'x'; *size])))).collect();
        StreamBody::new(futures_util::stream::iter(frames))
    }

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_held_whole() {
        let limits = Limits::default();
        let body = buffer(&HeaderMap::new(), chunks(&[3, 4, 3]), 10, &limits).await.unwrap();
        assert_eq!(body.len(), 10);
        let body = buffer(&HeaderMap::new(), Full::new(Bytes::new()), 10, &limits).await.unwrap();
        assert!(body.is_empty());
    }

    #[tokio::test]
    async fn one_byte_more_is_refused() {
        let refusal = buffer(&HeaderMap::new(), chunks(&[3, 4, 4]), 10, &Limits::default()).await;
        assert_eq!(refusal.unwrap_err().code, Code::BodyTooLarge);
    }

    #[tokio::test]
    async fn an_announced_length_is_refused_before_a_byte_is_read() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, 11.into());
        let never =
            StreamBody::new(futures_util::stream::pending::<Result<http_body::Frame<Bytes>, Infallible>>());
        let refusal = buffer(&headers, never, 10, &Limits::default()).await;
        assert_eq!(refusal.unwrap_err().code, Code::BodyTooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_ends_in_408() {
        let never =
            StreamBody::new(futures_util::stream::pending::<Result<http_body::Frame<Bytes>, Infallible>>());
        let begun = now();
        let refusal = buffer(&HeaderMap::new(), never, 10, &Limits::default()).await;
        assert_eq!(refusal.unwrap_err().code, Code::RequestTimeout);
        assert!(begun.elapsed() >= Duration::from_secs(10));
    }
}
