//! Rows 73, 74 and 78 of docs/refusals.md: what is counted where an instance gives no answer that could be passed on, and
//! that the client's connection goes on. What each answer is stands in `failures` and in `conformance`.

use mesh_testkit::upstream::{Canned, FakeUpstream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    failures::{nobody, node_before, raw_upstream},
    sizes::counted,
    support::{Answer, Node, PATIENCE},
};

/// The sum of all refusals, and the lines of one metric.
async fn figures(node: &Node, metric: &str) -> (u64, Vec<String>) {
    let text = node.admin("/microservice/metrics").await.text();
    let refusals = text.lines().filter(|line| line.starts_with("mesh_refusals_total{"));
    let sum = refusals.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum();
    (sum, text.lines().filter(|line| line.starts_with(metric)).map(str::to_owned).collect())
}

#[tokio::test]
async fn rows_73_and_78_each_refusal_is_counted_once_and_the_client_s_connection_goes_on() {
    let silent = FakeUpstream::scripted([Canned::silence()]).await.unwrap();
    let rows = [
        (vec![raw_upstream(b"HTTP/1.1 2x0 OK\r\n\r\n").await], 502, "bad_upstream_response"),
        (vec![nobody().await], 502, "upstream_unreachable"),
        (vec![silent.url()], 504, "deadline_exceeded"),
        (Vec::new(), 503, "upstream_unavailable"),
    ];
    for (urls, status, code) in rows {
        let node = node_before(&urls).await;
        let mut client = TcpStream::connect(node.running.public()).await.unwrap();
        client.write_all(b"GET /api/orders HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        client.write_all(b"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = Answer::read(&mut client).await;
        let length = answer.header("content-length")[0].parse().unwrap();
        let next = Answer::parse(&answer.raw_body.split_off(length));
        answer.is_refusal(status, code);
        assert!(answer.header("connection").is_empty(), "{code}");
        assert_eq!(answer.header("retry-after").len(), usize::from(status == 503), "{code}");
        next.is_refusal(404, "route_not_found");
        assert_eq!(counted(&node, code).await, 1, "{code}");
        assert_eq!(figures(&node, "").await.0, 2, "{code} and the 404 that followed");
        node.stop().await;
    }
}

#[tokio::test]
async fn row_74_a_body_that_breaks_off_is_counted_once_and_is_no_refusal() {
    let whole = Canned::status(200).body(vec![b'x'; 100_000]);
    let upstream = FakeUpstream::scripted([whole.cut_at(40_000)]).await.unwrap();
    let node = node_before(&[upstream.url()]).await;
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    client.write_all(b"GET /api/orders HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    let _reset_or_closed = timeout(PATIENCE, client.read_to_end(&mut bytes)).await.unwrap();
    assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\n") && bytes.len() < 100_000);
    let (refusals, broken) = figures(&node, "mesh_broken_bodies_total").await;
    assert_eq!((refusals, broken), (0, vec!["mesh_broken_bodies_total 1".to_owned()]));
    let (_, failed) = figures(&node, "mesh_instance_failures_total").await;
    let failed: Vec<_> = failed.iter().filter(|line| !line.ends_with(" 0")).collect();
    assert!(matches!(failed[..], [line] if line.ends_with(r#"kind="truncated"} 1"#)), "{failed:?}");
    assert_eq!(upstream.count(), 1, "nothing was repeated");
    node.stop().await;
}

#[tokio::test]
async fn row_78_a_5xx_that_is_passed_on_is_no_refusal() {
    let upstream = FakeUpstream::scripted([Canned::status(503).body("theirs")]).await.unwrap();
    let node = node_before(&[upstream.url()]).await;
    let answer = node.get("/api/orders").await;
    assert_eq!((answer.status, answer.text()), (503, "theirs".to_owned()));
    assert_eq!(figures(&node, "").await.0, 0);
    node.stop().await;
}
