//! A body of a request that goes on as it comes, no faster than the instance takes it.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::future::{Either, select};
use h2::{Reason, SendStream};
use http_body::Body;
use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use tokio::{sync::Notify, task::AbortHandle};

use crate::{body::BodyError, transport::body::forwarded};

type AnyBody = UnsyncBoxBody<Bytes, BodyError>;

/// A body that nobody holds: it can be sent once.
#[derive(Debug)]
pub(crate) struct Streamed {
    body: Mutex<Option<AnyBody>>,
    /// Its length, where the client said it.
    length: Option<u64>,
    /// Told when it breaks off.
    broke: Arc<Notify>,
}

/// A body that is being sent, until this is dropped: then its stream ends with it.
#[derive(Debug)]
pub(in crate::transport) struct Sending(AbortHandle);

impl Streamed {
    pub(crate) fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let length = body.size_hint().exact();
        let body = body.map_err(Into::into).boxed_unsync();
        Self { body: Mutex::new(Some(body)), length, broke: Arc::default() }
    }

    /// What comes of `call`; none: the body broke off before, which is no instance's fault. Then the call is dropped.
    pub(crate) async fn unless_broken<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        // Looked at first: the stream is reset for it, which looks like a failure of the instance.
        match select(pin!(self.broke.notified()), pin!(call)).await {
            Either::Left(_) => None,
            Either::Right((report, _)) => Some(report),
        }
    }

    pub(super) const fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether nothing of it was sent.
    pub(super) fn is_whole(&self) -> bool {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Begins to send it, in a task of its own: the answer may come before its end, and be read while it goes on.
    ///
    /// # Errors
    ///
    /// When it was sent before.
    pub(super) fn send(&self, stream: SendStream<Bytes>) -> Result<Sending, h2::Error> {
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner).take();
        let body = body.ok_or(Reason::INTERNAL_ERROR)?;
        Ok(Sending(tokio::spawn(send(body, stream, Arc::clone(&self.broke))).abort_handle()))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends all of it. An error of the stream ends it quietly: it shows where the answer is awaited.
async fn send(mut body: AnyBody, mut stream: SendStream<Bytes>, broke: Arc<Notify>) {
    let ended = loop {
        match body.frame().await {
            None => break stream.send_data(Bytes::new(), true),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => {
                    let is_last = body.is_end_stream();
                    let sent = send_data(&mut stream, data, is_last).await;
                    if is_last || sent.is_err() {
                        break sent;
                    }
                }
                Err(frame) => {
                    let trailers = frame.into_trailers().ok();
                    break match trailers.as_ref().and_then(forwarded) {
                        Some(trailers) => stream.send_trailers(trailers),
                        None => stream.send_data(Bytes::new(), true),
                    };
                }
            },
            // The client is gone, or what it sends is no body.
            Some(Err(_)) => {
                broke.notify_one();
                stream.send_reset(Reason::CANCEL);
                return;
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an instance took no more of a request");
    }
}

async fn send_data(stream: &mut SendStream<Bytes>, mut data: Bytes, is_last: bool) -> Result<(), h2::Error> {
    if data.is_empty() && is_last {
        return stream.send_data(data, true);
    }
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        // None: the stream is over.
        let room = poll_fn(|context| stream.poll_capacity(context)).await;
        let room = room.unwrap_or_else(|| Err(Reason::STREAM_CLOSED.into()))?;
        let part = data.split_to(room.min(data.len()));
        stream.send_data(part, is_last && data.is_empty())?;
    }
    Ok(())
}
