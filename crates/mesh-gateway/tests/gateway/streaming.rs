//! Answers that come bit by bit, connections that are kept, clients that go away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::{Canned, FakeUpstream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::support::{Node, manifest, service, until};

const GET: &[u8] = b"GET /api/orders HTTP/1.1\r\nHost: street\r\n\r\n";

async fn node_before(url: String) -> Node {
    let settings =
        GatewaySettings { configured: vec![service("orders", &[url])], ..GatewaySettings::default() };
    Node::start(settings, &[manifest("orders", &[("GET", "/api/orders"), ("POST", "/api/orders")])]).await
}

/// Reads until `end` was read.
async fn read_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = timeout(Duration::from_secs(30), async {
        while !bytes.ends_with(end) {
            bytes.push(stream.read_u8().await.unwrap());
        }
    });
    assert!(read.await.is_ok(), "only {:?}", String::from_utf8_lossy(&bytes));
    bytes
}

#[tokio::test]
async fn each_part_of_an_answer_arrives_before_the_next_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = node_before(format!("http://{}", listener.local_addr().unwrap())).await;
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    client.write_all(GET).await.unwrap();
    let (mut upstream, _) = listener.accept().await.unwrap();
    read_until(&mut upstream, b"\r\n\r\n").await;
    upstream
        .write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        )
        .await
        .unwrap();
    for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
        upstream.write_all(format!("9\r\n{event}\r\n").as_bytes()).await.unwrap();
        read_until(&mut client, event.as_bytes()).await;
    }
    upstream.write_all(b"0\r\n\r\n").await.unwrap();
    read_until(&mut client, b"0\r\n\r\n").await;
    node.stop().await;
}

#[tokio::test]
async fn an_instance_is_left_when_the_client_goes_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = node_before(format!("http://{}", listener.local_addr().unwrap())).await;
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    client.write_all(GET).await.unwrap();
    let (mut upstream, _) = listener.accept().await.unwrap();
    read_until(&mut upstream, b"\r\n\r\n").await;
    drop(client);
    let mut rest = Vec::new();
    let ended = timeout(Duration::from_secs(30), upstream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection to the instance is closed");
    let document = node.admin("/admin/instances").await.json();
    assert_eq!(document["services"][0]["failures"], 0, "nobody failed but the client");
    node.stop().await;
}

#[tokio::test]
async fn a_connection_carries_many_requests_also_pipelined_ones() {
    let upstream = FakeUpstream::scripted([Canned::json("{\"a\":1}")]).await.unwrap();
    let node = node_before(upstream.url()).await;
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    for _ in 0..3 {
        client.write_all(GET).await.unwrap();
        read_until(&mut client, b"{\"a\":1}").await;
    }
    client
        .write_all(&[GET, GET, b"GET /nothing HTTP/1.1\r\nHost: street\r\n\r\n", GET].concat())
        .await
        .unwrap();
    read_until(&mut client, b"{\"a\":1}").await;
    read_until(&mut client, b"{\"a\":1}").await;
    let refused = read_until(&mut client, b"}").await;
    assert!(refused.starts_with(b"HTTP/1.1 404 Not Found\r\n"));
    assert!(refused.ends_with(b"\"}"), "its body is ours, not hyper's empty one");
    read_until(&mut client, b"{\"a\":1}").await;
    assert_eq!(upstream.count(), 6);
    node.stop().await;
}

#[tokio::test]
async fn a_connection_that_its_instance_closed_fails_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = node_before(format!("http://{}", listener.local_addr().unwrap())).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                read_until(&mut stream, b"\r\n\r\n").await;
                let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            });
        }
    });
    for _ in 0..50 {
        assert_eq!(node.get("/api/orders").await.status, 200);
        assert_eq!(node.post("/api/orders", "", b"").await.status, 200);
    }
    node.stop().await;
}

#[tokio::test]
async fn an_http_1_0_service_that_ends_its_answer_by_closing_is_understood() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = node_before(format!("http://{}", listener.local_addr().unwrap())).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            read_until(&mut stream, b"\r\n\r\n").await;
            let _sent = stream.write_all(b"HTTP/1.0 200 OK\r\nX-Old: yes\r\n\r\nuntil the end").await;
        }
    });
    let answer = node.get("/api/orders").await;
    assert_eq!((answer.status, answer.header("x-old")), (200, vec!["yes"]));
    assert!(answer.text().contains("until the end"));
    let head = "GET /api/orders HTTP/1.0\r\nHost: street";
    let answer = node.send(head, b"").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "until the end"));
    node.stop().await;
}

#[tokio::test]
async fn routes_are_replaced_under_load_without_a_failed_or_misled_request() {
    let (left, right) =
        (FakeUpstream::scripted([]).await.unwrap(), FakeUpstream::scripted([]).await.unwrap());
    let settings = GatewaySettings {
        configured: vec![service("left", &[left.url()]), service("right", &[right.url()])],
        ..GatewaySettings::default()
    };
    let stays = manifest("left", &[("GET", "/api/left")]);
    let node = Arc::new(Node::start(settings, &[stays]).await);
    let is_over = Arc::new(AtomicBool::new(false));
    let load = {
        let (node, is_over) = (Arc::clone(&node), Arc::clone(&is_over));
        tokio::spawn(async move {
            let mut requests = 0;
            while !is_over.load(Ordering::SeqCst) {
                assert_eq!(node.get("/api/left").await.status, 200);
                requests += 1;
            }
            requests
        })
    };
    for round in 0..50 {
        let document = manifest("right", &[("GET", "/api/right"), ("GET", &format!("/api/right/{round}"))]);
        assert_eq!(node.register("right", &document).await.status, 200);
        assert_eq!(node.get(&format!("/api/right/{round}")).await.status, 200, "live with the next request");
    }
    is_over.store(true, Ordering::SeqCst);
    let requests = load.await.unwrap();
    assert!(requests > 0);
    assert!(left.requests().iter().all(|request| request.target == "/api/left"));
    assert!(right.requests().iter().all(|request| request.target.starts_with("/api/right/")));
    until("everything was counted", async || left.count() == requests).await;
    let node = Arc::into_inner(node).unwrap();
    node.stop().await;
}
