//! A client's socket: tells the connection's phase from its bytes, and gives hyper's own refusals the shape of ours.
//!
//! hyper answers a head that it cannot read by itself, with an empty body. It does so only while no request is being
//! answered, so such an answer is known by the phase, and is replaced on its way out.

use std::{
    io::{self, IoSlice},
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    floods::{CALM, Frames},
    phase::{Phase, Progress},
    refusal::{FirstBytes, refusal},
};
use crate::{gateway::Gateway, socket::Socket};

/// What is read and thrown away at the end, so that an answer to a request that was not read arrives.
const LINGER_BYTES: usize = 512 * 1024;

/// How a client begins that speaks HTTP/2 without having asked.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What hyper would answer without a word, where it is no preface.
const LIKE_PREFACE: &[u8] = b"PRI * HTTP/2";

/// A client's socket.
#[derive(Debug)]
pub(super) struct ClientIo {
    socket: Socket,
    gateway: Gateway,
    progress: Arc<Progress>,
    first_bytes: FirstBytes,
    /// What was read and may be the beginning of HTTP/2.
    held: Vec<u8>,
    was_heard: bool,
    replacement: Option<Replacement>,
    lingered: usize,
    is_shut: bool,
    /// Once the connection speaks HTTP/2.
    frames: Option<Box<Frames>>,
}

/// What goes out instead of hyper's answer.
#[derive(Debug)]
struct Replacement {
    bytes: Vec<u8>,
    written: usize,
}

impl ClientIo {
    /// Where client and gateway agreed on HTTP/2, its phase is that from now on.
    pub(super) fn new(socket: Socket, gateway: Gateway, progress: Arc<Progress>) -> Self {
        if socket.speaks_http2() {
            progress.switch_to_http2();
        }
        Self {
            socket,
            gateway,
            progress,
            first_bytes: FirstBytes::default(),
            held: Vec::new(),
            was_heard: false,
            replacement: None,
            lingered: 0,
            is_shut: false,
            frames: None,
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
        self.gateway.cells().refused(code);
        let shared = self.gateway.shared();
        if let Some(log) = &shared.access_log {
            let client = self.socket.tcp().peer_addr().ok().map(|client| client.ip());
            log.refused(&*shared.clock, self.gateway.cells(), client, (status, code));
        }
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
        Pin::new(&mut self.socket).poll_flush(context)
    }

    /// Reads until it is certain whether what is held begins HTTP/2, which is Pending for whoever reads HTTP/1.1; then
    /// gives out what was held.
    fn poll_held(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut has_ended = false;
        let is_open = self.progress.phase() != Phase::Http2;
        while is_open && !has_ended && self.held.len() < PREFACE.len() && PREFACE.starts_with(&self.held) {
            let mut scratch = [0; PREFACE.len()];
            let mut more = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut self.socket).poll_read(context, &mut more))?;
            has_ended = more.filled().is_empty();
            self.held.extend_from_slice(more.filled());
        }
        if is_open {
            if self.held.starts_with(PREFACE) {
                self.progress.switch_to_http2();
                return Poll::Pending;
            }
            self.first_bytes.keep(&self.held);
            if self.held.starts_with(LIKE_PREFACE) {
                self.held.clear();
                self.refuse(400);
                return self.poll_replacement(context);
            }
        }
        let given = self.held.len().min(buffer.remaining());
        buffer.put_slice(&self.held[..given]);
        let given: Vec<u8> = self.held.drain(..given).collect();
        if self.progress.phase() == Phase::Http2 {
            self.is_calm(context, &given);
        }
        Poll::Ready(Ok(()))
    }

    /// Whether what was read is no flood of frames; after one the client is told, and heard no more.
    fn is_calm(&mut self, context: &mut Context<'_>, read: &[u8]) -> bool {
        let clock = &self.gateway.shared().clock;
        let frames = self.frames.get_or_insert_with(|| Box::new(Frames::new(clock.monotonic())));
        if !frames.are_a_flood(read, || clock.monotonic()) {
            return true;
        }
        // A client that does not even take this is not told.
        let _told = Pin::new(&mut self.socket).poll_write(context, &CALM);
        self.progress.linger();
        false
    }

    /// What went out of an HTTP/2 connection.
    fn count_sent(&mut self, written: &Poll<io::Result<usize>>) {
        if let (Some(frames), Poll::Ready(Ok(bytes))) = (&mut self.frames, written) {
            frames.sent(*bytes);
        }
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
            && let Err(error) = self.socket.tcp().set_zero_linger()
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
        if !self.held.is_empty() {
            return self.poll_held(context, buffer);
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        if let Some(read) = buffer.filled().get(before..).filter(|read| !read.is_empty())
            && self.progress.received()
        {
            let is_first = !mem::replace(&mut self.was_heard, true);
            if is_first && (PREFACE.starts_with(read) || read.starts_with(PREFACE)) {
                self.held.extend_from_slice(read);
                buffer.set_filled(before);
                return self.poll_held(context, buffer);
            }
            self.first_bytes.keep(read);
            if read.starts_with(LIKE_PREFACE) {
                buffer.set_filled(before);
                self.refuse(400);
                return self.poll_replacement(context);
            }
        }
        if self.progress.phase() == Phase::Http2 && !self.is_calm(context, &buffer.filled()[before..]) {
            buffer.set_filled(before);
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
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.count_sent(&written);
        written
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
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.count_sent(&written);
        written
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
