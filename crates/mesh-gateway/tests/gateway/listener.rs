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
    support::{Answer, Node, PATIENCE},
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
async fn row_26_a_length_of_64_bits_is_413_and_what_is_no_such_number_400() {
    let post = |length: &str| format!("POST /api/o HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    let too_large = ["18446744073709551614", "18446744073709551615", "00018446744073709551615"];
    let no_number = ["18446744073709551616", "99999999999999999999", "1e3", "0x3e9"];
    let too_large = too_large.map(|length| Row::closes(length, post(length), 413, "body_too_large"));
    let no_number = no_number.map(|length| Row::closes(length, post(length), 400, "bad_framing"));
    sizes::all_refused(&[&too_large[..], &no_number].concat()).await;
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

/// Sends `bytes`, and reads until the gateway ends the connection.
async fn talk(node: &Node, bytes: &str) -> String {
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    client.write_all(bytes.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    timeout(PATIENCE, client.read_to_end(&mut said)).await.unwrap().unwrap();
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn trailers_go_on_to_a_client_that_takes_them() {
    let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n";
    let (url, _) = connections::instance(bytes, usize::MAX).await;
    let node = connections::node_before(&url).await;
    let ask = |te: &str| format!("GET /api/orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{te}\r\n");
    let said = talk(&node, &ask("TE: trailers\r\n")).await;
    assert!(said.ends_with("3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n"), "{said}");
    let said = talk(&node, &ask("")).await;
    assert!(said.ends_with("3\r\nabc\r\n0\r\n\r\n"), "{said}");
    node.stop().await;
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_turn() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    let mut bytes = String::new();
    for number in 0..40 {
        bytes += &format!("POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{number:02}");
        bytes += "GET /api/nothing HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    bytes += "GET /api/nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let said = talk(&node, &bytes).await;
    assert_eq!(said.matches("HTTP/1.1 200 OK").count(), 40, "{said}");
    assert_eq!(said.matches("HTTP/1.1 404 Not Found").count(), 41);
    let bodies: Vec<_> = upstream.requests().iter().map(|request| request.body.to_vec()).collect();
    assert_eq!(bodies, (0..40).map(|number| format!("{number:02}").into_bytes()).collect::<Vec<_>>());
    node.stop().await;
}

#[tokio::test]
async fn a_client_with_http_1_0_keeps_its_connection_only_if_it_asks_to() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    let ask = "GET /api/orders/7 HTTP/1.0\r\nHost: a\r\n";
    let said = talk(&node, &format!("{ask}\r\n")).await;
    assert!(said.starts_with("HTTP/1.0 200 OK\r\n") && said.contains("connection: close\r\n"), "{said}");
    let said = talk(&node, &format!("{ask}Connection: keep-alive\r\n\r\n{ask}\r\n")).await;
    assert!(
        said.contains("connection: keep-alive\r\n") && said.matches("HTTP/1.0 200").count() == 2,
        "{said}"
    );
    node.stop().await;
}

#[tokio::test]
async fn every_answer_says_when_it_was_made() {
    let (url, _) = connections::instance(b"HTTP/1.1 204 No Content\r\n\r\n", usize::MAX).await;
    let node = connections::node_before(&url).await;
    let answer = node.get("/api/orders").await;
    assert_eq!((answer.status, answer.header("date").len()), (204, 1));
    assert_eq!(node.get("/nothing").await.header("date").len(), 1);
    node.stop().await;
}

#[tokio::test]
async fn a_body_that_nobody_read_does_not_become_the_next_request() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(&upstream).await;
    let hidden = "GET /api/orders/7 HTTP/1.1\r\nHost: a\r\n\r\n";
    let here =
        format!("POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len());
    let next = "GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let said = talk(&node, &format!("{here}{next}")).await;
    assert_eq!(said.matches("HTTP/1.1 404 Not Found").count(), 2, "{said}");
    // A part of a body that does not come ends the connection: where the next request begins, nobody knows.
    let part = format!("POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n{hidden}");
    let said = talk(&node, &part).await;
    assert!(said.matches("HTTP/1.1 404").count() == 1 && said.contains("connection: close\r\n"), "{said}");
    // Nor does a client that waits for a word send its body behind an answer.
    let waits = "POST /nothing HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    let said = talk(&node, waits).await;
    assert!(said.starts_with("HTTP/1.1 404") && said.contains("connection: close\r\n"), "{said}");
    assert_eq!(upstream.count(), 0);
    node.stop().await;
}
