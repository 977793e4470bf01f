//! What is refused before any service hears of it.

use std::time::Duration;

use mesh_gateway::{GatewaySettings, Limits};
use mesh_testkit::upstream::FakeUpstream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Answer, Node, manifest, manifest_with, service};

pub(crate) async fn node_before(upstream: &FakeUpstream) -> Node {
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        body_limit: 1_000,
        limits: Limits { head_timeout: Duration::from_millis(300), ..Limits::default() },
        ..GatewaySettings::default()
    };
    let manifest = manifest_with(
        "orders",
        &[
            ("GET", "/api/orders/{order}", ""),
            ("POST", "/api/orders", ""),
            ("PUT", "/api/orders", r#","body_limit":10"#),
            ("OPTIONS", "/api/own", ""),
        ],
    );
    Node::start(settings, &[manifest]).await
}

/// Sends each request, and demands the refusal; no service may hear of any.
pub(crate) async fn all_refused(rows: &[(&str, u16, &str)]) {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    for (request, status, code) in rows {
        let answer = node.send(request, b"").await;
        assert_eq!(answer.status, *status, "{request}: {answer:?}");
        answer.is_refusal(*status, code);
    }
    assert_eq!(upstream.count(), 0);
    node.stop().await;
}

pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: street\r\nConnection: close")
}

#[tokio::test]
async fn a_target_that_could_be_read_in_two_ways_is_refused() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    for target in [
        "/api/orders/../x",
        "/api/orders/./x",
        "/api/orders/%2e%2E",
        "/api/orders/..;a=b",
        "/api/orders/a%2fb",
        "/api/orders/a%5Cb",
        "/api/orders/a\\b",
        "/api//orders/7",
        "//evil.example/",
        "/api/orders/%00",
        "/api/orders/%zz",
        "/api/orders/%",
        "/api/orders/%c0%ae",
        "!",
        "foo",
    ] {
        node.send(&get(target), b"").await.is_refusal(400, "path_not_canonical");
    }
    assert_eq!(upstream.count(), 0);
    node.stop().await;
}

