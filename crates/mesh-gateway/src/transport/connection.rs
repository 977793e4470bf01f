//! One connection to an instance: its socket, and what was read from it and not yet used.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio_util::io::poll_read_buf;

use crate::{socket::Socket, tls::UpstreamTls};

/// What is read at once from an instance, at first and once it sends more than that.
const READ: (usize, usize) = (8 * 1024, 64 * 1024);

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Socket,
    /// What was read and not yet used.
    pub(super) buffer: BytesMut,
    /// Where heads are written before they are sent.
    pub(super) out: Vec<u8>,
    /// Whether it sends much, so that much is read at once.
    reads_much: bool,
    /// How many milliseconds it may wait for a request, where its instance said so; else [`u32::MAX`].
    idle_millis: u32,
}

impl Connection {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket, buffer: BytesMut::new(), out: Vec::new(), reads_much: false, idle_millis: u32::MAX }
    }

    /// How long it may wait for a request, where its instance said so.
    pub(super) fn idle_limit(&self) -> Option<Duration> {
        (self.idle_millis != u32::MAX).then(|| Duration::from_millis(self.idle_millis.into()))
    }

    /// What the instance said with its last answer.
    pub(super) fn keep_for(&mut self, limit: Option<Duration>) {
        self.idle_millis =
            limit.map_or(u32::MAX, |limit| u32::try_from(limit.as_millis()).unwrap_or(u32::MAX));
    }

    /// Gives back the memory of its last request: nothing is under way, and the next one may be far off.
    pub(super) fn rest(&mut self) {
        self.buffer = BytesMut::new();
        self.out = Vec::new();
        self.reads_much = false;
    }

    /// What it holds in memory beside its socket, in bytes.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.buffer.capacity() + self.out.capacity()
    }

    /// Whether nothing has come over it, neither bytes nor its end, as far as the runtime has noticed. Costs no system
    /// call while it has noticed nothing.
    pub(super) fn is_quiet(&mut self) -> bool {
        let is_quiet = match &mut self.socket {
            Socket::Plain(stream) => {
                let read = stream.try_read(&mut [0; 1]);
                matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            }
            // What TLS says to itself, such as tickets, is no noise.
            Socket::Tls(tls) => {
                let (mut byte, mut context) = ([0; 1], Context::from_waker(Waker::noop()));
                Pin::new(&mut tls.stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte)).is_pending()
            }
        };
        is_quiet && self.buffer.is_empty()
    }

    /// Whether nothing has come over it, as far as the system knows.
    pub(super) fn is_surely_quiet(&mut self) -> bool {
        if matches!(self.socket, Socket::Tls(_)) && !self.is_quiet() {
            return false;
        }
        let peeked = SockRef::from(self.socket.tcp()).peek(&mut [MaybeUninit::uninit(); 1]);
        self.buffer.is_empty() && matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether its instance is one that is trusted by `tls` today.
    pub(super) fn is_trusted_by(&self, tls: &UpstreamTls) -> bool {
        self.socket.is_trusted_by(tls)
    }

    /// Writes from the front of two slices.
    pub(super) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        head: &[u8],
        body: &[u8],
    ) -> Poll<io::Result<usize>> {
        let socket = Pin::new(&mut self.socket);
        let written = match (head.is_empty(), body.is_empty()) {
            (_, true) => ready!(socket.poll_write(context, head)),
            (true, _) => ready!(socket.poll_write(context, body)),
            (false, false) => {
                let slices = [io::IoSlice::new(head), io::IoSlice::new(body)];
                ready!(socket.poll_write_vectored(context, &slices))
            }
        };
        Poll::Ready(match written {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            written => written,
        })
    }

    /// Reads more into the buffer, about `expected` bytes if that many are known to come; 0: the other side ended.
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>, expected: u64) -> Poll<io::Result<usize>> {
        let expected = usize::try_from(expected).unwrap_or(usize::MAX).clamp(1, READ.1);
        let read_at_once = if self.reads_much { READ.1 } else { READ.0 };
        let room = read_at_once.max(expected);
        if let Socket::Tls(tls) = &mut self.socket {
            // What was written may still stand in TLS's own buffer. An error shows when the answer is read.
            let _flushed = Pin::new(&mut tls.stream).poll_flush(context);
        }
        self.buffer.reserve(room);
        let read = ready!(poll_read_buf(Pin::new(&mut self.socket), context, &mut self.buffer));
        self.reads_much |= matches!(read, Ok(read) if read >= read_at_once);
        Poll::Ready(read)
    }

    /// Ends what this side says.
    pub(super) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    /// Takes up to `most` bytes of what was read.
    pub(super) fn take(&mut self, most: u64) -> Bytes {
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(self.buffer.len());
        self.buffer.split_to(length).freeze()
    }
}
