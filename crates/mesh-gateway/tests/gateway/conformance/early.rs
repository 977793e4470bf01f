//! Answers that come before the request was written.

use std::sync::Arc;

use mesh_gateway::GatewaySettings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::client::read;
use crate::support::{Node, manifest, service};

const LARGE: usize = 8 * 1024 * 1024;

async fn node_before(listener: &TcpListener) -> Node {
    let url = format!("http://{}", listener.local_addr().unwrap());
    let settings = GatewaySettings {
        configured: vec![service("orders", &[url])],
        body_limit: LARGE as u64,
        ..GatewaySettings::default()
    };
    Node::start(settings, &[manifest("orders", &[("POST", "/api/orders")])]).await
}

/// A client that sends 8 MiB.
async fn upload(node: &Node) -> TcpStream {
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    let head = format!("POST /api/orders HTTP/1.1\r\nHost: street\r\nContent-Length: {LARGE}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&vec![b'x'; LARGE]).await.unwrap();
    client
}

#[tokio::test]
async fn an_instance_that_answers_at_the_first_byte_and_closes_is_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let node = node_before(&listener).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _first = stream.read_u8().await;
            let answer = b"HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 5\r\n\r\nlarge";
            let _sent = stream.write_all(answer).await;
            // Closing with bytes unread resets the connection.
        }
    });
    for _ in 0..20 {
        let mut client = upload(&node).await;
        let seen = read(&mut client, false).await;
        assert_eq!((seen.status, seen.body.as_slice(), seen.is_whole), (413, &b"large"[..], true));
    }
    node.stop().await;
}

#[tokio::test]
async fn an_instance_that_answers_first_and_reads_then_gets_the_whole_request() {
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let node = node_before(&listener).await;
    for answer in [
        "HTTP/1.1 202 X\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 202 X\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 202 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let instance = Arc::clone(&listener);
        let reading = tokio::spawn(async move {
            let (mut stream, _) = instance.accept().await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            let (mut received, mut buffer) = (0, vec![0; 64 * 1024]);
            while received < LARGE {
                let read = stream.read(&mut buffer).await.unwrap();
                assert!(read > 0, "the request ends after {received} bytes");
                received += read;
            }
        });
        let mut client = upload(&node).await;
        assert_eq!(read(&mut client, false).await.status, 202);
        reading.await.unwrap();
    }
    node.stop().await;
}
