//! What a client sees when instances fail: another instance's answer, or the truth.

use std::time::{Duration, Instant};

use mesh_core::retry::RetryPolicy;
use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::{Canned, FakeUpstream};
use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpListener, net::TcpStream};

use crate::support::{Node, manifest_with, service, until};

/// A gateway with short limits before these instances.
pub(crate) async fn node_before(urls: &[String]) -> Node {
    let settings = GatewaySettings {
        configured: vec![service("orders", urls)],
        timeout: Duration::from_millis(400),
        deadline: Some(Duration::from_secs(2)),
        retry: RetryPolicy { retries: 1, retry_delay: Duration::from_millis(1), ..RetryPolicy::default() },
        ..GatewaySettings::default()
    };
    let manifest = manifest_with(
        "orders",
        &[
            ("GET", "/api/orders", ""),
            ("POST", "/api/orders", ""),
            ("POST", "/api/repeatable", r#","idempotent":true"#),
            ("POST", "/api/keyed", r#","idempotency":true"#),
            ("GET", "/api/slow", r#","timeout":5"#),
        ],
    );
    Node::start(settings, &[manifest]).await
}

/// The base URL of a port that nobody listens on.
pub(crate) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// An instance that sends `bytes` to whoever asks, and closes.
pub(crate) async fn raw_upstream(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 4096];
                if stream.read(&mut head).await.is_ok() {
                    let _sent = stream.write_all(bytes).await;
                }
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_dead_instance_loses_nothing() {
    let alive = FakeUpstream::scripted([Canned::json("{}")]).await.unwrap();
    let node = node_before(&[nobody().await, alive.url()]).await;
    for _ in 0..20 {
        assert_eq!(node.get("/api/orders").await.status, 200);
        assert_eq!(node.post("/api/orders", "", b"{}").await.status, 200);
    }
    assert_eq!(alive.count(), 40);
    let figures = node.admin("/microservice/metrics").await.text();
    assert!(figures.contains("mesh_failovers_total{service=\"orders\",method=\"GET\""), "{figures}");
    node.stop().await;
}

#[tokio::test]
async fn when_all_instances_are_dead_it_is_502_and_then_503_at_once() {
    let node = node_before(&[nobody().await, nobody().await]).await;
    let first = node.get("/api/orders").await;
    first.is_refusal(502, "upstream_unreachable");
    until("a last resort failed and the next one is not tried", async || {
        let answer = node.get("/api/orders").await;
        if answer.status == 503 {
            answer.is_refusal(503, "upstream_unavailable");
            assert_eq!(answer.header("retry-after"), ["1"]);
        }
        answer.status == 503
    })
    .await;
    node.stop().await;
}

#[tokio::test]
async fn a_service_without_instances_is_503() {
    let node = node_before(&[]).await;
    let answer = node.get("/api/orders").await;
    answer.is_refusal(503, "upstream_unavailable");
    assert_eq!(answer.header("retry-after"), ["1"]);
    node.stop().await;
}

#[tokio::test]
async fn a_5xx_is_tried_again_and_the_last_one_is_passed_on_as_it_is() {
    let once = FakeUpstream::scripted([Canned::status(500), Canned::json("{}")]).await.unwrap();
    let node = node_before(&[once.url()]).await;
    assert_eq!(node.get("/api/orders").await.status, 200);
    assert_eq!(once.count(), 2);
    node.stop().await;

    let broken = Canned::status(503).header("X-Reason", "maintenance").body("theirs");
    let always = FakeUpstream::scripted([broken]).await.unwrap();
    let node = node_before(&[always.url()]).await;
    let answer = node.get("/api/orders").await;
    assert_eq!((answer.status, answer.text()), (503, "theirs".to_owned()));
    assert_eq!(answer.header("x-reason"), ["maintenance"]);
    assert_eq!(always.count(), 2);
    node.stop().await;
}

#[tokio::test]
async fn an_unsafe_request_is_not_repeated_once_it_was_written() {
    let silent = FakeUpstream::scripted([Canned::silence()]).await.unwrap();
    let other = FakeUpstream::scripted([Canned::silence()]).await.unwrap();
    let node = node_before(&[silent.url(), other.url()]).await;
    node.post("/api/orders", "X-Request-Id: a\r\n", b"{}").await.is_refusal(504, "deadline_exceeded");
    assert_eq!(silent.count() + other.count(), 1);
    node.stop().await;

    let resets = FakeUpstream::scripted([Canned::close()]).await.unwrap();
    let node = node_before(&[resets.url()]).await;
    node.post("/api/orders", "", b"{}").await.is_refusal(502, "upstream_unreachable");
    assert_eq!(resets.count(), 1);
    node.stop().await;
}

#[tokio::test]
async fn a_key_makes_an_unsafe_request_repeatable() {
    for (path, headers, expected) in [
        ("/api/orders", "Idempotency-Key: k\r\n", 2),
        ("/api/repeatable", "", 2),
        ("/api/keyed", "X-Request-Id: k\r\n", 2),
        ("/api/keyed", "", 1),
        ("/api/orders", "X-Request-Id: k\r\n", 1),
    ] {
        let upstream = FakeUpstream::scripted([Canned::close(), Canned::json("{}")]).await.unwrap();
        let node = node_before(&[upstream.url()]).await;
        let answer = node.post(path, headers, b"{}").await;
        assert_eq!(upstream.count(), expected, "{path} {headers}");
        assert_eq!(answer.status, if expected == 2 { 200 } else { 502 }, "{path} {headers}");
        if expected == 2 {
            let requests = upstream.requests();
            assert_eq!(requests[0].header("x-request-id"), requests[1].header("x-request-id"));
        }
        node.stop().await;
    }
}

#[tokio::test]
async fn a_body_that_is_not_held_is_sent_once() {
    let upstream = FakeUpstream::scripted([Canned::close(), Canned::json("{}")]).await.unwrap();
    let node = node_before(&[upstream.url()]).await;
    let answer = node.post("/api/orders", "Idempotency-Key: k\r\n", &vec![b'x'; 64 * 1024 + 1]).await;
    answer.is_refusal(502, "upstream_unreachable");
    assert_eq!(upstream.count(), 1);
    node.stop().await;
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_504_within_the_deadline() {
    let silent = FakeUpstream::scripted([Canned::silence()]).await.unwrap();
    let node = node_before(&[silent.url()]).await;
    #[expect(clippy::disallowed_methods, reason = "the time as the client sees it")]
    let begun = Instant::now();
    node.get("/api/orders").await.is_refusal(504, "deadline_exceeded");
    assert!(begun.elapsed() >= Duration::from_millis(400));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    node.stop().await;
}

#[tokio::test]
async fn a_route_s_own_timeout_wins() {
    let slow = FakeUpstream::scripted([Canned::json("{}").after(Duration::from_millis(700))]).await.unwrap();
    let node = node_before(&[slow.url()]).await;
    assert_eq!(node.get("/api/slow").await.status, 200);
    node.get("/api/orders").await.is_refusal(504, "deadline_exceeded");
    node.stop().await;
}

#[tokio::test]
async fn what_is_no_http_answer_is_502() {
    let rows: [&[u8]; 5] = [
        b"hello\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n",
    ];
    for bytes in rows {
        let node = node_before(&[raw_upstream(bytes).await]).await;
        node.get("/api/orders").await.is_refusal(502, "bad_upstream_response");
        node.stop().await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_a_clean_short_answer() {
    let whole = Canned::status(200).body(vec![b'x'; 100_000]);
    for canned in [whole.clone().cut_at(40_000), whole.chunked().cut_at(40_000)] {
        let upstream = FakeUpstream::scripted([canned]).await.unwrap();
        let node = node_before(&[upstream.url()]).await;
        let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
        stream.write_all(b"GET /api/orders HTTP/1.1\r\nHost: street\r\n\r\n").await.unwrap();
        let mut bytes = Vec::new();
        let _reset_or_closed = stream.read_to_end(&mut bytes).await;
        assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert!(bytes.len() < 100_000);
        assert!(!bytes.ends_with(b"0\r\n\r\n"), "an end that was never sent");
        until("the failure is on record", async || {
            let document = node.admin("/admin/instances").await.json();
            document["services"][0]["failures"].as_u64() >= Some(1)
        })
        .await;
        node.stop().await;
    }
}
