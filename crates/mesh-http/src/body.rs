//! How a request's body is read into memory. Refuses more than its limit.

use std::{error::Error, pin::pin};

use axum::BoxError;
use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use mesh_core::error::Code;

use crate::reject::Refusal;

/// What an unverified request may make us hold. Source: docs/refusals.md, row 26.
pub(crate) const DEFAULT_BODY_LIMIT: usize = 1024 * 1024;

/// Why a body is not in memory. The caller's fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// It announces, or holds, more than the limit. Nothing beyond the limit was kept.
    #[error("the body is too large")]
    TooLarge,
    /// It broke off, or its framing is broken.
    #[error("the body broke off")]
    Broken(#[source] BoxError),
}

impl Unread {
    /// The refusal, noted in the log.
    pub(crate) fn refusal(&self) -> Refusal {
        tracing::info!(error = self as &dyn Error, "request body not read");
        Refusal::of(match self {
            Self::TooLarge => Code::BodyTooLarge,
            Self::Broken(_) => Code::BadFraming,
        })
    }
}

/// Reads `body`, at most `limit` bytes. A body that announces more is not read at all; trailers are dropped.
pub(crate) async fn buffered<B>(body: B, limit: usize) -> Result<Bytes, Unread>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLarge);
    }
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Unread::Broken(error.into()))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len().max(rest.len()) + data.len() > limit {
            return Err(Unread::TooLarge);
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use super::*;

    fn chunks(parts: &[&'static str]) -> impl Body<Data = Bytes, Error = Infallible> {
        let frames: Vec<_> =
            parts.iter().map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes())))).collect();
        StreamBody::new(stream::iter(frames))
    }

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_read_whole_however_it_is_cut() {
        assert_eq!(buffered(Full::from("12345"), 5).await.unwrap(), "12345");
        assert_eq!(buffered(chunks(&["1", "", "23", "45"]), 5).await.unwrap(), "12345");
        assert_eq!(buffered(chunks(&[]), 0).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_refused_announced_or_not() {
        assert!(matches!(buffered(Full::from("123456"), 5).await, Err(Unread::TooLarge)));
        assert!(matches!(buffered(chunks(&["123", "456"]), 5).await, Err(Unread::TooLarge)));
        assert!(matches!(buffered(chunks(&["1", "2", "3"]), 2).await, Err(Unread::TooLarge)));
    }
}
