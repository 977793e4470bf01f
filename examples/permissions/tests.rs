//! Who gets through, and with which answer.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use mesh_core::{
    clock::{Clock, SystemClock},
    name::ServiceName,
    secret::Secret,
    service::{BaseUrl, Service},
    signature::{Keyring, Signer},
    store::{ManifestStore, MemoryStore},
};
use mesh_gateway::{Gateway, GatewaySettings};
use mesh_testkit::upstream::FakeUpstream;
use permissions::{Tokens, guarded};
use serde_json::{Value, json};
use tower::ServiceExt;

const SECRET: &str = "a secret for permissions";

fn keyring() -> Keyring {
    Keyring::new(Secret::try_new(SECRET).unwrap())
}

fn manifest() -> String {
    json!({
        "service": "pim",
        "routes": [
            { "method": "GET", "uri": "/api/products", "permissions": ["products.view"] },
            { "method": "PUT", "uri": "/api/products/{product}", "permissions": ["products.view", "products.edit"] },
            { "method": "GET", "uri": "/api/one", "permissions": "products.edit" },
            { "method": "GET", "uri": "/api/odd", "permissions": { "any": true } },
            { "method": "GET", "uri": "/api/open" },
        ],
        "timestamp": "2026-02-10T12:00:00+00:00",
    })
    .to_string()
}

/// A gateway before `upstream`, with its routes.
async fn gateway(upstream: &FakeUpstream) -> Gateway {
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let pim = ServiceName::parse("pim").unwrap();
    store.put(&pim, manifest().into(), Duration::from_secs(300)).await.unwrap();
    let settings = GatewaySettings {
        configured: vec![Service::new(pim, vec![BaseUrl::parse(&upstream.url()).unwrap()])],
        ..GatewaySettings::default()
    };
    let name = ServiceName::parse("gateway").unwrap();
    let builder = Gateway::builder(name, keyring(), store.clone(), store).settings(settings);
    let tokens = Tokens::parse(include_str!("tokens.json")).unwrap();
    let gateway = guarded(builder, tokens).build().unwrap();
    tokio::spawn(gateway.control());
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !gateway.is_ready() {
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap();
    gateway
}

/// Status and body of the answer to one request.
async fn ask(gateway: &Gateway, method: &str, path: &str, token: &str) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path).header("host", "street");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = gateway.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(Body::new(body), usize::MAX).await.unwrap();
    (parts.status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_user_with_the_permissions_of_the_route_gets_through() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let gateway = gateway(&upstream).await;
    for (method, path, token) in [
        ("GET", "/api/products", "token-of-bob"),
        ("HEAD", "/api/products", "token-of-bob"),
        ("PUT", "/api/products/1", "token-of-ann"),
        ("GET", "/api/one", "token-of-ann"),
        ("GET", "/api/open", "token-of-bob"),
        ("GET", "/api/open", "token-of-nobody"),
        ("GET", "/api/open", ""),
    ] {
        assert_eq!(ask(&gateway, method, path, token).await.0, 200, "{method} {path} {token}");
    }
    let requests = upstream.requests();
    assert_eq!(requests[0].header("x-user-id"), [b"8"], "the service learns who asks");
    assert!(requests[5].header("x-user-id").is_empty());
}

#[tokio::test]
async fn without_a_user_it_is_401_and_without_a_permission_403() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let gateway = gateway(&upstream).await;
    let unauthenticated = json!({ "error": "Unauthenticated.", "code": "permissions.unauthenticated" });
    let missing = json!({ "error": "Missing permissions.", "code": "permissions.missing" });
    let closed = json!({ "error": "The route is closed.", "code": "permissions.malformed" });
    for (method, path, token, status, expected) in [
        ("GET", "/api/products", "", 401, &unauthenticated),
        ("GET", "/api/products", "token-of-nobody", 401, &unauthenticated),
        ("PUT", "/api/products/1", "token-of-bob", 403, &missing),
        ("GET", "/api/one", "token-of-bob", 403, &missing),
        ("GET", "/api/odd", "token-of-ann", 403, &closed),
    ] {
        let (answered, document) = ask(&gateway, method, path, token).await;
        assert_eq!((answered.as_u16(), &document), (status, expected), "{method} {path} {token}");
    }
    assert_eq!(upstream.count(), 0, "nothing of it reached the service");
}

/// The binary; ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The status of the answer to one request on a connection of its own.
fn send(address: &str, head: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let request =
        format!("{head}\r\nHost: street\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_guards_the_routes_of_a_service_that_registers_with_it() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let tokens = concat!(env!("CARGO_MANIFEST_DIR"), "/tokens.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_permissions-gateway"));
    command.args(["127.0.0.1:0", SECRET, tokens]).arg(format!("pim={}", upstream.url()));
    let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap();

    let (document, now) = (manifest(), SystemClock.unix().seconds());
    let signature = Signer::new(&keyring()).sign("POST", "/microservice/manifest", now, document.as_bytes());
    let head = format!(
        "POST /microservice/manifest HTTP/1.1\r\nX-Service-Name: pim\r\nX-Timestamp: {now}\r\nX-Signature: {}",
        signature.as_str()
    );
    assert_eq!(send(address, &head, &document), 200);
    let get = |token: &str| send(address, &format!("GET /api/one HTTP/1.1\r\nAuthorization: {token}"), "");
    assert_eq!((get("none"), get("Bearer token-of-bob"), get("Bearer token-of-ann")), (401, 403, 200));
    assert_eq!(upstream.count(), 1);
}
