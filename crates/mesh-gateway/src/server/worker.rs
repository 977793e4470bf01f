//! One worker: a runtime on one thread, its own listener, its own connections to the instances.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener as StdListener},
    pin::pin,
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{connection, runtime};
use crate::{gateway::Gateway, metrics::Tally};

/// How long to wait after a failed accept, at first and at most: without file descriptors every accept fails at once.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(500));

/// Takes connections until `stop`, and returns when the requests under way have finished.
pub(super) fn run(gateway: Gateway, listener: StdListener, port: u16, stop: &CancellationToken) {
    match runtime() {
        Ok(runtime) => runtime.block_on(work(gateway, listener, port, stop)),
        Err(error) => tracing::error!(%error, "a worker has no runtime"),
    }
}

async fn work(gateway: Gateway, listener: StdListener, port: u16, stop: &CancellationToken) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "a worker has no listener");
            return;
        }
    };
    // Its own, so that no connection looks at memory that another core writes.
    let stop = &stop.child_token();
    tokio::spawn(gateway.clone().sweep());
    let connections = TaskTracker::new();
    let mut backoff = BACKOFF.0;
    while let Some(accepted) = unless(stop.cancelled(), listener.accept()).await {
        match accepted {
            Ok((socket, client)) => {
                backoff = BACKOFF.0;
                take(&connections, socket, client, port, &gateway, stop);
            }
            Err(error) if is_the_client_s(&error) => {}
            Err(error) => {
                gateway.cells().count(Tally::AcceptFailed);
                tracing::warn!(%error, "no connection could be accepted");
                unless(stop.cancelled(), sleep(backoff)).await;
                backoff = (backoff * 2).min(BACKOFF.1);
            }
        }
    }
    // What was connected before the stop is served: each gets one answer.
    while let Some(Ok((socket, client))) = unless(std::future::ready(()), listener.accept()).await {
        take(&connections, socket, client, port, &gateway, stop);
    }
    drop(listener);
    connections.close();
    gateway.tunnels().stop();
    let drain = gateway.shared().snapshot.load().reloadable.settings.limits.drain;
    let ended = async {
        connections.wait().await;
        gateway.tunnels().ended().await;
        gateway.shared().idempotency.ended().await;
    };
    if timeout(drain, ended).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests or tunnels were cut off at shutdown");
    }
}

fn take(
    connections: &TaskTracker,
    socket: TcpStream,
    client: SocketAddr,
    port: u16,
    gateway: &Gateway,
    stop: &CancellationToken,
) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone before it began");
        return;
    }
    connections.spawn(connection::serve(socket, client, port, gateway.clone(), stop.clone()));
}

/// The future's output, unless `stop` comes first. The future is polled first.
async fn unless<T>(stop: impl Future<Output = ()>, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), pin!(stop)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

fn is_the_client_s(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
