//! Keyed requests whose clients go away, whose services break off, whose handlers panic.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::extract::Request;
use mesh_core::{clock::SystemClock, store::MemoryStore};
use mesh_gateway::{DefaultProxy, GatewayBuilder, GatewaySettings};
use mesh_testkit::upstream::{Canned, FakeUpstream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::support::{Answer, Node, PATIENCE, manifest_with, service, until};

async fn node_before(url: &str, build: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Node {
    let settings = GatewaySettings {
        configured: vec![service("orders", &[url.to_owned()])],
        timeout: Duration::from_secs(25),
        ..GatewaySettings::default()
    };
    let routes = [("POST", "/api/orders", r#","idempotency":true"#), ("GET", "/api/orders", "")];
    Node::built(settings, &[manifest_with("orders", &routes)], build).await
}

async fn order(node: &Node) -> Answer {
    node.post("/api/orders", "Idempotency-Key: k1\r\n", b"").await
}

/// A request on a connection that stays open, and the instance's end of it.
async fn begin(node: &Node, head: &str, instance: &TcpListener) -> (TcpStream, TcpStream) {
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    client.write_all(format!("{head}\r\n\r\n").as_bytes()).await.unwrap();
    let (mut served, _) = timeout(PATIENCE, instance.accept()).await.unwrap().unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(timeout(PATIENCE, served.read_u8()).await.unwrap().unwrap());
    }
    (client, served)
}

const KEYED: &str = "POST /api/orders HTTP/1.1\r\nHost: s\r\nIdempotency-Key: k1\r\nContent-Length: 0";
const UNKEYED: &str = "POST /api/orders HTTP/1.1\r\nHost: s\r\nContent-Length: 0";
const GET: &str = "GET /api/orders HTTP/1.1\r\nHost: s";
const CREATED: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 7\r\n\r\norder 7";

async fn listen() -> (TcpListener, String) {
    let instance = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", instance.local_addr().unwrap());
    (instance, url)
}

/// The gateway has let its connection to the instance go.
async fn is_left(served: &mut TcpStream) {
    let mut rest = Vec::new();
    timeout(PATIENCE, served.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_keyed_post_whose_client_goes_finishes_and_is_stored_while_a_get_is_cancelled() {
    let (instance, url) = listen().await;
    let node = node_before(&url, |builder| builder).await;
    let (keyed, mut served) = begin(&node, KEYED, &instance).await;
    drop(keyed);
    for head in [GET, UNKEYED] {
        let (client, mut cancelled) = begin(&node, head, &instance).await;
        drop(client);
        is_left(&mut cancelled).await;
    }
    node.post("/api/orders", "Idempotency-Key: k1\r\n", b"").await.is_in_flight();
    served.write_all(CREATED).await.unwrap();
    until("the answer is stored", async || {
        node.post("/api/orders", "Idempotency-Key: k1\r\n", b"").await.status == 201
    })
    .await;
    let replay = node.post("/api/orders", "Idempotency-Key: k1\r\n", b"").await;
    assert_eq!((replay.status, replay.text()), (201, "order 7".to_owned()));
    assert_eq!(replay.header("x-idempotency-cache-hit"), ["true"]);
    node.stop().await;
}

#[tokio::test]
async fn a_gateway_that_ends_waits_for_a_keyed_post_without_a_client() {
    let (instance, url) = listen().await;
    let memory = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let first = node_before(&url, |builder| builder.idempotency(memory.clone())).await;
    let (keyed, mut served) = begin(&first, KEYED, &instance).await;
    drop(keyed);
    let (client, mut cancelled) = begin(&first, UNKEYED, &instance).await;
    drop(client);
    is_left(&mut cancelled).await;
    let gateway = first.running.gateway().clone();
    let stopping = tokio::spawn(first.stop());
    until("the end has begun", async || !gateway.is_ready()).await;
    assert!(!stopping.is_finished());
    served.write_all(CREATED).await.unwrap();
    stopping.await.unwrap();

    let second = node_before(&url, |builder| builder.idempotency(memory)).await;
    let replay = second.post("/api/orders", "Idempotency-Key: k1\r\n", b"").await;
    assert_eq!((replay.status, replay.text()), (201, "order 7".to_owned()));
    second.stop().await;
}

#[tokio::test]
async fn a_keyed_answer_that_breaks_off_is_502_and_is_not_stored() {
    for is_layered in [false, true] {
        let whole = Canned::status(201).body("order 7");
        let upstream = FakeUpstream::scripted([whole.clone().cut_at(3), whole]).await.unwrap();
        let node = node_before(&upstream.url(), |builder| {
            if !is_layered {
                return builder;
            }
            builder.proxy(async |request: Request, default: DefaultProxy| default.forward(request).await)
        })
        .await;
        order(&node).await.is_refusal(502, "upstream_unreachable");
        let again = order(&node).await;
        assert_eq!((again.status, again.text()), (201, "order 7".to_owned()));
        assert!(again.header("x-idempotency-cache-hit").is_empty(), "it ran");
        assert_eq!(order(&node).await.header("x-idempotency-cache-hit"), ["true"]);
        assert_eq!(upstream.count(), 2);
        node.stop().await;
    }
}

#[tokio::test]
async fn a_handler_that_panics_is_500_for_its_request_and_the_next_one_with_the_key_runs() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let node = node_before(&upstream.url(), |builder| {
        builder.routes(|r| {
            r.service("orders").post("/api/orders").handler(async move || {
                assert!(counter.fetch_add(1, Ordering::SeqCst) > 0, "the first run panics");
                "done"
            });
        })
    })
    .await;
    let failed = order(&node).await;
    assert_eq!((failed.status, failed.json()["code"].as_str()), (500, Some("internal")), "{failed:?}");
    let ran = order(&node).await;
    assert_eq!((ran.status, ran.text()), (200, "done".to_owned()), "its claim was released");
    let replay = order(&node).await;
    assert_eq!(replay.header("x-idempotency-cache-hit"), ["true"]);
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(node.get("/api/orders").await.status, 200, "the gateway goes on");
    node.stop().await;
}
