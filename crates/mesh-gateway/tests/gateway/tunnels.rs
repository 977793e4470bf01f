//! Connections that switch to another protocol, on raw sockets both ways.

use std::time::Duration;

use mesh_core::retry::RetryPolicy;
use mesh_gateway::GatewaySettings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use crate::support::{Answer, Node, PATIENCE, manifest_with, service};

const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: yes\r\n\r\n";

/// A gateway before an instance that the test plays by hand. Attempts end after 400 ms; tunnels do not.
async fn start() -> (Node, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (before(&[&listener]).await, listener)
}

async fn before(instances: &[&TcpListener]) -> Node {
    let urls: Vec<_> =
        instances.iter().map(|instance| format!("http://{}", instance.local_addr().unwrap())).collect();
    let settings = GatewaySettings {
        configured: vec![service("chat", &urls)],
        timeout: Duration::from_millis(400),
        retry: RetryPolicy { retries: 0, ..RetryPolicy::default() },
        ..GatewaySettings::default()
    };
    let routes = [("GET", "/api/socket", r#","websocket":true"#), ("GET", "/api/plain", "")];
    Node::start(settings, &[manifest_with("chat", &routes)]).await
}

async fn ask(node: &Node, path: &str, protocol: &str, behind: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(node.running.public()).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: street\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\nSec-WebSocket-Key: k\r\n\r\n"
    );
    client.write_all(&[head.as_bytes(), behind].concat()).await.unwrap();
    client
}

/// Reads exactly `expected`.
async fn hears(stream: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(expected));
}

async fn ends(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap();
    assert_eq!((read.is_ok(), rest.as_slice()), (true, &b""[..]));
}

/// Reads a head.
async fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    String::from_utf8(bytes).unwrap().to_ascii_lowercase()
}

/// A tunnel that is open: client and instance.
async fn tunnel(node: &Node, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let mut client = ask(node, "/api/socket", "websocket", b"").await;
    let (mut instance, _) = listener.accept().await.unwrap();
    head(&mut instance).await;
    instance.write_all(SWITCH).await.unwrap();
    head(&mut client).await;
    (client, instance)
}

