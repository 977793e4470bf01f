//! One request and the head of its answer, over one connection.
//!
//! An answer may come while the request is still being written: it is taken, and the rest of the request goes on while
//! the answer's body is read.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use mesh_core::{
    clock::{Clock, Tick},
    retry::Failure,
};

use crate::{
    http1::{Malformed, Parser, ResponseHead},
    socket::Connection,
};

/// A request on a connection. A future of the answer's head.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    connection: &'a mut Connection,
    head: &'a [u8],
    body: &'a Bytes,
    /// How much of head and body was written.
    written: usize,
    parser: Parser,
    /// Whether a byte of an answer came.
    pub(super) has_heard: bool,
    write_error: Option<io::Error>,
    clock: &'a dyn Clock,
    /// When it is over, answer or not.
    ends: Tick,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// Not one byte was written.
    #[error("the connection was lost before the request: {0}")]
    Unsent(io::Error),
    /// The connection ended in the middle.
    #[error("the connection was lost: {0}")]
    Lost(io::Error),
    /// The instance ended the connection without a byte of an answer.
    #[error("the connection was closed before the answer")]
    Silent,
    #[error("the connection was closed within the answer's head")]
    Short,
    /// Its time was over.
    #[error("no answer in time")]
    Late,
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl Broken {
    /// What it is to the rules of retrying.
    pub(super) const fn failure(&self) -> Failure {
        match self {
            Self::Malformed(_) => Failure::Malformed,
            Self::Short => Failure::Truncated,
            Self::Late => Failure::Timeout,
            Self::Unsent(_) | Self::Lost(_) | Self::Silent => Failure::Reset,
        }
    }
}

impl<'a> Exchange<'a> {
    pub(super) const fn new(
        connection: &'a mut Connection,
        head: &'a [u8],
        body: &'a Bytes,
        parser: Parser,
        (clock, ends): (&'a dyn Clock, Tick),
    ) -> Self {
        Self { connection, head, body, written: 0, parser, has_heard: false, write_error: None, clock, ends }
    }

    /// What is still to be written.
    pub(super) fn unwritten(&self) -> Bytes {
        rest(self.head, self.body, self.written)
    }

    fn poll_write(&mut self, context: &mut Context<'_>) {
        while self.write_error.is_none() && self.written < self.head.len() + self.body.len() {
            let head = self.head.get(self.written..).unwrap_or_default();
            let body = self.body.get(self.written.saturating_sub(self.head.len())..).unwrap_or_default();
            match self.connection.poll_write(context, head, body) {
                Poll::Ready(Ok(written)) => self.written += written,
                Poll::Ready(Err(error)) => self.write_error = Some(error),
                Poll::Pending => return,
            }
        }
    }

    fn lost(&mut self, error: io::Error) -> Broken {
        let error = self.write_error.take().unwrap_or(error);
        if self.written == 0 { Broken::Unsent(error) } else { Broken::Lost(error) }
    }
}

impl Future for Exchange<'_> {
    type Output = Result<ResponseHead, Broken>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let exchange = &mut *self;
        exchange.poll_write(context);
        loop {
            match exchange.connection.poll_read(context, 0) {
                Poll::Ready(Ok(0)) => {
                    let is_silent = !exchange.has_heard;
                    return Poll::Ready(Err(match exchange.write_error.take() {
                        Some(error) if is_silent => exchange.lost(error),
                        _ if is_silent => Broken::Silent,
                        _ => Broken::Short,
                    }));
                }
                Poll::Ready(Ok(_)) => {
                    exchange.has_heard = true;
                    let parsed = exchange.parser.parse(&mut exchange.connection.buffer);
                    if let Some(head) = parsed? {
                        return Poll::Ready(Ok(head));
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(exchange.lost(error))),
                Poll::Pending => {
                    // An instance may answer and close without having read everything: its answer, or the end, may
                    // be there although the runtime has not noticed yet. Then it wakes this task.
                    if exchange.write_error.is_some() && exchange.connection.is_surely_quiet() {
                        return Poll::Ready(Err(exchange.lost(io::ErrorKind::BrokenPipe.into())));
                    }
                    let late = exchange.connection.poll_late(context, exchange.clock, exchange.ends);
                    return late.map(|()| Err(Broken::Late));
                }
            }
        }
    }
}

/// What is left of a head and a body behind the first `written` bytes.
fn rest(head: &[u8], body: &Bytes, written: usize) -> Bytes {
    match written.checked_sub(head.len()) {
        Some(written) => body.slice(written..),
        None => [&head[written..], body].concat().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_request_is_all_that_was_not_written() {
        let (head, body) = (b"head", Bytes::from_static(b"body"));
        for written in 0..=8 {
            assert_eq!(rest(head, &body, written), b"headbody"[written..], "{written}");
        }
        assert_eq!(rest(b"headbody", &Bytes::new(), 6), "dy");
    }
}
