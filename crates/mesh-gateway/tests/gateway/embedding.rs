//! The gateway inside of somebody else's app: what the app must say, and what runs beside the requests.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Extension, Router, routing::get};
use mesh_core::{clock::SystemClock, store::MemoryStore};
use mesh_gateway::{BuildError, Embedded, Gateway, GatewaySettings, Peer};
use mesh_testkit::upstream::{Canned, FakeUpstream};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    runtime::Builder,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, PATIENCE, keyring, manifest, name, put, send, service, until};

/// A gateway before `upstream`, and the store that it reads.
fn gateway_before(upstream: &FakeUpstream) -> (Gateway, MemoryStore) {
    let store = MemoryStore::new(Arc::new(SystemClock));
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        ..GatewaySettings::default()
    };
    let health = Arc::new(store.clone());
    let gateway = Gateway::builder(name("gateway"), keyring(), Arc::new(store.clone()), health);
    (gateway.settings(settings).build().unwrap(), store)
}

/// A gateway that runs on this runtime and has routes.
async fn embedded_before(upstream: &FakeUpstream) -> (Gateway, Embedded) {
    let (gateway, store) = gateway_before(upstream);
    put(&store, &manifest("orders", &[("GET", "/api/orders"), ("POST", "/api/orders")])).await;
    let embedded = gateway.embed();
    until("the gateway is ready", async || gateway.is_ready()).await;
    (gateway, embedded)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An app that leaves to the gateway what it does not take itself.
async fn app(gateway: &Gateway) -> SocketAddr {
    let app = Router::new()
        .route("/own", get(|| async { "own" }))
        .nest("/ops", gateway.admin_router())
        .fallback_service(gateway.clone());
    let (listener, address) = listen().await;
    let make = app.into_make_service_with_connect_info::<Peer>();
    tokio::spawn(async move { axum::serve(listener, make).await });
    address
}

fn head(line: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: street\r\nConnection: close")
}

async fn ask(address: SocketAddr, line: &str) -> Answer {
    send(address, &head(line), b"").await
}

#[tokio::test]
async fn it_serves_what_an_axum_app_leaves_to_it() {
    let upstream = FakeUpstream::scripted([Canned::json("{}")]).await.unwrap();
    let (gateway, _embedded) = embedded_before(&upstream).await;
    let address = app(&gateway).await;
    assert_eq!(ask(address, "GET /own").await.text(), "own");
    assert_eq!(ask(address, "GET /api/orders?a=1").await.status, 200);
    let request = upstream.requests().pop().unwrap();
    assert_eq!(request.target, "/api/orders?a=1");
    assert_eq!(request.header("x-forwarded-for"), [b"127.0.0.1"]);
    assert_eq!(request.header("x-forwarded-port"), [address.port().to_string().as_bytes()]);
    let post = format!("{}\r\nContent-Length: 2", head("POST /api/orders"));
    assert_eq!(send(address, &post, b"ok").await.status, 200);
    assert_eq!(&upstream.requests().pop().unwrap().body[..], b"ok");
    ask(address, "GET /nothing").await.is_refusal(404, "route_not_found");
}

#[tokio::test]
async fn the_admin_routes_stand_where_the_app_puts_them() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let (gateway, _embedded) = embedded_before(&upstream).await;
    let address = app(&gateway).await;
    for path in ["health", "health/live", "health/ready", "metrics"] {
        assert_eq!(ask(address, &format!("GET /ops/microservice/{path}")).await.status, 200, "{path}");
    }
    let routes = ask(address, "GET /ops/admin/routes").await;
    assert_eq!(routes.json()["routes"][0]["uri"], "/api/orders");
    assert_eq!(routes.header("cache-control"), ["no-store"]);
    assert!(ask(address, "GET /ops").await.text().starts_with("<!doctype html>"));
    ask(address, "GET /ops/nothing").await.is_refusal(404, "route_not_found");
    ask(address, "GET /microservice/health").await.is_refusal(404, "route_not_found");
}

