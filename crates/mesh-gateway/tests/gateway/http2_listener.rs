//! The gateway's own HTTP/2 connections: how they begin, how long they wait, how they end.

use http::StatusCode;
use mesh_gateway::ListenerTls;
use mesh_testkit::upstream::FakeUpstream;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{
    certificates::Authority,
    http2::{client, node_before, prior_knowledge, request, whole},
    support::{Answer, PATIENCE, until},
    tls_listener,
};

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// Reads frames until one of `kind`, and gives its payload; `None` when the connection ends before.
pub(crate) async fn frame(stream: &mut (impl AsyncRead + Unpin), kind: u8) -> Option<Vec<u8>> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).await.ok()?;
        if head[3] == kind {
            return Some(payload);
        }
    }
}

#[tokio::test]
async fn under_tls_the_client_chooses_between_http_2_and_http_1() {
    let (authority, upstream) = (Authority::new("ours"), FakeUpstream::scripted([]).await.unwrap());
    let tls = ListenerTls::new(authority.issue(&["shop.example"]).identity(), []).unwrap();
    let node = tls_listener::node(tls_listener::settings(&upstream, tls)).await;
    let stream = tls_listener::connect(&node, &authority, "shop.example", &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let response = client(stream).await.send_request(request("GET", "/api/orders", b"")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(upstream.requests()[0].header("x-forwarded-proto"), [b"https"]);
    node.stop().await;
}

#[tokio::test]
async fn a_preface_that_comes_byte_by_byte_is_one_and_what_only_looks_like_one_is_refused() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(upstream.url()).await;
    let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in [PREFACE, SETTINGS].concat() {
        stream.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut head = [0; 9];
    timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
    assert_eq!(head[3], 4, "the first frame is no SETTINGS: {head:?}");

    let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\nHost: street\r\n\r\n").await.unwrap();
    Answer::read(&mut stream).await.is_refusal(400, "bad_framing");
    let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
    stream.write_all(b"PR").await.unwrap();
    Answer::read(&mut stream).await.is_refusal(408, "request_timeout");
    let answer =
        node.send("POST /api/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close", b"");
    assert_eq!(answer.await.status, 200);
    node.stop().await;
}

#[tokio::test]
async fn a_connection_that_says_no_more_than_the_preface_is_let_go() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(upstream.url()).await;
    for said in [PREFACE.to_vec(), [PREFACE, SETTINGS].concat(), [PREFACE, SETTINGS, &[0, 0, 9, 1]].concat()]
    {
        let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
        stream.write_all(&said).await.unwrap();
        let mut bytes = Vec::new();
        assert!(timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.is_ok(), "{said:?} was kept");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_flood_of_requests_that_are_taken_back_ends_the_connection() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(upstream.url()).await;
    let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
    let mut flood = [PREFACE, SETTINGS].concat();
    for number in 0..2_000_u32 {
        let [a, b, c, d] = (2 * number + 1).to_be_bytes();
        // HEADERS: GET / of street, at its end; RST_STREAM: cancelled.
        flood.extend([0, 0, 11, 1, 5, a, b, c, d, 0x82, 0x86, 0x84, 0x41, 6]);
        flood.extend(b"street");
        flood.extend([0, 0, 4, 3, 0, a, b, c, d, 0, 0, 0, 8]);
    }
    let _cut_off = stream.write_all(&flood).await;
    let goaway = timeout(PATIENCE, frame(&mut stream, 7)).await.unwrap().unwrap();
    assert_eq!(goaway[4..8], [0, 0, 0, 0x0b], "no ENHANCE_YOUR_CALM");
    assert_eq!(node.get("/api/orders").await.status, 200);
    node.stop().await;
}

#[tokio::test]
async fn at_the_end_the_client_is_told_and_the_request_under_way_is_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = node_before(format!("http://{}", listener.local_addr().unwrap())).await;
    let mut raw = TcpStream::connect(node.running.public()).await.unwrap();
    raw.write_all(&[PREFACE, SETTINGS].concat()).await.unwrap();
    assert!(timeout(PATIENCE, frame(&mut raw, 4)).await.unwrap().is_some());
    let mut client = prior_knowledge(&node).await;
    let asked = tokio::spawn(async move { client.send_request(request("GET", "/api/orders", b"")).await });
    let (mut service, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let gateway = node.running.gateway().clone();
    let stopping = tokio::spawn(node.stop());
    until("the gateway ends", async || !gateway.is_ready()).await;
    let goaway = timeout(PATIENCE, frame(&mut raw, 7)).await.unwrap();
    assert!(goaway.is_some_and(|payload| payload[4..8] == [0; 4]), "no GOAWAY");
    service.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    let (status, _, body) = whole(asked.await.unwrap().unwrap()).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"ok"[..]));
    stopping.await.unwrap();
}
