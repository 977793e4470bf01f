//! How the gateway of these tests runs: as what an axum app leaves to it, on a runtime with several threads.

use std::net::{SocketAddr, TcpListener as StdListener};

use axum::Router;
use mesh_gateway::{Gateway, Peer};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::support::PATIENCE;

/// A gateway in an app, and its admin routes in another. Dropping it stops it without waiting.
pub(crate) struct Started {
    gateway: Gateway,
    public: SocketAddr,
    admin: SocketAddr,
    stop: CancellationToken,
    serving: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
}

impl Started {
    pub(crate) const fn public(&self) -> SocketAddr {
        self.public
    }

    pub(crate) const fn admin(&self) -> Option<SocketAddr> {
        Some(self.admin)
    }

    pub(crate) const fn gateway(&self) -> &Gateway {
        &self.gateway
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.runtime.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

pub(crate) fn start(gateway: &Gateway) -> Started {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let entered = runtime.enter();
    let ((public, listener), (admin, admin_listener)) = (listen(), listen());
    let embedded = gateway.embed();
    let stop = CancellationToken::new();
    let signal = embedded.drain_when(stop.clone().cancelled_owned());
    let app = Router::new().fallback_service(gateway.clone());
    let serving = tokio::spawn(async move {
        let make = app.into_make_service_with_connect_info::<Peer>();
        axum::serve(listener, make).with_graceful_shutdown(signal).await.unwrap();
        embedded.shutdown().await;
    });
    let admin_app = gateway.admin_router();
    tokio::spawn(async move { axum::serve(admin_listener, admin_app).await });
    drop(entered);
    let (serving, runtime) = (Some(serving), Some(runtime));
    Started { gateway: gateway.clone(), public, admin, stop, serving, runtime }
}

pub(crate) async fn stop(mut started: Started) {
    started.stop.cancel();
    let ended = timeout(PATIENCE, started.serving.take().unwrap()).await;
    ended.expect("the app ends").unwrap();
}

fn listen() -> (SocketAddr, TcpListener) {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    (listener.local_addr().unwrap(), TcpListener::from_std(listener).unwrap())
}
