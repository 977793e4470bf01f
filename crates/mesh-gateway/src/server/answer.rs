//! Sends one answer to a client, as its body arrives and as the client takes it.
//!
//! Refuses to send a body that is longer or shorter than its head says: the connection breaks off, and the client knows.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use http::{header::DATE, response::Parts};
use http_body::{Body as _, Frame};
use mesh_core::clock::Clock;

use super::client::SharedClient;
use crate::{
    body::Body,
    http1::{Around, Asked, BodyEnd, write_chunk_size, write_head, write_last_chunk},
};

/// What is gathered of small frames before it is written.
const GATHERED: usize = 16 * 1024;
/// A frame from this size on is written from where it is.
const LARGE: usize = 4 * 1024;
/// What is kept of the room between two answers.
const KEPT: usize = 32 * 1024;

/// How the sending went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// All of it was handed to the system.
    Whole,
    /// The client is gone.
    Gone,
    /// The body broke off.
    Broken,
}

/// What is on its way out on one connection. Its room is used again.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// What goes first, and how much of it is gone.
    out: Vec<u8>,
    written: usize,
    /// What follows.
    data: Bytes,
    date: (u64, String),
}

/// An answer that is being sent.
struct Sending<'a> {
    outbox: &'a mut Outbox,
    body: Body,
    end: BodyEnd,
    takes_trailers: bool,
    /// What the body still owes, where its length was said.
    left: u64,
    /// Whether nothing more comes of the body.
    has_ended: bool,
}

impl Outbox {
    /// Puts down the head of an answer, and says where its body ends.
    pub(super) fn head(
        &mut self,
        parts: &Parts,
        exact: Option<u64>,
        asked: Asked,
        connection: Option<&'static str>,
        clock: &dyn Clock,
    ) -> BodyEnd {
        if !parts.headers.keys().any(|name| *name == DATE) {
            let now = clock.unix().seconds();
            if self.date.0 != now {
                let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(now);
                self.date = (now, httpdate::fmt_http_date(time));
            }
        }
        let end = BodyEnd::of(parts, exact, asked);
        write_head(&mut self.out, parts, end, exact, Around { connection, date: &self.date.1 });
        end
    }

    /// Sends what was put down, and `body` behind it.
    pub(super) async fn send(
        &mut self,
        client: &SharedClient,
        body: Body,
        end: BodyEnd,
        takes_trailers: bool,
    ) -> Sent {
        let left = if let BodyEnd::Length(length) = end { length } else { 0 };
        let has_ended = matches!(end, BodyEnd::Nothing | BodyEnd::Length(0));
        let mut sending = Sending { outbox: self, body, end, takes_trailers, left, has_ended };
        let sent = poll_fn(|context| sending.poll(client, context)).await;
        self.clear();
        sent
    }

    fn clear(&mut self) {
        self.out.clear();
        self.out.shrink_to(KEPT);
        (self.written, self.data) = (0, Bytes::new());
    }

    fn is_empty(&self) -> bool {
        self.written == self.out.len() && self.data.is_empty()
    }

    fn has_room(&self) -> bool {
        self.data.is_empty() && self.out.len() - self.written < GATHERED
    }

    fn poll(&mut self, client: &SharedClient, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let mut client = client.lock();
        ready!(client.poll_word(context))?;
        while !self.is_empty() {
            let head = self.out.get(self.written..).unwrap_or_default();
            let written = ready!(client.connection.poll_write(context, head, &self.data))?;
            let of_head = written.min(head.len());
            self.written += of_head;
            self.data.advance(written - of_head);
        }
        self.out.clear();
        self.written = 0;
        client.connection.push(context);
        Poll::Ready(Ok(()))
    }
}

impl Sending<'_> {
    fn poll(&mut self, client: &SharedClient, context: &mut Context<'_>) -> Poll<Sent> {
        loop {
            let mut waits = false;
            while !self.has_ended && !waits && self.outbox.has_room() {
                match Pin::new(&mut self.body).poll_frame(context) {
                    Poll::Ready(frame) => {
                        if self.take(frame).is_err() {
                            // What came before it goes out as far as it can.
                            let _as_far_as_it_can = self.outbox.poll(client, context);
                            return Poll::Ready(Sent::Broken);
                        }
                    }
                    Poll::Pending => waits = true,
                }
            }
            match self.outbox.poll(client, context) {
                Poll::Ready(Ok(())) if self.has_ended => return Poll::Ready(Sent::Whole),
                Poll::Ready(Ok(())) if waits => {
                    return client.lock().poll_gone(context).map(|()| Sent::Gone);
                }
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "a client was gone before its answer");
                    return Poll::Ready(Sent::Gone);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Takes a frame of the body, or its end.
    fn take(&mut self, frame: Option<Result<Frame<Bytes>, crate::body::BodyError>>) -> Result<(), ()> {
        match frame {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => self.take_data(data)?,
                Err(frame) => {
                    let trailers = frame.into_trailers().ok().filter(|_| self.takes_trailers);
                    return self.finish(trailers.as_ref());
                }
            },
            Some(Err(error)) => {
                tracing::debug!(%error, "an answer broke off");
                return Err(());
            }
            None => return self.finish(None),
        }
        if self.body.is_end_stream() { self.finish(None) } else { Ok(()) }
    }

    fn take_data(&mut self, data: Bytes) -> Result<(), ()> {
        if data.is_empty() {
            return Ok(());
        }
        match self.end {
            BodyEnd::Nothing => return Ok(()),
            BodyEnd::Length(_) => self.left = self.left.checked_sub(data.len() as u64).ok_or(())?,
            BodyEnd::LastChunk => write_chunk_size(&mut self.outbox.out, data.len()),
            BodyEnd::Close => {}
        }
        // One copy of a chunk is cheaper than a third slice.
        if data.len() < LARGE || self.end == BodyEnd::LastChunk {
            self.outbox.out.extend_from_slice(&data);
        } else {
            self.outbox.data = data;
        }
        if self.end == BodyEnd::LastChunk {
            self.outbox.out.extend_from_slice(b"\r\n");
        }
        Ok(())
    }

    fn finish(&mut self, trailers: Option<&http::HeaderMap>) -> Result<(), ()> {
        if self.end == BodyEnd::LastChunk {
            write_last_chunk(&mut self.outbox.out, trailers);
        }
        self.has_ended = true;
        if self.left > 0 { Err(()) } else { Ok(()) }
    }
}
