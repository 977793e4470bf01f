//! An answer whose body is still under way.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream::try_unfold};
use http::{HeaderMap, HeaderValue, StatusCode, response::Parts};
use mesh_core::{health::view::ServiceView, retry::Failure};

use crate::{
    driver::{AttemptRecord, Driver, Pending},
    error::CallError,
    transport::{BodyStream, TransportError},
};

/// An answer below 500 whose body is read piece by piece, without a limit on its size.
///
/// A body that breaks off, or stands still for longer than the timeout of an attempt, ends in an error and counts as a
/// failure of the instance.
pub struct StreamingResponse {
    head: Parts,
    body: BodyStream,
    attempts: Vec<AttemptRecord>,
    watch: Watch,
}

/// Who is told when the body breaks off.
pub(crate) struct Watch {
    pub(crate) driver: Driver,
    pub(crate) view: Arc<ServiceView>,
    pub(crate) instance: Option<usize>,
    /// The longest pause between two pieces.
    pub(crate) pause: Duration,
    /// The call's id.
    pub(crate) request_id: Option<HeaderValue>,
    /// The instance's success, where the body decides it.
    pub(crate) pending: Option<Pending>,
}

impl StreamingResponse {
    pub(crate) fn new(
        answer: http::Response<BodyStream>,
        attempts: Vec<AttemptRecord>,
        watch: Watch,
    ) -> Self {
        let (head, body) = answer.into_parts();
        Self { head, body, attempts, watch }
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.head.status
    }

    /// All headers, each line on its own.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Every attempt of the call, in order; the last one brought this answer.
    #[must_use]
    pub fn attempts(&self) -> &[AttemptRecord] {
        &self.attempts
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`CallError::Interrupted`] when the body breaks off; nothing follows.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, CallError> {
        let error = match tokio::time::timeout(self.watch.pause, self.body.next()).await {
            Ok(None) => {
                self.watch.pending.take().into_iter().for_each(Pending::good);
                return Ok(None);
            }
            Ok(Some(Ok(bytes))) => return Ok(Some(bytes)),
            Ok(Some(Err(error))) => error,
            Err(_) => {
                let message = format!("nothing came for {} ms", self.watch.pause.as_millis());
                TransportError::lost(Failure::Timeout, message)
            }
        };
        self.body = Box::pin(futures_util::stream::empty());
        self.watch.pending = None;
        let TransportError { failure, message, .. } = error;
        if let Some(instance) = self.watch.instance {
            let id = self.watch.request_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
            self.watch.driver.body_failed(&self.watch.view, instance, id, &message);
        }
        Err(CallError::Interrupted { service: self.watch.view.name().clone(), failure, message })
    }

    /// The body as a stream; an error is its end.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, CallError>> + Send {
        try_unfold(self, |mut answer| async move { Ok(answer.chunk().await?.map(|bytes| (bytes, answer))) })
    }
}

impl fmt::Debug for StreamingResponse {
    /// Without header values: they are not ours to print.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StreamingResponse")
            .field("service", self.watch.view.name())
            .field("status", &self.status())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
