//! A client's end of a connection: what it sends, what is still to come of its request, and whether it is still there.
//!
//! Refuses a body that ends before its end.

use std::{
    io, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;

use crate::{
    http1::{Chunked, Framing, Malformed, Piece, RequestHead},
    socket::Connection,
};

/// The word that a client waits for before it sends a body (RFC 9110 §15.2.1).
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What a client may say ahead while it waits for an answer, and of a body that nobody reads.
const AHEAD: usize = 64 * 1024;

/// Shared by a connection and the body of its request, which a handler may take elsewhere.
#[derive(Clone, Debug)]
pub(super) struct SharedClient(Arc<Mutex<Client>>);

/// A client's end of a connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) connection: Connection,
    rest: Rest,
    /// Whether somebody may still read the request's body.
    has_reader: bool,
    /// Whether the client waits for a word before it sends the body.
    expects_word: bool,
    /// What of that word is still to be written.
    word: &'static [u8],
    /// Woken when nobody reads the body any more.
    watcher: Option<Waker>,
}

/// What is still to come of a request's body.
#[derive(Debug)]
enum Rest {
    Nothing,
    Length(u64),
    Chunks(Chunked),
    /// It was malformed, or ended before its end.
    Broken,
}

/// Why a body broke off. The client's fault.
#[derive(Debug, thiserror::Error)]
pub(super) enum BrokenBody {
    #[error("the connection was lost within the request's body: {0}")]
    Lost(#[from] io::Error),
    #[error("the request's body ended before its end")]
    Short,
    #[error("the request's body is malformed")]
    Malformed(#[from] Malformed),
}

impl SharedClient {
    pub(super) fn new(connection: Connection) -> Self {
        Self(Arc::new(Mutex::new(Client {
            connection,
            rest: Rest::Nothing,
            has_reader: false,
            expects_word: false,
            word: &[],
            watcher: None,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Client> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, when nobody reads a body any more.
    pub(super) fn into_connection(self) -> Option<Connection> {
        let client = Arc::into_inner(self.0)?;
        Some(client.into_inner().unwrap_or_else(PoisonError::into_inner).connection)
    }
}

impl Client {
    /// A request with this head begins. Answers whether it has a body, which somebody is to read then.
    pub(super) const fn begin(&mut self, head: &RequestHead) -> bool {
        self.rest = match head.framing {
            Framing::Length(0) | Framing::UntilClose => Rest::Nothing,
            Framing::Length(length) => Rest::Length(length),
            Framing::Chunked => Rest::Chunks(Chunked::new()),
        };
        self.has_reader = !matches!(self.rest, Rest::Nothing);
        self.expects_word = self.has_reader && head.expects_continue;
        self.has_reader
    }

    /// The length of what is to come of the body, if it is known.
    pub(super) const fn left(&self) -> Option<u64> {
        match &self.rest {
            Rest::Nothing => Some(0),
            Rest::Length(left) => Some(*left),
            Rest::Chunks(_) | Rest::Broken => None,
        }
    }

    /// Whether the body was read to its end.
    pub(super) const fn has_ended(&self) -> bool {
        matches!(self.rest, Rest::Nothing)
    }

    /// Whether somebody may still read the body.
    pub(super) const fn is_read(&self) -> bool {
        self.has_reader && !matches!(self.rest, Rest::Nothing | Rest::Broken)
    }

    /// Nobody reads the body any more.
    pub(super) fn leave(&mut self) {
        self.has_reader = false;
        self.wake();
    }

    /// The answer begins: the client is not told to go on any more.
    pub(super) const fn answered(&mut self) {
        self.expects_word = false;
    }

    fn wake(&mut self) {
        if let Some(watcher) = self.watcher.take() {
            watcher.wake();
        }
    }

    /// The next bytes of the body; none: it has ended. Trailers are dropped (docs/refusals.md, row 39).
    pub(super) fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BrokenBody>> {
        let polled = self.poll_rest(context);
        match &polled {
            Poll::Ready(Err(_)) => {
                self.rest = Rest::Broken;
                self.wake();
            }
            Poll::Ready(Ok(_)) if self.has_ended() => self.wake(),
            _ => {}
        }
        polled
    }

    fn poll_rest(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BrokenBody>> {
        if mem::take(&mut self.expects_word) && self.connection.buffer.is_empty() {
            self.word = CONTINUE;
        }
        ready!(self.poll_word(context))?;
        loop {
            let buffer = &mut self.connection.buffer;
            let mut expected = 0;
            match &mut self.rest {
                Rest::Nothing => return Poll::Ready(Ok(None)),
                Rest::Broken => return Poll::Ready(Err(BrokenBody::Short)),
                Rest::Length(left) if !buffer.is_empty() => {
                    let data = self.connection.take(*left);
                    *left -= data.len() as u64;
                    if *left == 0 {
                        self.rest = Rest::Nothing;
                    }
                    return Poll::Ready(Ok(Some(data)));
                }
                Rest::Length(left) => expected = *left,
                Rest::Chunks(chunks) => match chunks.next(buffer)? {
                    Piece::Data(data) => return Poll::Ready(Ok(Some(data))),
                    Piece::End(_) => {
                        self.rest = Rest::Nothing;
                        return Poll::Ready(Ok(None));
                    }
                    Piece::Wait => {}
                },
            }
            if ready!(self.connection.poll_read(context, expected))? == 0 {
                return Poll::Ready(Err(BrokenBody::Short));
            }
        }
    }

    /// Writes what is left of the word that the client waits for.
    pub(super) fn poll_word(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.word.is_empty() {
            let written = ready!(self.connection.poll_write(context, self.word, &[]))?;
            self.word = self.word.get(written..).unwrap_or_default();
        }
        self.connection.push(context);
        Poll::Ready(Ok(()))
    }

    /// Whether the client is gone, as far as can be said while nobody reads its request's body.
    pub(super) fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.is_read() {
            self.watch(context);
            return Poll::Pending;
        }
        // What is left of a body that nobody reads is not the next request: it stays where it is.
        let most = if self.has_ended() { AHEAD } else { 0 };
        self.connection.poll_ended(context, most)
    }

    /// Until nobody reads the body any more.
    pub(super) fn poll_left(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.is_read() {
            self.watch(context);
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    fn watch(&mut self, context: &Context<'_>) {
        if !self.watcher.as_ref().is_some_and(|watcher| watcher.will_wake(context.waker())) {
            self.watcher = Some(context.waker().clone());
        }
    }

    /// Throws away what has come of a body that nobody reads, but not without end, and does not wait for more. A client
    /// that waits for a word will not send it.
    pub(super) fn skip(&mut self) {
        if self.is_read() || self.expects_word {
            return;
        }
        let mut context = Context::from_waker(Waker::noop());
        let mut skipped = 0;
        while skipped < AHEAD && !self.has_ended() {
            match self.poll_body(&mut context) {
                Poll::Ready(Ok(Some(data))) => skipped += data.len(),
                Poll::Ready(Ok(None) | Err(_)) | Poll::Pending => return,
            }
        }
    }
}
