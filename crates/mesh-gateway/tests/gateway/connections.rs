//! Connections to instances that end when nobody said so, and answers whose end is unclear.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mesh_gateway::GatewaySettings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::sleep,
};

use crate::support::{Node, manifest, service};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

pub(crate) async fn node_before(url: &str) -> Node {
    let settings = GatewaySettings {
        configured: vec![service("orders", &[url.to_owned()])],
        ..GatewaySettings::default()
    };
    Node::start(settings, &[manifest("orders", &[("GET", "/api/orders"), ("POST", "/api/orders")])]).await
}

/// An instance that sends `bytes` to whoever asks, and closes after `closes_after` answers, a moment later.
pub(crate) async fn instance(bytes: &'static [u8], closes_after: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let counter = Arc::clone(&counter);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                for _ in 0..closes_after {
                    match stream.read(&mut request).await {
                        Ok(read) if read > 0 => counter.fetch_add(1, Ordering::SeqCst),
                        _ => return,
                    };
                    if stream.write_all(bytes).await.is_err() {
                        return;
                    }
                }
                sleep(Duration::from_millis(1)).await;
            });
        }
    });
    (format!("http://{address}"), asked)
}

#[tokio::test]
async fn an_instance_that_closes_connections_it_just_used_loses_no_request_of_any_method() {
    let (url, asked) = instance(OK, 3).await;
    let node = node_before(&url).await;
    let mut failed = 0;
    for number in 0..600_u64 {
        let method = if number.is_multiple_of(5) { "GET" } else { "POST" };
        let head = format!("{method} /api/orders HTTP/1.1\r\nHost: street\r\nConnection: close");
        failed += usize::from(node.send(&head, b"").await.status != 200);
        // The instance closes a millisecond after its third answer: requests arrive just before, then and after.
        sleep(Duration::from_micros(number % 7 * 300)).await;
    }
    // The first connection that is closed under a request is how the gateway learns what to expect.
    assert!(failed <= 2, "{failed} of 600 failed");
    assert!(asked.load(Ordering::SeqCst) >= 598);
    node.stop().await;
}

#[tokio::test]
async fn an_answer_with_two_ends_is_502() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc",
    ] {
        let (url, _) = instance(bytes, usize::MAX).await;
        let node = node_before(&url).await;
        node.post("/api/orders", "", b"{}").await.is_refusal(502, "bad_upstream_response");
        node.stop().await;
    }
}
