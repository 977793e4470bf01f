//! HTTP/2 clients that send frames without end: each is told to calm down and let go, and nobody else notices.

use std::time::Duration;

use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::FakeUpstream;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    bounds::resident,
    http2_listener::{PREFACE, SETTINGS, frame},
    support::{Node, PATIENCE, manifest, service},
};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const SETTINGS_KIND: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// POST /api/orders of street, with the static table of RFC 7541 where it has the line.
const POST: &[u8] = b"\x83\x86\x04\x0b/api/orders\x41\x06street";

/// More than any bound; what is sent may be cut off earlier.
const FRAMES: usize = 50_000;

fn framed(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// Sends `start` and then `each` many times, while it reads what comes back: GOAWAY with ENHANCE_YOUR_CALM.
async fn check(what: &str, start: &[u8], each: &[u8]) {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        ..GatewaySettings::default()
    };
    let routes = [("GET", "/api/orders"), ("POST", "/api/orders")];
    let node = Node::start(settings, &[manifest("orders", &routes)]).await;
    assert_eq!(node.get("/api/orders").await.status, 200);
    let flood = [PREFACE, SETTINGS, start, &each.repeat(FRAMES)].concat();
    let before = resident("VmRSS:");
    let stream = TcpStream::connect(node.running.public()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let writer = tokio::spawn(async move {
        let _cut_off = writing.write_all(&flood).await;
        writing
    });
    let goaway = timeout(PATIENCE, frame(&mut reading, 7)).await;
    let goaway = goaway.unwrap_or_else(|_| panic!("{what}: was not told")).unwrap();
    assert_eq!(goaway[4..8], [0, 0, 0, 0x0b], "{what}: no ENHANCE_YOUR_CALM");
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, reading.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "{what}: the connection was kept");
    drop(writer.await.unwrap());
    let grown = resident("VmHWM:").saturating_sub(before);
    assert!(grown <= 16 * 1024 * 1024, "{what}: grew by {grown} bytes");
    assert_eq!(node.get("/api/orders").await.status, 200, "{what}");
    node.stop().await;
}

#[tokio::test]
async fn a_flood_of_continuations_ends_the_connection() {
    let start = framed(HEADERS, 0, 1, POST);
    check("empty ones", &start, &framed(CONTINUATION, 0, 1, &[])).await;
    check("ones with a line each", &start, &framed(CONTINUATION, 0, 1, b"\0\x01a\x01b")).await;
}

#[tokio::test]
async fn a_flood_of_empty_data_ends_the_connection() {
    let start = framed(HEADERS, END_HEADERS, 1, POST);
    check("empty DATA", &start, &framed(DATA, 0, 1, &[])).await;
    check("DATA of a byte", &start, &framed(DATA, 0, 1, b"x")).await;
}

#[tokio::test]
async fn a_flood_of_pings_or_settings_ends_the_connection() {
    check("PING", &[], &framed(PING, 0, 0, &[0; 8])).await;
    check("SETTINGS", &[], &framed(SETTINGS_KIND, 0, 0, &[])).await;
    check("PRIORITY", &[], &framed(PRIORITY, 0, 1, &[0, 0, 0, 3, 1])).await;
    check("unknown frames", &[], &framed(0x42, 0, 0, b"x")).await;
}

#[tokio::test]
async fn a_client_that_pings_now_and_then_is_answered() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        ..GatewaySettings::default()
    };
    let node = Node::start(settings, &[manifest("orders", &[("GET", "/api/orders")])]).await;
    let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
    stream.write_all(&[PREFACE, SETTINGS, &framed(PING, 0, 0, &[7; 8]).repeat(500)].concat()).await.unwrap();
    for _ in 0..500 {
        let answer = timeout(Duration::from_secs(30), frame(&mut stream, PING)).await.unwrap();
        assert_eq!(answer, Some(vec![7; 8]));
    }
    node.stop().await;
}
