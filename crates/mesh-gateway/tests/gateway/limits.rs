//! The limits of a route hold behind layers as they do without.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use mesh_gateway::{GatewaySettings, Limits};
use mesh_testkit::upstream::FakeUpstream;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::support::{Answer, Node, manifest_with, service};

async fn pass(State(()): State<()>, request: Request, next: Next) -> Response {
    next.run(request).await
}

async fn length(body: Bytes) -> String {
    body.len().to_string()
}

/// Takes no notice of a body that cannot be read.
async fn careless(request: Request) -> String {
    let read = axum::body::to_bytes(request.into_body(), usize::MAX).await;
    format!("{}", read.is_ok())
}

async fn node(upstream: &FakeUpstream) -> Node {
    let limits = Limits { body_window: Duration::from_millis(300), ..Limits::default() };
    let settings = GatewaySettings {
        configured: vec![service("oms", &[upstream.url()])],
        limits,
        ..GatewaySettings::default()
    };
    let small = r#","body_limit":4"#;
    let routes = [
        ("POST", "/api/proxied", small),
        ("POST", "/api/handled", small),
        ("POST", "/api/careless", small),
        ("POST", "/api/large", r#","body_limit":"4MiB""#),
    ];
    Node::built(settings, &[manifest_with("oms", &routes)], |builder| {
        builder.routes(|r| {
            r.service("oms").layer(from_fn_with_state((), pass));
            r.service("oms").post("/api/handled").handler(length);
            r.service("oms").post("/api/careless").handler(careless);
            r.service("oms").post("/api/large").handler(length);
        })
    })
    .await
}

const PATHS: [&str; 3] = ["/api/proxied", "/api/handled", "/api/careless"];

#[tokio::test]
async fn a_body_above_the_routes_limit_is_413_announced_or_not() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node(&upstream).await;
    for path in PATHS {
        assert_eq!(node.post(path, "", b"1234").await.status, 200, "{path}");
        let announced = node.post(path, "", b"12345").await;
        announced.is_refusal(413, "body_too_large");
        assert_eq!(announced.header("connection"), ["close"]);
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: s\r\nConnection: close\r\nTransfer-Encoding: chunked");
        let grown = node.send(&head, b"3\r\n123\r\n2\r\n45\r\n0\r\n\r\n").await;
        grown.is_refusal(413, "body_too_large");
    }
    assert_eq!(upstream.count(), 1);
    let figures = node.admin("/microservice/metrics").await.text();
    assert!(figures.contains(r#"mesh_refusals_total{code="body_too_large"} 6"#), "{figures}");
    node.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_408() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node(&upstream).await;
    for path in PATHS {
        let mut client = TcpStream::connect(node.running.public()).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: s\r\nContent-Length: 4\r\n\r\n12");
        client.write_all(head.as_bytes()).await.unwrap();
        Answer::read(&mut client).await.is_refusal(408, "request_timeout");
    }
    assert_eq!(upstream.count(), 0);
    node.stop().await;
}

#[tokio::test]
async fn a_handler_takes_as_much_as_the_route_allows() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node(&upstream).await;
    let body = vec![b'x'; 3 << 20];
    assert_eq!(node.post("/api/large", "", &body).await.text(), body.len().to_string());
    node.stop().await;
}
