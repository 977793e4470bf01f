//! Clients that speak HTTP/2, through the same door.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mesh_gateway::{GatewaySettings, Limits};
use mesh_testkit::upstream::{Canned, FakeUpstream};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::support::{Node, manifest, service};

pub(crate) type Client = SendRequest<Full<Bytes>>;

pub(crate) async fn client(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Client {
    let io = TokioIo::new(stream);
    let (client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) async fn prior_knowledge(node: &Node) -> Client {
    client(TcpStream::connect(node.running.public()).await.unwrap()).await
}

pub(crate) fn request(method: &str, path: &str, body: &[u8]) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(format!("http://street{path}"));
    request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()
}

pub(crate) async fn whole(response: Response<Incoming>) -> (StatusCode, HeaderMap, Bytes) {
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

pub(crate) async fn node_before(url: String) -> Node {
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
