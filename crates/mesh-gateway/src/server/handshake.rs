//! Agrees on TLS with a client, within the time of a head, or finds that it speaks plain HTTP.

use std::{io, pin::pin, time::Duration};

use futures_util::future::{Either, select};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::phase::LAST_CALL;
use crate::{socket::Socket, tls::ListenerTls};

/// What came of it.
pub(super) enum Shaken {
    /// The encrypted connection.
    Encrypted(Socket),
    /// The client began a request without TLS: nothing of it was read.
    Plain(TcpStream),
    /// The client did not come to it within the limit, or not soon after the stop.
    Gone,
}

/// Waits for the client no longer than `limit`.
pub(super) async fn shake(
    socket: TcpStream,
    tls: &ListenerTls,
    limit: Duration,
    stop: &CancellationToken,
) -> Shaken {
    let shaken = pin!(timeout(limit, begin(socket, tls)));
    let last_call = pin!(async {
        stop.cancelled().await;
        sleep(LAST_CALL).await;
    });
    match select(shaken, last_call).await {
        Either::Left((Ok(Ok(shaken)), _)) => shaken,
        Either::Left((Ok(Err(error)), _)) => {
            tracing::debug!(%error, "a client did not agree on TLS");
            Shaken::Gone
        }
        Either::Left((Err(_), _)) | Either::Right(_) => Shaken::Gone,
    }
}

async fn begin(socket: TcpStream, tls: &ListenerTls) -> io::Result<Shaken> {
    let mut first = [0];
    // Methods are written in capital letters. No record of TLS begins with one (RFC 8446 §5.1).
    if socket.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase() {
        return Ok(Shaken::Plain(socket));
    }
    let stream = TlsAcceptor::from(tls.config().clone()).accept(socket).await?;
    Ok(Shaken::Encrypted(Socket::tls(stream, None)))
}
