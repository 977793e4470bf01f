//! Opens one connection with HTTP/2, and waits until the instance has shown that it speaks it.

use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use mesh_core::service::{BaseUrl, Protocol};
use socket2::{SockRef, TcpKeepalive};
use tokio::time::timeout;

use crate::{
    socket::Socket,
    tls::UpstreamTls,
    transport::connect::{HANDSHAKE, NoConnection, socket},
};

/// Bytes that an instance may send ahead, on one stream and on the connection: a client that does not read its answer
/// holds up no other one.
const WINDOWS: (u32, u32) = (128 * 1024, 16 * 1024 * 1024);
/// What frames may cost beside their bytes that no client has read yet, at 256 bytes for each that is small: streams of
/// small messages whose clients do not read must not end the connection for the others.
const SMALL_FRAMES: usize = 64 * 1024 * 1024;
/// What an answer's head may measure (docs/refusals.md, Backend responses).
const HEAD_BYTES: u32 = 64 * 1024;
/// After so long a silence the system asks whether the instance is still there, so often, with so long between.
/// HTTP/2's own pings are no choice: some gRPC servers close connections that ask more often than every five minutes.
const SILENCE: (Duration, u32, Duration) = (Duration::from_secs(20), 3, Duration::from_secs(5));

/// An open connection: what takes requests, and what must be polled.
pub(super) type Opened = (SendRequest<Bytes>, Connection<Socket, Bytes>);

/// Connects to the instance within `limit`, and agrees on TLS and HTTP/2 within [`HANDSHAKE`] more.
pub(super) async fn open(url: &BaseUrl, limit: Duration, tls: &UpstreamTls) -> Result<Opened, NoConnection> {
    let all = limit.saturating_add(HANDSHAKE);
    let opened = async {
        let socket = socket(url, limit, all, tls, Protocol::Http2).await?;
        keep_alive(&socket);
        greet(socket).await
    };
    let late = || NoConnection::Unreachable(format!("no HTTP/2 within {} ms", all.as_millis()));
    timeout(all, opened).await.unwrap_or_else(|_| Err(late()))
}

fn keep_alive(socket: &Socket) {
    let keepalive = TcpKeepalive::new().with_time(SILENCE.0).with_retries(SILENCE.1).with_interval(SILENCE.2);
    if let Err(error) = SockRef::from(socket.tcp()).set_tcp_keepalive(&keepalive) {
        tracing::debug!(%error, "a connection will not notice that its instance is gone");
    }
}

/// Sends the preface, and waits for the instance's own. No request goes out before: what answers may be no HTTP/2.
async fn greet(socket: Socket) -> Result<Opened, NoConnection> {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1)
        .max_header_list_size(HEAD_BYTES)
        .data_frame_budget(SMALL_FRAMES)
        // Known once the instance has said it.
        .initial_max_send_streams(0);
    let (requests, mut connection) = builder.handshake(socket).await.map_err(|error| no_http2(&error))?;
    poll_fn(|context| match Pin::new(&mut connection).poll(context) {
        Poll::Ready(Err(error)) => Poll::Ready(Err(no_http2(&error))),
        Poll::Ready(Ok(())) => Poll::Ready(Err(NoConnection::Unreachable(
            "the connection was closed before the instance spoke HTTP/2".to_owned(),
        ))),
        Poll::Pending if connection.max_concurrent_send_streams() > 0 => Poll::Ready(Ok(())),
        Poll::Pending => Poll::Pending,
    })
    .await?;
    Ok((requests, connection))
}

/// What no HTTP/2 can be read from is something else.
fn no_http2(error: &h2::Error) -> NoConnection {
    if error.is_library() { NoConnection::NoHttp2 } else { NoConnection::Unreachable(error.to_string()) }
}
