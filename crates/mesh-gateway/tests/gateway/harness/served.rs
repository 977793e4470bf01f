//! How the gateway of these tests runs: by its own server, in threads of its own.

use std::net::SocketAddr;

use mesh_gateway::{
    Gateway,
    server::{Listening, Running, serve},
};

pub(crate) type Started = Running;

pub(crate) fn start(gateway: &Gateway) -> Started {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    serve(gateway, Listening { public: any, admin: Some(any), workers: 2 }).unwrap()
}

pub(crate) async fn stop(started: Started) {
    tokio::task::spawn_blocking(|| started.shutdown()).await.unwrap();
}
