//! Rows 26 to 32 of docs/refusals.md: the exact answer, whether the connection ends, that no service hears of it, and that
//! one metric is counted.

use std::time::Duration;

use mesh_gateway::{GatewaySettings, Limits};
use mesh_testkit::upstream::FakeUpstream;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::support::{Answer, Node, manifest, service};

/// What follows the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The connection ends.
    Closes,
    /// It carries the next request.
    GoesOn,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Everything that the client sends; it says nothing of the end of the connection.
    pub(crate) bytes: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) then: Then,
}

impl Row {
    pub(crate) fn closes(
        name: &'static str,
        bytes: impl Into<Vec<u8>>,
        status: u16,
        code: &'static str,
    ) -> Self {
        Self { name, bytes: bytes.into(), status, code, then: Then::Closes }
    }

    fn goes_on(name: &'static str, bytes: impl Into<Vec<u8>>, status: u16, code: &'static str) -> Self {
        Self { then: Then::GoesOn, ..Self::closes(name, bytes, status, code) }
    }
}

/// Sends each row to a gateway whose limits are short.
pub(crate) async fn all_refused(rows: &[Row]) {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let limits = Limits {
        head_timeout: Duration::from_millis(300),
        body_window: Duration::from_millis(300),
        ..Limits::default()
    };
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        body_limit: 1_000,
        limits,
        ..GatewaySettings::default()
    };
    let node = Node::start(settings, &[manifest("orders", &[("GET", "/api/o"), ("POST", "/api/o")])]).await;
    for row in rows {
        let before = counted(&node, row.code).await;
        let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
        stream.write_all(&row.bytes).await.unwrap();
        if row.then == Then::GoesOn {
            stream.write_all(b"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        }
        let mut answer = Answer::read(&mut stream).await;
        if row.then == Then::GoesOn {
            assert!(answer.header("connection").is_empty(), "{}: {answer:?}", row.name);
            let length = answer.header("content-length")[0].parse().unwrap();
            let next = Answer::parse(&answer.raw_body.split_off(length));
            next.is_refusal(404, "route_not_found");
        } else {
            assert_eq!(answer.header("connection"), ["close"], "{}", row.name);
        }
        assert_eq!(answer.status, row.status, "{}: {answer:?}", row.name);
        answer.is_refusal(row.status, row.code);
        assert_eq!(upstream.connections(), 0, "{}: a service heard of it", row.name);
        assert_eq!(counted(&node, row.code).await, before + 1, "{}: one metric", row.name);
    }
    assert_eq!(node.get("/api/o").await.status, 200);
    node.stop().await;
}

/// How often `code` was answered, as the metrics say.
pub(crate) async fn counted(node: &Node, code: &str) -> u64 {
    let name = format!("mesh_refusals_total{{code=\"{code}\"}} ");
    let figures = node.admin("/microservice/metrics").await.text();
    let line = figures.lines().find_map(|line| line.strip_prefix(&name));
    line.map_or(0, |count| count.parse().unwrap())
}

const POST: &str = "POST /api/o HTTP/1.1\r\nHost: a\r\n";

#[tokio::test]
async fn rows_26_and_27_a_body_beyond_the_limit_is_413_at_its_announcement_or_its_first_byte_too_many() {
    let chunks = format!("{POST}Transfer-Encoding: chunked\r\n\r\n3e8\r\n{}\r\n1\r\nx", "x".repeat(1_000));
    all_refused(&[
        Row::closes("one byte more", format!("{POST}Content-Length: 1001\r\n\r\n"), 413, "body_too_large"),
        Row::closes(
            "far more",
            format!("{POST}Content-Length: 9223372036854775807\r\n\r\n"),
            413,
            "body_too_large",
        ),
        Row::closes("chunks, never ended", chunks, 413, "body_too_large"),
    ])
    .await;
}

#[tokio::test]
async fn rows_28_and_29_a_large_head_is_431_and_a_long_target_414() {
    let get = |target: &str, more: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n{more}\r\n");
    let line = format!("X-A: {}\r\n", "x".repeat(70_000));
    let lines = format!("X-A: {}\r\n", "x".repeat(1_000)).repeat(70);
    let longest = format!("/api/o?{}", "x".repeat(8 * 1024 + 1 - 7));
    all_refused(&[
        Row::closes("a long line", get("/api/o", &line), 431, "headers_too_large"),
        Row::closes("many lines", get("/api/o", &lines), 431, "headers_too_large"),
        Row::goes_on("a target of 8 KiB and a byte", get(&longest, ""), 414, "uri_too_long"),
    ])
    .await;
}

#[tokio::test]
async fn row_30_a_body_that_does_not_come_is_408() {
    let trickle = format!("{POST}Content-Length: 100\r\n\r\nx");
    let chunks = format!("{POST}Transfer-Encoding: chunked\r\n\r\n3e8\r\nx");
    all_refused(&[
        Row::closes("a length", trickle, 408, "request_timeout"),
        Row::closes("chunks", chunks, 408, "request_timeout"),
    ])
    .await;
}

#[tokio::test]
async fn row_32_an_unknown_expectation_is_417() {
    let expect = format!("{POST}Expect: foo\r\nContent-Length: 0\r\n\r\n");
    let both = format!("{POST}Expect: 100-continue, foo\r\nContent-Length: 0\r\n\r\n");
    all_refused(&[
        Row::goes_on("foo", expect, 417, "expectation_failed"),
        Row::goes_on("foo beside 100-continue", both, 417, "expectation_failed"),
    ])
    .await;
}
