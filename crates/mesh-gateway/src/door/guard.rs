//! A request's body as layers and handlers see it: no more than the limit, no slower than the window.

use std::{
    future::Future as _,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::Body as InnerBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use mesh_core::error::Code;
use tokio::time::{Sleep, sleep_until};

use super::buffer::{Window, too_large, too_slow};
use crate::{body::BodyError, error::Refusal, settings::Limits};

/// How far a body was read, and why no further.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    refusal: OnceLock<Refusal>,
    has_ended: AtomicBool,
}

impl Reading {
    /// Why the body could not be read: the answer to the request, whatever was made of it.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        self.refusal.get().cloned()
    }

    /// Whether all of it was read.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }
}

/// A body that breaks off with a refusal when it is too large, too slow or malformed.
pub(crate) struct Guarded<B> {
    inner: Pin<Box<B>>,
    left: u64,
    limit: u64,
    limits: Limits,
    /// Opened by the first who reads: whoever judges the head may take its time.
    window: Option<(Window, Pin<Box<Sleep>>)>,
    reading: Arc<Reading>,
}

impl<B> Guarded<B>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    /// `body` within `limit` bytes and `limits`.
    pub(crate) fn around(body: B, limit: u64, limits: Limits) -> (InnerBody, Arc<Reading>) {
        let reading = Arc::new(Reading::default());
        if body.is_end_stream() {
            reading.has_ended.store(true, Ordering::Relaxed);
            return (InnerBody::empty(), reading);
        }
        let inner = Box::pin(body);
        let guarded = Self { inner, left: limit, limit, limits, window: None, reading: Arc::clone(&reading) };
        (InnerBody::new(guarded), reading)
    }

    fn refuse(&self, refusal: Refusal) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let text = refusal.to_string();
        let refusal = self.reading.refusal.get_or_init(|| refusal);
        tracing::debug!(code = %refusal.code, "a request body was not read to its end");
        Poll::Ready(Some(Err(text.into())))
    }
}

impl<B> Body for Guarded<B>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BodyError>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if this.reading.refusal.get().is_some() {
            return Poll::Ready(None);
        }
        let (window, alarm) = this.window.get_or_insert_with(|| {
            let window = Window::open(&this.limits);
            let alarm = Box::pin(sleep_until(window.ends()));
            (window, alarm)
        });
        match this.inner.as_mut().poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                let Some(left) = this.left.checked_sub(length) else {
                    return this.refuse(too_large(this.limit));
                };
                this.left = left;
                window.count(length, &this.limits);
                if alarm.deadline() != window.ends() {
                    alarm.as_mut().reset(window.ends());
                }
                if this.inner.is_end_stream() {
                    this.reading.has_ended.store(true, Ordering::Relaxed);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => {
                this.refuse(Refusal::new(Code::BadFraming, "the request body is malformed"))
            }
            Poll::Ready(None) => {
                this.reading.has_ended.store(true, Ordering::Relaxed);
                Poll::Ready(None)
            }
            Poll::Pending if alarm.as_mut().poll(context).is_ready() => this.refuse(too_slow()),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.reading.refusal.get().is_some() || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
