//! A TCP connection that is encrypted or not: towards clients and towards instances alike.

mod connection;

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsStream;

use crate::tls::UpstreamTls;
pub(crate) use connection::Connection;

/// A connection. Without TLS it costs what a [`TcpStream`] costs.
#[derive(Debug)]
pub(crate) enum Socket {
    Plain(TcpStream),
    Tls(Box<Encrypted>),
}

/// A connection under TLS.
#[derive(Debug)]
pub(crate) struct Encrypted {
    pub(crate) stream: TlsStream<TcpStream>,
    /// What the other end was trusted by, where it is an instance.
    trusted_by: Option<UpstreamTls>,
}

impl Socket {
    pub(crate) fn tls(stream: impl Into<TlsStream<TcpStream>>, trusted_by: Option<UpstreamTls>) -> Self {
        Self::Tls(Box::new(Encrypted { stream: stream.into(), trusted_by }))
    }

    /// Whether the other end is an instance that `tls` trusts today; without TLS it is.
    pub(crate) fn is_trusted_by(&self, tls: &UpstreamTls) -> bool {
        let Self::Tls(encrypted) = self else { return true };
        encrypted.trusted_by.as_ref().is_some_and(|by| by.is(tls))
    }

    /// Whether both ends agreed on HTTP/2 (ALPN).
    pub(crate) fn speaks_http2(&self) -> bool {
        matches!(self, Self::Tls(tls) if tls.stream.get_ref().1.alpn_protocol() == Some(b"h2"))
    }

    /// What carries the bytes.
    pub(crate) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(tls) => tls.stream.get_ref().0,
        }
    }
}

impl AsyncRead for Socket {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    #[inline]
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_write(context, bytes),
        }
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(tls) => Pin::new(&mut tls.stream).poll_shutdown(context),
        }
    }
}
