//! The body of an answer over HTTP/1.1. When it ends well its connection goes back to the pool.

use std::{
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};
use tokio::time::timeout;

use super::{Broken, forwarded};
use crate::{
    http1::{Chunked, Framing, Piece},
    socket::Connection,
    transport::{pool::Pool, tunnel::Tunnel},
};

/// How long the rest of a request may take whose answer is complete.
const REST_LIMIT: Duration = Duration::from_secs(10);

/// A body over a connection of its own.
pub(in crate::transport) struct Pieces {
    rest: Rest,
    connection: Option<Box<Connection>>,
    /// What of the request was not yet written when the answer came.
    unwritten: Bytes,
    /// Where the connection goes afterwards, if anywhere.
    home: Option<Arc<Pool>>,
}

/// What is still to come.
#[derive(Debug)]
enum Rest {
    Length(u64),
    Chunks(Chunked),
    UntilClose,
    Nothing,
}

/// Writes the rest of a request whose answer was read to the end. A future of the connection; none: it ended, or said
/// more than its answer.
struct WriteRest {
    connection: Option<Box<Connection>>,
    unwritten: Bytes,
}

impl Future for WriteRest {
    type Output = Option<Box<Connection>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Box<Connection>>> {
        let Self { connection, unwritten } = &mut *self;
        let Some(open) = connection else { return Poll::Ready(None) };
        if open.poll_read(context, 0).is_ready() {
            return Poll::Ready(None);
        }
        while !unwritten.is_empty() {
            match ready!(open.poll_write(context, &[], unwritten)) {
                Ok(written) => unwritten.advance(written),
                Err(_) => return Poll::Ready(None),
            }
        }
        // Lets out what an encrypted connection still holds.
        if open.poll_read(context, 0).is_ready() { Poll::Ready(None) } else { Poll::Ready(connection.take()) }
    }
}

impl Pieces {
    /// The body that `framing` announces, over `connection`, which goes to `home` afterwards, if anywhere.
    pub(in crate::transport) fn new(
        framing: Framing,
        connection: Box<Connection>,
        unwritten: Bytes,
        home: Option<Arc<Pool>>,
    ) -> Self {
        let rest = match framing {
            Framing::Length(0) => Rest::Nothing,
            Framing::Length(length) => Rest::Length(length),
            Framing::Chunked => Rest::Chunks(Chunked::new()),
            Framing::UntilClose => Rest::UntilClose,
        };
        let mut body = Self { rest, connection: Some(connection), unwritten, home };
        if matches!(body.rest, Rest::Nothing) {
            body.go_home();
        }
        body
    }

    /// The connection of an instance that switched protocols.
    pub(super) fn into_tunnel(self) -> Option<Tunnel> {
        self.connection.map(|connection| Tunnel::new(*connection))
    }

    pub(super) const fn is_end(&self) -> bool {
        matches!(self.rest, Rest::Nothing)
    }

    pub(super) fn is_here(&self) -> bool {
        match (&self.rest, &self.connection) {
            (Rest::Nothing, _) => true,
            (Rest::Length(left), Some(connection)) => connection.buffer.len() as u64 >= *left,
            _ => false,
        }
    }

    pub(super) fn size(&self) -> SizeHint {
        match self.rest {
            Rest::Length(left) => SizeHint::with_exact(left),
            Rest::Nothing => SizeHint::with_exact(0),
            Rest::Chunks(_) | Rest::UntilClose => SizeHint::default(),
        }
    }

    /// Ends the body: the connection goes home, unless bytes follow that nobody asked for. An instance that keeps the
    /// connection open reads the request to its end: what is not yet written is written first.
    fn go_home(&mut self) {
        self.rest = Rest::Nothing;
        let (Some(connection), Some(home)) = (self.connection.take(), self.home.take()) else { return };
        if !connection.buffer.is_empty() {
            return;
        }
        if self.unwritten.is_empty() {
            home.take_back(connection);
        } else {
            let rest = WriteRest { connection: Some(connection), unwritten: mem::take(&mut self.unwritten) };
            tokio::spawn(async move {
                if let Ok(Some(connection)) = timeout(REST_LIMIT, rest).await {
                    home.take_back(connection);
                }
            });
        }
    }

    /// The next piece; none: it is over.
    pub(super) fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Frame<Bytes>>, Broken>> {
        loop {
            let Some(connection) = &mut self.connection else { return Poll::Ready(Ok(None)) };
            match &mut self.rest {
                Rest::Nothing => return Poll::Ready(Ok(None)),
                Rest::Length(left) if !connection.buffer.is_empty() => {
                    let data = connection.take(*left);
                    *left -= data.len() as u64;
                    if *left == 0 {
                        self.go_home();
                    }
                    return Poll::Ready(Ok(Some(Frame::data(data))));
                }
                Rest::UntilClose if !connection.buffer.is_empty() => {
                    return Poll::Ready(Ok(Some(Frame::data(connection.take(u64::MAX)))));
                }
                Rest::Chunks(chunks) => match chunks.next(&mut connection.buffer)? {
                    Piece::Data(data) => return Poll::Ready(Ok(Some(Frame::data(data)))),
                    Piece::End(trailers) => {
                        self.go_home();
                        return Poll::Ready(Ok(trailers.as_ref().and_then(forwarded).map(Frame::trailers)));
                    }
                    Piece::Wait => {}
                },
                Rest::Length(_) | Rest::UntilClose => {}
            }
            ready!(self.poll_more(context))?;
        }
    }

    /// Reads more, and goes on writing the request meanwhile.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let Some(connection) = &mut self.connection else { return Poll::Ready(Ok(())) };
        while !self.unwritten.is_empty() {
            match connection.poll_write(context, &[], &self.unwritten) {
                Poll::Ready(Ok(written)) => self.unwritten.advance(written),
                // The instance has answered and reads no more: its answer is what counts.
                Poll::Ready(Err(_)) => {
                    self.unwritten = Bytes::new();
                    self.home = None;
                }
                Poll::Pending => break,
            }
        }
        let expected = if let Rest::Length(left) = self.rest { left } else { 0 };
        match ready!(connection.poll_read(context, expected))? {
            0 if matches!(self.rest, Rest::UntilClose) => {
                self.rest = Rest::Nothing;
                self.connection = None;
                Poll::Ready(Ok(()))
            }
            0 => Poll::Ready(Err(Broken::Short)),
            _ => Poll::Ready(Ok(())),
        }
    }
}
