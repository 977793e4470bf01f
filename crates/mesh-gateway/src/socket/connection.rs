//! One connection, to a client or to an instance: its socket, and what was read from it and not yet used.

use std::{
    future::Future as _,
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use mesh_core::clock::{Clock, Tick};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};
use tokio_util::io::poll_read_buf;

use super::Socket;
use crate::tls::UpstreamTls;

/// What is read at once: at first the head of most messages, then more, each time that the other side sent as much.
/// Connections that carry small messages hold little.
const READS: [usize; 3] = [2 * 1024, 8 * 1024, MOST];

/// The most that is read at once.
const MOST: usize = 64 * 1024;

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: Socket,
    /// The instance it leads to, if to one: scheme and authority.
    pub(crate) origin: Option<Arc<str>>,
    /// What was read and not yet used.
    pub(crate) buffer: BytesMut,
    /// Where heads are written before they are sent.
    pub(crate) out: Vec<u8>,
    /// How much is read at once: a place in [`READS`].
    reads: u8,
    /// How many milliseconds it may wait for a request, where its instance said so; else [`u32::MAX`].
    idle_millis: u32,
    /// Rings when what is awaited is late, or before: set again only when it rings, so that a request costs no timer.
    alarm: Option<Pin<Box<Sleep>>>,
    rings: Tick,
}

impl Connection {
    pub(crate) fn new(socket: Socket) -> Self {
        Self {
            socket,
            origin: None,
            buffer: BytesMut::new(),
            out: Vec::new(),
            reads: 0,
            idle_millis: u32::MAX,
            alarm: None,
            rings: Tick::default(),
        }
    }

    /// How long it may wait for a request, where its instance said so.
    pub(crate) fn idle_limit(&self) -> Option<Duration> {
        (self.idle_millis != u32::MAX).then(|| Duration::from_millis(self.idle_millis.into()))
    }

    /// What the instance said with its last answer.
    pub(crate) fn keep_for(&mut self, limit: Option<Duration>) {
        self.idle_millis =
            limit.map_or(u32::MAX, |limit| u32::try_from(limit.as_millis()).unwrap_or(u32::MAX));
    }

    /// Gives back the memory of its last request: nothing is under way, and the next one may be far off.
    pub(crate) fn rest(&mut self) {
        self.buffer = BytesMut::new();
        self.out = Vec::new();
        self.reads = 0;
    }

    /// What it holds in memory beside its socket, in bytes.
    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.buffer.capacity() + self.out.capacity()
    }

    /// Whether nothing has come over it, neither bytes nor its end, as far as the runtime has noticed. Costs no system
    /// call while it has noticed nothing.
    pub(crate) fn is_quiet(&mut self) -> bool {
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
    pub(crate) fn is_surely_quiet(&mut self) -> bool {
        if matches!(self.socket, Socket::Tls(_)) && !self.is_quiet() {
            return false;
        }
        let peeked = SockRef::from(self.socket.tcp()).peek(&mut [MaybeUninit::uninit(); 1]);
        self.buffer.is_empty() && matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Whether its instance is one that is trusted by `tls` today.
    pub(crate) fn is_trusted_by(&self, tls: &UpstreamTls) -> bool {
        self.socket.is_trusted_by(tls)
    }

    /// Writes from the front of two slices.
    pub(crate) fn poll_write(
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
    pub(crate) fn poll_read(&mut self, context: &mut Context<'_>, expected: u64) -> Poll<io::Result<usize>> {
        let expected = usize::try_from(expected).unwrap_or(usize::MAX).min(MOST);
        let read_at_once = READS.get(usize::from(self.reads)).copied().unwrap_or(MOST);
        let room = read_at_once.max(expected);
        self.push(context);
        self.buffer.reserve(room);
        let read = ready!(poll_read_buf(Pin::new(&mut self.socket), context, &mut self.buffer));
        if matches!(read, Ok(read) if read >= read_at_once && read_at_once < MOST) {
            self.reads += 1;
        }
        Poll::Ready(read)
    }

    /// Ready once `ends` has come.
    pub(crate) fn poll_late(&mut self, context: &mut Context<'_>, clock: &dyn Clock, ends: Tick) -> Poll<()> {
        if ends < self.rings {
            self.alarm = None;
        }
        loop {
            let alarm = match &mut self.alarm {
                Some(alarm) => alarm,
                None => {
                    self.rings = ends;
                    self.alarm.insert(Box::pin(sleep(ends.since(clock.monotonic()))))
                }
            };
            ready!(alarm.as_mut().poll(context));
            self.alarm = None;
            if clock.monotonic() >= ends {
                return Poll::Ready(());
            }
        }
    }

    /// Sends what was written and may still stand in TLS's own buffer. An error shows when something is read.
    pub(crate) fn push(&mut self, context: &mut Context<'_>) {
        if let Socket::Tls(tls) = &mut self.socket {
            let _flushed = Pin::new(&mut tls.stream).poll_flush(context);
        }
    }

    /// Whether the other side has ended. What it says is kept, up to `most` bytes; beyond, it is not asked.
    ///
    /// For the time in which nothing is expected of it: costs no room.
    pub(crate) fn poll_ended(&mut self, context: &mut Context<'_>, most: usize) -> Poll<()> {
        self.push(context);
        while self.buffer.len() < most {
            let mut scratch = [MaybeUninit::uninit(); 512];
            let mut early = ReadBuf::uninit(&mut scratch);
            match ready!(Pin::new(&mut self.socket).poll_read(context, &mut early)) {
                Ok(()) if !early.filled().is_empty() => self.buffer.extend_from_slice(early.filled()),
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Ends what this side says.
    pub(crate) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    /// Takes up to `most` bytes of what was read.
    pub(crate) fn take(&mut self, most: u64) -> Bytes {
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(self.buffer.len());
        self.buffer.split_to(length).freeze()
    }
}

/// What was read comes first.
impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.buffer.is_empty() {
            return Pin::new(&mut self.socket).poll_read(context, buffer);
        }
        let given = self.buffer.len().min(buffer.remaining());
        buffer.put_slice(&self.buffer.split_to(given));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
