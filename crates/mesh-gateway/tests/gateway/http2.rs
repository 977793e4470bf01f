//! Clients that speak HTTP/2: by prior knowledge and under TLS, through the same door.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mesh_gateway::{GatewaySettings, Limits, ListenerTls};
use mesh_testkit::upstream::{Canned, FakeUpstream};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::{
    certificates::Authority,
    support::{Answer, Node, manifest, service, until},
    tls_listener,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const PATIENCE: Duration = Duration::from_secs(30);

type Client = SendRequest<Full<Bytes>>;

async fn client(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Client {
    let io = TokioIo::new(stream);
    let (client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn prior_knowledge(node: &Node) -> Client {
    client(TcpStream::connect(node.running.public()).await.unwrap()).await
}

fn request(method: &str, path: &str, body: &[u8]) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(format!("http://street{path}"));
    request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()
}

async fn whole(response: Response<Incoming>) -> (StatusCode, HeaderMap, Bytes) {
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

fn settings(url: String) -> GatewaySettings {
    GatewaySettings {
        configured: vec![service("orders", &[url])],
        limits: Limits { head_timeout: Duration::from_millis(500), ..Limits::default() },
        ..GatewaySettings::default()
    }
}

async fn node_before(url: String) -> Node {
    let routes = [("GET", "/api/orders"), ("POST", "/api/orders")];
    Node::start(settings(url), &[manifest("orders", &routes)]).await
}

#[tokio::test]
async fn many_requests_share_a_connection_and_reach_the_service_as_http_1() {
    let upstream = FakeUpstream::answering(|request| Canned::status(200).body(request.body.clone()));
    let upstream = upstream.await.unwrap();
    let node = node_before(upstream.url()).await;
    let client = prior_knowledge(&node).await;
    let mut answers = Vec::new();
    for number in 0..50 {
        let (mut client, body) = (client.clone(), vec![b'x'; number * 1_000]);
        answers.push(tokio::spawn(async move {
            let mut request = request("POST", "/api/orders", &body);
            request.headers_mut().append("cookie", "a=1".parse().unwrap());
            request.headers_mut().append("cookie", "b=2".parse().unwrap());
            request.headers_mut().insert("te", "trailers".parse().unwrap());
            let response = client.send_request(request).await.unwrap();
            assert_eq!(response.version(), Version::HTTP_2);
            assert_eq!(whole(response).await.2, body);
        }));
    }
    for answer in answers {
        answer.await.unwrap();
    }
    let seen = upstream.requests();
    assert_eq!(seen.len(), 50);
    assert_eq!(seen[0].header("cookie"), [b"a=1; b=2"]);
    assert_eq!(seen[0].header("x-forwarded-host"), [b"street"]);
    assert_eq!(seen[0].header("x-forwarded-proto"), [b"http"]);
    assert!(seen[0].header("te").is_empty());
    assert_eq!(seen[0].header("x-signature").len(), 1);
    node.stop().await;
}

#[tokio::test]
async fn what_is_refused_over_http_1_is_refused_over_http_2() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node_before(upstream.url()).await;
    let mut client = prior_knowledge(&node).await;
    let mut other_host = request("GET", "/api/orders", b"");
    other_host.headers_mut().insert("host", "elsewhere".parse().unwrap());
    let mut underscore = request("GET", "/api/orders", b"");
    underscore.headers_mut().insert("x_user_id", "1".parse().unwrap());
    for (request, status, code) in [
        (request("GET", "/api/orders/../x", b""), 400, "path_not_canonical"),
        (request("GET", "/nowhere", b""), 404, "route_not_found"),
        (request("DELETE", "/api/orders", b""), 405, "method_not_allowed"),
        (request("GET", "/api/orders", b"body"), 400, "body_not_allowed"),
        (request("POST", "/api/orders", &vec![0; 1_100_000]), 413, "body_too_large"),
        (other_host, 400, "bad_host"),
        (underscore, 400, "bad_header_name"),
    ] {
        let (answered, headers, body) = whole(client.send_request(request).await.unwrap()).await;
        assert_eq!(answered, status, "{code}");
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap()["code"], code);
        assert!(!headers.contains_key("connection"), "{headers:?}");
    }
    assert_eq!(upstream.count(), 0);
    node.stop().await;
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
async fn trailers_of_a_service_reach_the_client() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _read = stream.read(&mut request).await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n\
            2\r\nok\r\n0\r\ngrpc-status: 0\r\nContent-Length: 7\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    });
    let node = node_before(url).await;
    let mut client = prior_knowledge(&node).await;
    let response = client.send_request(request("GET", "/api/orders", b"")).await.unwrap();
    assert!(!response.headers().contains_key("connection"));
    assert!(!response.headers().contains_key("transfer-encoding"));
    let collected = response.into_body().collect().await.unwrap();
    let trailers = collected.trailers().unwrap();
    assert_eq!(trailers.get("grpc-status").unwrap(), "0");
    assert_eq!(trailers.len(), 1);
    assert_eq!(collected.to_bytes(), "ok");
    node.stop().await;
}

/// Reads frames until one of `kind`, and gives its payload; `None` when the connection ends before.
async fn frame(stream: &mut TcpStream, kind: u8) -> Option<Vec<u8>> {
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
