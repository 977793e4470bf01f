//! Requests that are sent twice: routes that declare `idempotency` run them once.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::{Canned, FakeUpstream};
use tower::util::MapRequest;

use crate::support::{Answer, Node, service};

/// A route that de-duplicates, one that insists on a key, and one that does neither.
fn document() -> String {
    serde_json::json!({
        "service": "orders",
        "routes": [
            { "method": "POST", "uri": "/api/orders", "idempotency": true },
            { "method": "POST", "uri": "/api/payments", "idempotency": "required" },
            { "method": "POST", "uri": "/api/visits" },
        ],
        "timestamp": "2026-02-10T12:00:00+00:00",
    })
    .to_string()
}

fn settings(upstream: &FakeUpstream) -> GatewaySettings {
    GatewaySettings { configured: vec![service("orders", &[upstream.url()])], ..GatewaySettings::default() }
}

async fn node_before(upstream: &FakeUpstream) -> Node {
    Node::start(settings(upstream), &[document()]).await
}

/// An upstream whose every answer differs.
async fn counting() -> FakeUpstream {
    let count = AtomicUsize::new(0);
    FakeUpstream::answering(move |_| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        Canned::status(201).body(format!("order {number}").into_bytes()).after(Duration::from_millis(20))
    })
    .await
    .unwrap()
}

async fn post(node: &Node, path: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: street\r\nConnection: close{headers}\r\nContent-Length: {}",
        body.len()
    );
    node.send(&head, body).await
}

#[tokio::test]
async fn a_repeated_request_is_answered_from_memory() {
    let upstream = counting().await;
    let node = node_before(&upstream).await;
    let key = "\r\nIdempotency-Key: k1";
    let first = post(&node, "/api/orders", key, b"{}").await;
    assert_eq!((first.status, first.text()), (201, "order 0".to_owned()));
    assert!(first.header("x-idempotency-cache-hit").is_empty());
    let second = post(&node, "/api/orders", key, b"{}").await;
    assert_eq!((second.status, second.text()), (201, "order 0".to_owned()));
    assert_eq!(second.header("x-idempotency-cache-hit"), ["true"]);
    assert_eq!(upstream.count(), 1);

    post(&node, "/api/orders", key, b"{\"other\":1}").await.is_refusal(422, "idempotency.key_reused");
    let other_user = post(&node, "/api/orders", &format!("{key}\r\nAuthorization: Bearer b"), b"{}").await;
    assert_eq!(other_user.text(), "order 1", "nobody is answered with somebody else's response");
    assert_eq!(
        post(&node, "/api/orders", "", b"{}").await.text(),
        "order 2",
        "without a key it runs each time"
    );
    assert_eq!(upstream.requests()[0].header("idempotency-key"), [b"k1"]);
    node.stop().await;
}

#[tokio::test]
async fn twins_at_the_same_time_run_once() {
    let upstream = counting().await;
    let node = node_before(&upstream).await;
    let twins = (0..20).map(|_| post(&node, "/api/orders", "\r\nX-Request-Id: twin", b"{}"));
    let answers = futures_util::future::join_all(twins).await;
    assert_eq!(upstream.count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.status == 409));
    assert!(answers.iter().any(|answer| answer.status == 201));
    node.stop().await;
}

#[tokio::test]
async fn a_route_that_requires_a_key_refuses_without_one_and_others_never_ask() {
    let upstream = counting().await;
    let node = node_before(&upstream).await;
    post(&node, "/api/payments", "", b"{}").await.is_refusal(400, "idempotency.key_missing");
    assert_eq!(upstream.count(), 0);
    let key = "\r\nIdempotency-Key: k1";
    assert_eq!(post(&node, "/api/visits", key, b"{}").await.text(), "order 0");
    assert_eq!(post(&node, "/api/visits", key, b"{}").await.text(), "order 1");
    node.stop().await;
}

#[tokio::test]
async fn two_users_behind_a_layer_that_takes_their_credentials_away_never_share_an_answer() {
    let upstream = counting().await;
    let forget = MapRequest::<(), _>::layer(|mut request: axum::extract::Request| {
        request.headers_mut().remove("authorization");
        request
    });
    let node = Node::built(settings(&upstream), &[document()], |builder| {
        builder.routes(|r| {
            r.service("orders").layer(forget);
        })
    })
    .await;
    let order = async |user: &str| {
        let headers = format!("\r\nIdempotency-Key: k1\r\nAuthorization: Bearer {user}");
        post(&node, "/api/orders", &headers, b"{}").await.text()
    };
    assert_eq!((order("a").await, order("b").await), ("order 0".to_owned(), "order 1".to_owned()));
    assert_eq!((order("b").await, order("a").await), ("order 1".to_owned(), "order 0".to_owned()));
    assert!(upstream.requests()[0].header("authorization").is_empty(), "the layer ran");
    node.stop().await;
}