#[tokio::test]
async fn the_app_says_who_the_client_is() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let (gateway, _embedded) = embedded_before(&upstream).await;
    let told = Peer { address: IpAddr::V4(Ipv4Addr::new(9, 8, 7, 6)), port: 443, is_https: true };
    let app = || Router::new().fallback_service(gateway.clone());
    let (listeners, addresses): (Vec<_>, Vec<_>) =
        [listen().await, listen().await, listen().await].into_iter().unzip();
    let [by_extension, by_address, by_nobody] = <[TcpListener; 3]>::try_from(listeners).unwrap();
    let with_address = app().into_make_service_with_connect_info::<SocketAddr>();
    let with_peer = app().layer(Extension(told));
    let plain = app();
    tokio::spawn(async move { axum::serve(by_extension, with_peer).await });
    tokio::spawn(async move { axum::serve(by_address, with_address).await });
    tokio::spawn(async move { axum::serve(by_nobody, plain).await });
    let expected = [["9.8.7.6", "443", "https"], ["127.0.0.1", "80", "http"], ["0.0.0.0", "80", "http"]];
    for (address, [client, port, scheme]) in addresses.into_iter().zip(expected) {
        assert_eq!(ask(address, "GET /api/orders").await.status, 200);
        let request = upstream.requests().pop().unwrap();
        assert_eq!(request.header("x-forwarded-for"), [client.as_bytes()]);
        assert_eq!(request.header("x-forwarded-port"), [port.as_bytes()]);
        assert_eq!(request.header("x-forwarded-proto"), [scheme.as_bytes()]);
    }
}

#[test]
fn the_work_beside_the_requests_runs_on_any_runtime_until_it_is_shut_down() {
    let alone = Builder::new_current_thread().enable_all().build().unwrap();
    let many = Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    for runtime in [alone, many] {
        runtime.block_on(async {
            let upstream = FakeUpstream::scripted([Canned::json("{}")]).await.unwrap();
            let (gateway, store) = gateway_before(&upstream);
            let embedded = gateway.embed();
            let address = app(&gateway).await;
            until("an empty store is read", async || gateway.is_ready()).await;
            ask(address, "GET /api/orders").await.is_refusal(404, "route_not_found");
            put(&store, &manifest("orders", &[("GET", "/api/orders")])).await;
            until("the routes are read", async || ask(address, "GET /api/orders").await.status == 200).await;
            timeout(PATIENCE, embedded.shutdown()).await.unwrap();
            assert!(!gateway.is_ready());
            let stopped = gateway.reload(GatewaySettings::default(), keyring()).await;
            assert_eq!(stopped, Err(BuildError::Stopped));
        });
    }
}

#[tokio::test]
async fn the_work_beside_the_requests_ends_with_its_owner_and_requests_are_answered_still() {
    let upstream = FakeUpstream::scripted([Canned::json("{}")]).await.unwrap();
    let (gateway, embedded) = embedded_before(&upstream).await;
    let address = app(&gateway).await;
    drop(embedded);
    until("the work has ended", async || {
        let reloaded = gateway.reload(GatewaySettings::default(), keyring()).await;
        reloaded == Err(BuildError::Stopped)
    })
    .await;
    assert_eq!(ask(address, "GET /api/orders").await.status, 200);
}

#[tokio::test]
async fn requests_under_way_finish_while_ready_says_no() {
    let slow = Canned::json("{\"slow\":true}").after(Duration::from_millis(600));
    let upstream = FakeUpstream::scripted([slow]).await.unwrap();
    let (gateway, embedded) = embedded_before(&upstream).await;
    let ((listener, address), (admin, admin_address)) = (listen().await, listen().await);
    let stop = CancellationToken::new();
    let signal = embedded.drain_when(stop.clone().cancelled_owned());
    let (street, ops) = (Router::new().fallback_service(gateway.clone()), gateway.admin_router());
    tokio::spawn(async move { axum::serve(admin, ops).await });
    let serving: JoinHandle<()> = tokio::spawn(async move {
        axum::serve(listener, street).with_graceful_shutdown(signal).await.unwrap();
        embedded.shutdown().await;
    });
    let mut busy = TcpStream::connect(address).await.unwrap();
    busy.write_all(b"GET /api/orders HTTP/1.1\r\nHost: street\r\n\r\n").await.unwrap();
    until("the request is under way", async || upstream.count() == 1).await;
    stop.cancel();
    until("ready says no", async || ask(admin_address, "GET /microservice/health/ready").await.status == 503)
        .await;
    let answer = Answer::read(&mut busy).await;
    assert_eq!((answer.status, answer.text()), (200, "{\"slow\":true}".to_owned()));
    timeout(PATIENCE, serving).await.unwrap().unwrap();
}
