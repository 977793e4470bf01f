//! Large bodies in bounded memory, and streams that may be silent. Everything runs in this process: what is measured is
//! the gateway, its client and its service together.
//!
//! `MESH_TEST_DOWNLOAD_MIB=1024 cargo nextest run --workspace -E 'test(/a_large_download/)'` downloads 1 GiB.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mesh_gateway::GatewaySettings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use crate::support::{Node, PATIENCE, manifest, service};

const MIB: u64 = 1024 * 1024;
const GET: &[u8] = b"GET /api/files HTTP/1.1\r\nHost: street\r\nConnection: close\r\n\r\n";

async fn start(timeout: Duration) -> (Node, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let settings = GatewaySettings {
        configured: vec![service("files", &[url])],
        body_limit: 64 * MIB,
        timeout,
        ..GatewaySettings::default()
    };
    let routes = [("GET", "/api/files"), ("POST", "/api/files")];
    (Node::start(settings, &[manifest("files", &routes)]).await, listener)
}

async fn read_head(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    bytes
}

/// What this process holds in memory, in bytes: now, or at most.
pub(crate) fn resident(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|known| known.strip_prefix(line)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Reads until nothing comes, and says how much that was.
async fn read_all(stream: &mut TcpStream) -> u64 {
    let (mut received, mut buffer) = (0, vec![0; 256 * 1024]);
    loop {
        match timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap() {
            0 => return received,
            read => received += read as u64,
        }
    }
}

#[tokio::test]
async fn a_large_download_waits_for_its_client_in_bounded_memory() {
    #[expect(clippy::disallowed_methods, reason = "how much is the caller's choice, not a setting")]
    let mib = std::env::var("MESH_TEST_DOWNLOAD_MIB").ok().and_then(|text| text.parse().ok());
    let total = mib.unwrap_or(256) * MIB;
    let (node, listener) = start(Duration::from_secs(5)).await;
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    client.write_all(GET).await.unwrap();
    let (mut instance, _) = listener.accept().await.unwrap();
    read_head(&mut instance).await;
    let before = resident("VmRSS:");
    let written = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&written);
    let writing = tokio::spawn(async move {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n");
        instance.write_all(head.as_bytes()).await.unwrap();
        let chunk = vec![b'x'; 64 * 1024];
        for _ in 0..total / chunk.len() as u64 {
            instance.write_all(&chunk).await.unwrap();
            counter.fetch_add(chunk.len() as u64, Ordering::SeqCst);
        }
    });
    read_head(&mut client).await;
    // The client reads nothing. The service writes until all buffers on the way are full.
    let mut stalled = 0;
    loop {
        sleep(Duration::from_millis(200)).await;
        let now = written.load(Ordering::SeqCst);
        assert!(now < 64 * MIB, "{now} bytes went out and nobody reads");
        if now > 0 && now == stalled {
            break;
        }
        stalled = now;
    }
    assert_eq!(read_all(&mut client).await, total);
    writing.await.unwrap();
    let grown = resident("VmHWM:").saturating_sub(before);
    assert!(grown < 64 * MIB, "grew by {grown} bytes over a download of {total}");
    node.stop().await;
}

#[tokio::test]
async fn an_upload_up_to_the_limit_is_held_about_once() {
    let total = 64 * MIB;
    let (node, listener) = start(Duration::from_secs(20)).await;
    let reading = tokio::spawn(async move {
        let (mut instance, _) = listener.accept().await.unwrap();
        read_head(&mut instance).await;
        let (mut received, mut buffer) = (0, vec![0; 256 * 1024]);
        while received < total {
            received += instance.read(&mut buffer).await.unwrap() as u64;
        }
        instance.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    });
    let before = resident("VmRSS:");
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    let head = format!(
        "POST /api/files HTTP/1.1\r\nHost: street\r\nConnection: close\r\nContent-Length: {total}\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let chunk = vec![b'x'; 256 * 1024];
    for _ in 0..total / chunk.len() as u64 {
        client.write_all(&chunk).await.unwrap();
    }
    assert!(read_head(&mut client).await.starts_with(b"HTTP/1.1 200 OK\r\n"));
    reading.await.unwrap();
    let grown = resident("VmHWM:").saturating_sub(before);
    assert!(grown < total + 64 * MIB, "grew by {grown} bytes over an upload of {total}");
    node.stop().await;
}

#[tokio::test]
async fn a_client_that_leaves_a_download_ends_it_at_the_instance() {
    let (node, listener) = start(Duration::from_secs(5)).await;
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    client.write_all(GET).await.unwrap();
    let (mut instance, _) = listener.accept().await.unwrap();
    read_head(&mut instance).await;
    instance.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n").await.unwrap();
    read_head(&mut client).await;
    drop(client);
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, instance.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection to the instance is closed");
    node.stop().await;
}

#[tokio::test]
async fn events_come_one_by_one_and_may_be_silent_for_longer_than_an_attempt() {
    let (node, listener) = start(Duration::from_millis(200)).await;
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    client.write_all(GET).await.unwrap();
    let (mut instance, _) = listener.accept().await.unwrap();
    read_head(&mut instance).await;
    instance.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n").await.unwrap();
    assert!(read_head(&mut client).await.starts_with(b"HTTP/1.1 200 OK\r\n"));
    for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
        instance.write_all(event.as_bytes()).await.unwrap();
        // The next one is sent only when this one has come.
        let mut received = Vec::new();
        while !received.ends_with(format!("{event}\r\n").as_bytes()) {
            received.push(timeout(PATIENCE, client.read_u8()).await.unwrap().unwrap());
        }
        sleep(Duration::from_millis(500)).await;
    }
    drop(instance);
    let mut rest = Vec::new();
    timeout(PATIENCE, client.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest, b"0\r\n\r\n", "it ends well");
    node.stop().await;
}
