//! What the gateway's own listener does with connections, and another server may not (docs/embedding.md).

use std::time::Duration;

use mesh_testkit::upstream::FakeUpstream;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    connections,
    refusals::{all_refused, get, node_before},
    sizes::{self, Row},
    support::{Answer, PATIENCE},
};

#[tokio::test]
async fn what_the_parser_refuses_is_refused_in_the_same_words() {
    all_refused(&[
        ("GET /api/orders/7 HTTP/1.1\r\nHost : a", 400, "bad_framing"),
        (
            "POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2",
            400,
            "bad_framing",
        ),
        ("POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Length: +1", 400, "bad_framing"),
        ("POST /api/orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: cow", 400, "bad_framing"),
    ])
    .await;
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    for head in [
        &b"GET /api/orders/\xff HTTP/1.1\r\nHost: street\r\nConnection: close\r\n\r\n"[..],
        b"GET /a\xc3\xbc HTTP/1.1\r\nHost: street\r\nConnection: close\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
        // The sending side stays open: whoever closes it is taken for a client that has gone away.
        stream.write_all(head).await.unwrap();
        Answer::read(&mut stream).await.is_refusal(400, "path_not_canonical");
    }
    let longer = get(&format!("/api/orders/{}", "x".repeat(65_535)));
    let answer = node.send(&longer, b"").await;
    assert!([414, 431].contains(&answer.status), "{answer:?}");
    assert_eq!(upstream.count(), 0);
    node.stop().await;
}

#[tokio::test]
async fn a_malformed_head_behind_a_good_one_is_refused_and_ends_the_connection() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    let good = "GET /api/nothing HTTP/1.1\r\nHost: street\r\n\r\n";
    let bad = "GET /api/nothing HTTP/1.1\r\nHost : street\r\n\r\n";
    client.write_all([good, bad].concat().as_bytes()).await.unwrap();
    let mut first = Answer::read(&mut client).await;
    let length = first.header("content-length")[0].parse().unwrap();
    let second = Answer::parse(&first.raw_body.split_off(length));
    first.is_refusal(404, "route_not_found");
    second.is_refusal(400, "bad_framing");
    node.stop().await;
}

#[tokio::test]
async fn row_28_the_101st_header_is_431() {
    let lines = "X-A: 1\r\n".repeat(100);
    let head = format!("GET /api/o HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    sizes::all_refused(&[Row::closes("101 headers", head, 431, "headers_too_large")]).await;
}

#[tokio::test]
async fn row_30_a_head_that_does_not_end_is_408() {
    let heads = ["G", "GET /api/o HTTP/1.1\r\nHost: str", "GET /api/o HTTP/1.1\r\nHost: street\r\n"];
    let rows = heads.map(|head| Row::closes("a slow head", head, 408, "request_timeout"));
    sizes::all_refused(&rows).await;
}

#[tokio::test]
async fn a_client_that_says_nothing_is_closed_without_an_answer() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    let mut silent = TcpStream::connect(node.running.public()).await.unwrap();
    let mut nothing = Vec::new();
    timeout(PATIENCE, silent.read_to_end(&mut nothing)).await.unwrap().unwrap();
    assert!(nothing.is_empty());
    node.stop().await;
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    let head = "POST /api/orders HTTP/1.1\r\nHost: street\r\nContent-Length: 3000000";
    node.send(head, &vec![b'x'; 400_000]).await.is_refusal(413, "body_too_large");
    assert_eq!(upstream.count(), 0);
    node.stop().await;
}

#[tokio::test]
async fn a_client_without_chunks_sees_a_broken_answer_as_a_reset() {
    let broken = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    let (url, _) = connections::instance(broken, 1).await;
    let node = connections::node_before(&url).await;
    let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
    stream.write_all(b"GET /api/orders HTTP/1.0\r\nHost: street\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    let read = timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes)).await.unwrap();
    assert!(read.is_err(), "a clean end after {:?}", String::from_utf8_lossy(&bytes));
    node.stop().await;
}