#[tokio::test]
async fn a_websocket_is_tunnelled_both_ways_where_its_route_allows_it() {
    let (node, listener) = start().await;
    let mut client = ask(&node, "/api/socket", "websocket", b"too early").await;
    let (mut instance, _) = listener.accept().await.unwrap();
    let request = head(&mut instance).await;
    for line in
        ["connection: upgrade\r\n", "upgrade: websocket\r\n", "sec-websocket-key: k\r\n", "x-signature: "]
    {
        assert!(request.contains(line), "{line} in {request}");
    }
    assert!(instance.try_read(&mut [0; 1]).is_err(), "nothing goes on before the 101");
    instance.write_all(&[SWITCH, b"at once"].concat()).await.unwrap();
    let answer = head(&mut client).await;
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    for line in ["connection: upgrade\r\n", "upgrade: websocket\r\n", "sec-websocket-accept: yes\r\n"] {
        assert!(answer.contains(line), "{line} in {answer}");
    }
    hears(&mut client, b"at once").await;
    hears(&mut instance, b"too early").await;
    // What looks like HTTP is none any more.
    instance.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    hears(&mut client, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    client.write_all(b"GET /api/plain HTTP/1.1\r\n\r\n").await.unwrap();
    hears(&mut instance, b"GET /api/plain HTTP/1.1\r\n\r\n").await;
    let large: Vec<u8> = (0..3_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let sent = large.clone();
    let writing = tokio::spawn(async move {
        client.write_all(&sent).await.unwrap();
        client
    });
    hears(&mut instance, &large).await;
    let mut client = writing.await.unwrap();
    drop(instance);
    ends(&mut client).await;
    drop(client);
    node.stop().await;
}

#[tokio::test]
async fn the_end_of_one_direction_leaves_the_other_open() {
    let (node, listener) = start().await;
    let (mut client, mut instance) = tunnel(&node, &listener).await;
    client.shutdown().await.unwrap();
    ends(&mut instance).await;
    instance.write_all(b"late").await.unwrap();
    hears(&mut client, b"late").await;
    drop(instance);
    ends(&mut client).await;

    let (mut client, mut instance) = tunnel(&node, &listener).await;
    instance.shutdown().await.unwrap();
    ends(&mut client).await;
    client.write_all(b"late").await.unwrap();
    hears(&mut instance, b"late").await;
    drop(client);
    ends(&mut instance).await;
    node.stop().await;
}

#[tokio::test]
async fn a_tunnel_outlives_the_limit_of_an_attempt() {
    let (node, listener) = start().await;
    let (mut client, mut instance) = tunnel(&node, &listener).await;
    sleep(Duration::from_millis(600)).await;
    instance.write_all(b"still here").await.unwrap();
    hears(&mut client, b"still here").await;
    node.stop().await;
}

#[tokio::test]
async fn a_tunnel_is_load_of_its_instance() {
    let (left, right) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let node = before(&[&left, &right]).await;
    let mut client = ask(&node, "/api/socket", "websocket", b"").await;
    let (mut instance, other) = tokio::select! {
        accepted = left.accept() => (accepted.unwrap().0, &right),
        accepted = right.accept() => (accepted.unwrap().0, &left),
    };
    head(&mut instance).await;
    instance.write_all(SWITCH).await.unwrap();
    head(&mut client).await;
    for _ in 0..4 {
        let asking = node.get("/api/plain");
        let answering = async {
            let (mut idle, _) = timeout(PATIENCE, other.accept()).await.unwrap().unwrap();
            head(&mut idle).await;
            idle.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
                .await
                .unwrap();
        };
        let (answer, ()) = tokio::join!(asking, answering);
        assert_eq!(answer.status, 200);
    }
    drop((client, instance));
    node.stop().await;
}

#[tokio::test]
async fn any_other_answer_to_an_upgrade_is_an_ordinary_one() {
    let (node, listener) = start().await;
    let mut client = ask(&node, "/api/socket", "websocket", b"").await;
    let (mut instance, _) = listener.accept().await.unwrap();
    head(&mut instance).await;
    instance.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
    assert!(head(&mut client).await.starts_with("http/1.1 403 "));
    hears(&mut client, b"no").await;
    client.write_all(b"GET /api/plain HTTP/1.1\r\nHost: street\r\nConnection: close\r\n\r\n").await.unwrap();
    head(&mut instance).await;
    instance.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    assert_eq!(Answer::read(&mut client).await.status, 200);
    node.stop().await;
}

#[tokio::test]
async fn other_protocols_switch_where_the_route_allows_it_but_only_to_what_was_asked_for() {
    let (node, listener) = start().await;
    let mut client = ask(&node, "/api/socket", "echo/1, h2c", b"").await;
    let (mut instance, _) = listener.accept().await.unwrap();
    assert!(head(&mut instance).await.contains("upgrade: echo/1\r\n"));
    instance.write_all(b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: echo/1\r\n\r\n").await.unwrap();
    head(&mut client).await;
    client.write_all(b"hello").await.unwrap();
    hears(&mut instance, b"hello").await;
    drop((client, instance));

    let mut client = ask(&node, "/api/socket", "echo", b"").await;
    let (mut instance, _) = listener.accept().await.unwrap();
    head(&mut instance).await;
    instance.write_all(SWITCH).await.unwrap();
    assert!(head(&mut client).await.starts_with("http/1.1 502 "));
    ends(&mut instance).await;
    node.stop().await;
}

#[tokio::test]
async fn a_route_that_does_not_allow_it_refuses_websockets_and_forgets_other_protocols() {
    let (node, listener) = start().await;
    let mut client = ask(&node, "/api/plain", "websocket", b"").await;
    let answer = head(&mut client).await;
    assert!(answer.starts_with("http/1.1 400 "), "{answer}");
    let _client = ask(&node, "/api/plain", "echo", b"").await;
    let (mut instance, _) = listener.accept().await.unwrap();
    let request = head(&mut instance).await;
    assert!(!request.contains("upgrade"), "{request}");
    drop(instance);
    node.stop().await;
}

#[tokio::test]
async fn at_shutdown_a_websocket_is_told_between_two_frames() {
    let (node, listener) = start().await;
    let (mut client, mut instance) = tunnel(&node, &listener).await;
    // Two bytes of five: the gateway may say nothing before the rest.
    instance.write_all(b"\x81\x05he").await.unwrap();
    hears(&mut client, b"\x81\x05he").await;
    let stopping = tokio::spawn(node.stop());
    instance.write_all(b"llo").await.unwrap();
    hears(&mut client, b"llo").await;
    hears(&mut client, b"\x88\x02\x03\xe9").await;
    drop(client);
    ends(&mut instance).await;
    stopping.await.unwrap();
}