#[tokio::test]
async fn heads_that_servers_disagree_about_are_refused() {
    all_refused(&[
        ("GET /api/orders/7 HTTP/1.1\r\nConnection: close", 400, "bad_host"),
        ("GET /api/orders/7 HTTP/1.1\r\nHost: a\r\nHost: a\r\nConnection: close", 400, "bad_host"),
        ("GET /api/orders/7 HTTP/1.1\r\nHost: a@b\r\nConnection: close", 400, "bad_host"),
        ("GET http://b/api/orders/7 HTTP/1.1\r\nHost: a\r\nConnection: close", 400, "bad_host"),
        (
            "GET /api/orders/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX_User_Id: 1",
            400,
            "bad_header_name",
        ),
        (
            "GET /api/orders/7 HTTP/1.1\r\nHost: a\r\nConnection: close, X-Signature",
            400,
            "bad_connection_header",
        ),
        (
            "POST /api/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: foo\r\nContent-Length: 1",
            417,
            "expectation_failed",
        ),
        (
            "GET /api/orders/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1",
            400,
            "body_not_allowed",
        ),
        (
            "GET /api/orders/7 HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: websocket",
            400,
            "upgrade_not_allowed",
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_unknown_path_is_404_and_an_unknown_method_405() {
    all_refused(&[
        (&get("/api/nothing"), 404, "route_not_found"),
        (&get("/"), 404, "route_not_found"),
        (&get("/microservice/health"), 404, "route_not_found"),
        (&get("/admin/routes"), 404, "route_not_found"),
        (&get("/microservice/manifest"), 405, "method_not_allowed"),
    ])
    .await;
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    for method in ["DELETE", "TRACE", "get", "FOO", "PROPFIND"] {
        let answer = node.send(&get("/api/orders/7").replace("GET ", &format!("{method} ")), b"").await;
        answer.is_refusal(405, "method_not_allowed");
        assert!(answer.header("allow")[0].contains("GET, HEAD"), "{answer:?}");
    }
    let connect = "CONNECT street:443 HTTP/1.1\r\nHost: street:443\r\nConnection: close";
    node.send(connect, b"").await.is_refusal(405, "method_not_allowed");
    assert_eq!(upstream.count(), 0);
    node.stop().await;
}

#[tokio::test]
async fn options_is_answered_here_unless_a_route_takes_it() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    let options = |target: &str| get(target).replace("GET ", "OPTIONS ");
    let star = node.send(&options("*"), b"").await;
    assert_eq!((star.status, star.raw_body.len()), (204, 0));
    let known = node.send(&options("/api/orders"), b"").await;
    assert_eq!((known.status, known.header("allow")), (204, vec!["OPTIONS, POST, PUT"]));
    assert_eq!(upstream.count(), 0);
    node.send(&options("/api/nothing"), b"").await.is_refusal(404, "route_not_found");
    assert_eq!(node.send(&options("/api/own"), b"").await.status, 200);
    assert_eq!(upstream.count(), 1);
    node.stop().await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_and_the_connection_ends() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    let alive = "POST /api/orders HTTP/1.1\r\nHost: street\r\n";
    let announced = node.send(&format!("{alive}Content-Length: 1001"), b"").await;
    announced.is_refusal(413, "body_too_large");
    assert_eq!(announced.header("connection"), ["close"]);
    let mut chunks = b"3e8\r\n".to_vec();
    chunks.extend(vec![b'x'; 1_000]);
    chunks.extend(b"\r\n1\r\nx\r\n0\r\n\r\n");
    let chunked = node.send(&format!("{alive}Transfer-Encoding: chunked"), &chunks).await;
    chunked.is_refusal(413, "body_too_large");
    let own = "PUT /api/orders HTTP/1.1\r\nHost: street\r\nContent-Length: 11";
    node.send(own, b"").await.is_refusal(413, "body_too_large");
    assert_eq!(upstream.count(), 0);
    assert_eq!(node.post("/api/orders", "", &[b'x'; 1_000]).await.status, 200);
    node.stop().await;
}

#[tokio::test]
async fn a_malformed_chunk_is_400_and_no_service_gets_a_finished_request() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    let head = "POST /api/orders HTTP/1.1\r\nHost: street\r\nTransfer-Encoding: chunked";
    for body in
        ["0x1\r\nx\r\n0\r\n\r\n", "+1\r\nx\r\n0\r\n\r\n", "1these\r\nx\r\n0\r\n\r\n", "1\r\nxx\r\n0\r\n\r\n"]
    {
        node.send(head, body.as_bytes()).await.is_refusal(400, "bad_framing");
    }
    assert_eq!(upstream.count(), 0);
    node.stop().await;
}

#[tokio::test]
async fn an_expected_100_is_given_here() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
    let head = "POST /api/orders HTTP/1.1\r\nHost: street\r\nConnection: close\r\nExpect: 100-continue\r\n\
        Content-Length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ok").await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 200);
    let request = upstream.requests().pop().unwrap();
    assert!(request.header("expect").is_empty());
    assert_eq!(&request.body[..], b"ok");
    node.stop().await;
}

#[tokio::test]
async fn without_routes_everything_is_503_until_they_were_loaded() {
    use crate::support::Unreliable;
    let (node, store) = Unreliable::node(GatewaySettings::default());
    let answer = node.get("/api/orders").await;
    answer.is_refusal(503, "not_ready");
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(node.admin("/microservice/health/ready").await.status, 503);
    assert_eq!(node.admin("/microservice/health/live").await.status, 200);
    crate::support::put(&node.store, &manifest("orders", &[("GET", "/api/x")])).await;
    store.answers(true);
    crate::support::until("the gateway is ready", async || node.running.gateway().is_ready()).await;
    assert_eq!(node.admin("/microservice/health/ready").await.status, 200);
    node.get("/api/orders").await.is_refusal(404, "route_not_found");
    node.get("/api/x").await.is_refusal(503, "upstream_unavailable");
    node.stop().await;
}
