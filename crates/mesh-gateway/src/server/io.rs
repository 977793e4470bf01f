//! A client's socket: tells the connection's phase from its bytes, and gives hyper's own refusals the shape of ours.
//!
//! hyper answers a head that it cannot read by itself, with an empty body. It does so only while no request is being
//! answered, so such an answer is known by the phase, and is replaced on its way out.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{
    phase::{Phase, Progress},
    refusal::{FirstBytes, refusal},
};
use crate::gateway::Shared;

/// What is read and thrown away at the end, so that an answer to a request that was not read arrives.
const LINGER_BYTES: usize = 512 * 1024;

/// How a client begins that speaks HTTP/2 without having asked; hyper would end the connection without a word.
const PREFACE: &[u8] = b"PRI * HTTP/2";

/// A client's socket.
#[derive(Debug)]
pub(super) struct ClientIo {
    socket: TcpStream,
    shared: Arc<Shared>,
    progress: Arc<Progress>,
    first_bytes: FirstBytes,
    replacement: Option<Replacement>,
    lingered: usize,
    is_shut: bool,
}

/// What goes out instead of hyper's answer.
#[derive(Debug)]
struct Replacement {
    bytes: Vec<u8>,
    written: usize,
}

impl ClientIo {
    pub(super) fn new(socket: TcpStream, shared: Arc<Shared>, progress: Arc<Progress>) -> Self {
        Self {
            socket,
            shared,
            progress,
            first_bytes: FirstBytes::default(),
            replacement: None,
            lingered: 0,
            is_shut: false,
        }
    }

    /// Replaces `bytes` if they are an answer of hyper's own.
    fn replace(&mut self, bytes: &[u8]) {
        let is_own = matches!(self.progress.phase(), Phase::Fresh | Phase::Idle | Phase::Head);
        if is_own
            && self.replacement.is_none()
            && let Some(status) = status(bytes)
        {
            self.refuse(status);
        }
    }

    fn refuse(&mut self, status: u16) {
        let (code, bytes) = refusal(status, &self.first_bytes);
        self.shared.metrics.refused(code);
        self.progress.linger();
        self.replacement = Some(Replacement { bytes, written: 0 });
    }

    fn poll_replacement(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(replacement) = &mut self.replacement {
            let rest = &replacement.bytes[replacement.written..];
            if rest.is_empty() {
                self.replacement = None;
                break;
            }
            replacement.written += ready!(Pin::new(&mut self.socket).poll_write(context, rest))?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = [0; 4096];
        while self.lingered < LINGER_BYTES {
            let mut buffer = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer))?;
            let read = buffer.filled().len();
            if read == 0 {
                break;
            }
            self.lingered += read;
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for ClientIo {
    fn drop(&mut self) {
        if self.progress.breaks()
            && let Err(error) = self.socket.set_zero_linger()
        {
            tracing::debug!(%error, "a connection could not be reset");
        }
    }
}

/// The status of an answer's first line.
fn status(bytes: &[u8]) -> Option<u16> {
    let line = bytes.strip_prefix(b"HTTP/1.1 ").or_else(|| bytes.strip_prefix(b"HTTP/1.0 "))?;
    std::str::from_utf8(line.get(..3)?).ok()?.parse().ok()
}

impl AsyncRead for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.progress.phase() == Phase::Expired {
            if self.replacement.is_none() {
                self.refuse(408);
            }
            return self.poll_replacement(context);
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        if let Some(read) = buffer.filled().get(before..).filter(|read| !read.is_empty())
            && self.progress.received()
        {
            if read.starts_with(PREFACE) {
                buffer.set_filled(before);
                self.first_bytes.keep(PREFACE);
                self.refuse(400);
                return self.poll_replacement(context);
            }
            self.first_bytes.keep(read);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.replace(bytes);
        if self.replacement.is_some() {
            ready!(self.poll_replacement(context))?;
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(first) = slices.iter().find(|slice| !slice.is_empty()) {
            self.replace(first);
        }
        if self.replacement.is_some() {
            ready!(self.poll_replacement(context))?;
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.socket).poll_flush(context))?;
        self.progress.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.progress.breaks() {
            return Poll::Ready(Ok(()));
        }
        if !self.is_shut {
            ready!(Pin::new(&mut self.socket).poll_shutdown(context))?;
            self.is_shut = true;
            self.progress.closing();
        }
        if self.progress.lingers() { self.poll_linger(context) } else { Poll::Ready(Ok(())) }
    }
}
