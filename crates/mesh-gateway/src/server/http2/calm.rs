//! The connection of a client that speaks HTTP/2. A client that floods it is told so, and heard no more.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use mesh_core::clock::Clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    server::{
        connection::LINGER_BYTES,
        floods::{CALM, Frames},
    },
    socket::Connection,
};

/// A connection whose frames are counted.
#[derive(Debug)]
pub(super) struct CalmIo {
    connection: Connection,
    frames: Frames,
    clock: Arc<dyn Clock>,
    /// How much of a flood was thrown away after the last word.
    flooded: Option<usize>,
    is_shut: bool,
}

impl CalmIo {
    pub(super) fn new(connection: Connection, clock: Arc<dyn Clock>) -> Self {
        Self { connection, frames: Frames::new(clock.monotonic()), clock, flooded: None, is_shut: false }
    }

    /// What went out.
    fn count(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.frames.sent(*bytes);
        }
        written
    }
}

impl AsyncRead for CalmIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.flooded.is_some() {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(AsyncRead::poll_read(Pin::new(&mut this.connection), context, buffer))?;
        let read = buffer.filled().get(before..).unwrap_or_default();
        if this.frames.are_a_flood(read, || this.clock.monotonic()) {
            // A client that does not even take this is not told.
            let _told = AsyncWrite::poll_write(Pin::new(&mut this.connection), context, &CALM);
            this.flooded = Some(0);
            buffer.set_filled(before);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for CalmIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = AsyncWrite::poll_write(Pin::new(&mut self.connection), context, bytes);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = AsyncWrite::poll_write_vectored(Pin::new(&mut self.connection), context, slices);
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.connection), context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.is_shut {
            ready!(AsyncWrite::poll_shutdown(Pin::new(&mut this.connection), context))?;
            this.is_shut = true;
        }
        // What is still coming would break the connection before the last word is heard.
        let mut scratch = [0; 4096];
        while let Some(thrown) = this.flooded.filter(|thrown| *thrown < LINGER_BYTES) {
            let mut buffer = ReadBuf::new(&mut scratch);
            ready!(AsyncRead::poll_read(Pin::new(&mut this.connection), context, &mut buffer))?;
            let read = buffer.filled().len();
            this.flooded = (read > 0).then_some(thrown + read);
        }
        Poll::Ready(Ok(()))
    }
}
