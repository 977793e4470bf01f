//! Agrees on TLS with a client, within the time of a head.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::phase::LAST_CALL;
use crate::{socket::Socket, tls::ListenerTls};

/// The encrypted connection; `None` when the client does not come to it within `limit`, or not soon after `stop`.
pub(super) async fn shake(
    socket: TcpStream,
    tls: &ListenerTls,
    limit: Duration,
    stop: &CancellationToken,
) -> Option<Socket> {
    let shaken = pin!(timeout(limit, TlsAcceptor::from(tls.config().clone()).accept(socket)));
    let last_call = pin!(async {
        stop.cancelled().await;
        sleep(LAST_CALL).await;
    });
    match select(shaken, last_call).await {
        Either::Left((Ok(Ok(stream)), _)) => Some(Socket::tls(stream, None)),
        Either::Left((Ok(Err(error)), _)) => {
            tracing::debug!(%error, "a client did not agree on TLS");
            None
        }
        Either::Left((Err(_), _)) | Either::Right(_) => None,
    }
}
