//! The gateway inside of another tower service.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, routing::get};
use mesh_core::{clock::SystemClock, store::MemoryStore};
use mesh_gateway::{Gateway, GatewaySettings};
use mesh_testkit::upstream::{Canned, FakeUpstream};
use tokio::net::TcpListener;

use crate::support::{keyring, manifest, name, put, send, service, until};

#[tokio::test]
async fn it_serves_what_an_axum_app_leaves_to_it() {
    let upstream = FakeUpstream::scripted([Canned::json("{}")]).await.unwrap();
    let store = MemoryStore::new(Arc::new(SystemClock));
    put(&store, &manifest("orders", &[("GET", "/api/orders"), ("POST", "/api/orders")])).await;
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        ..GatewaySettings::default()
    };
    let gateway = Gateway::builder(name("gateway"), keyring(), Arc::new(store.clone()), Arc::new(store))
        .settings(settings)
        .build()
        .unwrap();
    tokio::spawn(gateway.control());
    until("the gateway is ready", async || gateway.is_ready()).await;

    let app = Router::new().route("/own", get(|| async { "own" })).fallback_service(gateway);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let make = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, make).await });

    let head = |line: &str| format!("{line} HTTP/1.1\r\nHost: street\r\nConnection: close");
    assert_eq!(send(address, &head("GET /own"), b"").await.text(), "own");
    assert_eq!(send(address, &head("GET /api/orders?a=1"), b"").await.status, 200);
    let request = upstream.requests().pop().unwrap();
    assert_eq!(request.target, "/api/orders?a=1");
    assert_eq!(request.header("x-forwarded-for"), [b"127.0.0.1"]);
    let post = format!("{}\r\nContent-Length: 2", head("POST /api/orders"));
    assert_eq!(send(address, &post, b"ok").await.status, 200);
    assert_eq!(&upstream.requests().pop().unwrap().body[..], b"ok");
    send(address, &head("GET /nothing"), b"").await.is_refusal(404, "route_not_found");
}
