//! What the tests of the gateway share: a running gateway, services on real sockets, raw requests.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use mesh_core::{
    clock::{Clock, SystemClock},
    name::ServiceName,
    secret::Secret,
    service::{BaseUrl, Service},
    signature::{Keyring, Signer},
    store::{ManifestStore, MemoryStore, Replaced, Revision, StoreError, StoredManifest},
};
use mesh_gateway::{Gateway, GatewayBuilder, GatewaySettings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::harness::{self, Started};

/// The cap on every wait.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn keyring() -> Keyring {
    Keyring::new(Secret::try_new("a secret of the test street").unwrap())
}

pub(crate) fn name(text: &str) -> ServiceName {
    ServiceName::parse(text).unwrap()
}

pub(crate) fn service(service: &str, urls: &[String]) -> Service {
    Service::new(name(service), urls.iter().map(|url| BaseUrl::parse(url).unwrap()).collect())
}

/// A manifest with these routes: method and URI.
pub(crate) fn manifest(service: &str, routes: &[(&str, &str)]) -> String {
    manifest_with(service, &routes.iter().map(|(method, uri)| (*method, *uri, "")).collect::<Vec<_>>())
}

/// A manifest whose routes have further keys, written as JSON: `,"timeout":1`.
pub(crate) fn manifest_with(service: &str, routes: &[(&str, &str, &str)]) -> String {
    let routes: Vec<_> = routes
        .iter()
        .map(|(method, uri, more)| format!(r#"{{"method":"{method}","uri":"{uri}"{more}}}"#))
        .collect();
    format!(
        r#"{{"service":"{service}","routes":[{}],"timestamp":"2026-02-10T12:00:00+00:00"}}"#,
        routes.join(",")
    )
}

/// A gateway on the in-memory store.
pub(crate) struct Node {
    pub(crate) running: Started,
    pub(crate) store: MemoryStore,
}

impl Node {
    /// A gateway that serves `manifests` by the services of `settings`.
    pub(crate) async fn start(settings: GatewaySettings, manifests: &[String]) -> Self {
        Self::built(settings, manifests, |builder| builder).await
    }

    /// Like [`start`](Self::start), built as `build` says.
    pub(crate) async fn built(
        settings: GatewaySettings,
        manifests: &[String],
        build: impl FnOnce(GatewayBuilder) -> GatewayBuilder,
    ) -> Self {
        let store = MemoryStore::new(Arc::new(SystemClock));
        for manifest in manifests {
            put(&store, manifest).await;
        }
        let health = Arc::new(store.clone());
        let builder = Gateway::builder(name("gateway"), keyring(), Arc::new(store.clone()), health);
        let node = Self::serving(&build(builder.settings(settings)).build().unwrap(), store);
        until("the gateway is ready", async || node.running.gateway().is_ready()).await;
        node
    }

    /// A gateway on these stores; not necessarily ready.
    pub(crate) fn on(
        settings: GatewaySettings,
        store: MemoryStore,
        manifests: Arc<dyn ManifestStore>,
        health: MemoryStore,
    ) -> Self {
        let gateway = Gateway::builder(name("gateway"), keyring(), manifests, Arc::new(health))
            .settings(settings)
            .build()
            .unwrap();
        Self::serving(&gateway, store)
    }

    pub(crate) fn serving(gateway: &Gateway, store: MemoryStore) -> Self {
        Self { running: harness::start(gateway), store }
    }

    /// One request on a connection of its own. `head` is everything up to the blank line.
    pub(crate) async fn send(&self, head: &str, body: &[u8]) -> Answer {
        send(self.running.public(), head, body).await
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.send(&format!("GET {target} HTTP/1.1\r\nHost: street\r\nConnection: close"), b"").await
    }

    pub(crate) async fn post(&self, target: &str, headers: &str, body: &[u8]) -> Answer {
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: street\r\nConnection: close\r\n{headers}Content-Length: {}",
            body.len()
        );
        self.send(&head, body).await
    }

    /// Registers `manifest` as `caller` over HTTP.
    pub(crate) async fn register(&self, caller: &str, manifest: &str) -> Answer {
        let now = SystemClock.unix().seconds();
        let signature =
            Signer::new(&keyring()).sign("POST", "/microservice/manifest", now, manifest.as_bytes());
        let headers = format!(
            "X-Service-Name: {caller}\r\nX-Timestamp: {now}\r\nX-Signature: {}\r\n",
            signature.as_str()
        );
        self.post("/microservice/manifest", &headers, manifest.as_bytes()).await
    }

    pub(crate) async fn admin(&self, path: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close");
        send(self.running.admin().unwrap(), &head, b"").await
    }

    pub(crate) async fn stop(self) {
        harness::stop(self.running).await;
    }
}

pub(crate) async fn put(store: &MemoryStore, manifest: &str) {
    let document: serde_json::Value = serde_json::from_str(manifest).unwrap();
    let service = name(document["service"].as_str().unwrap());
    let ttl = Duration::from_secs(300);
    store.put(&service, Bytes::from(manifest.to_owned()), ttl).await.unwrap();
}

/// One request on a connection of its own, and everything that came back until the other side closed.
pub(crate) async fn send(address: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut request = format!("{head}\r\n\r\n").into_bytes();
    request.extend_from_slice(body);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&request).await.unwrap();
    Answer::read(&mut stream).await
}

/// An answer, byte for byte.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// As it came: with its chunks.
    pub(crate) raw_body: Vec<u8>,
}

impl Answer {
    /// Everything until the end of the stream.
    pub(crate) async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
        read.unwrap_or_else(|error| panic!("{error} after {:?}", String::from_utf8_lossy(&bytes)));
        Self::parse(&bytes)
    }

    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head in {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, raw_body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.raw_body.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.raw_body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that a twin of the request runs.
    #[track_caller]
    pub(crate) fn is_in_flight(&self) {
        assert_eq!(
            (self.status, self.json()["message"].as_str()),
            (409, Some("Request is already being processed."))
        );
    }

    /// Asserts a refusal of the gateway's own.
    #[track_caller]
    pub(crate) fn is_refusal(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json()["code"], code, "{self:?}");
        assert_eq!(self.header("content-type"), ["application/json"]);
        assert_eq!(self.header("cache-control"), ["no-store"]);
    }
}

/// Waits until `condition` holds, at most 30 s.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let waited = timeout(PATIENCE, async {
        while !condition().await {
            sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "not within 30 s: {what}");
}

/// A manifest store that may be out of reach.
#[derive(Debug)]
pub(crate) struct Unreliable {
    inner: MemoryStore,
    is_up: AtomicBool,
}

impl Unreliable {
    /// A gateway on a store that does not answer yet.
    pub(crate) fn node(settings: GatewaySettings) -> (Node, Arc<Self>) {
        Self::node_on(settings, MemoryStore::new(Arc::new(SystemClock)), false)
    }

    pub(crate) fn node_on(settings: GatewaySettings, inner: MemoryStore, is_up: bool) -> (Node, Arc<Self>) {
        let store = Arc::new(Self { inner: inner.clone(), is_up: AtomicBool::new(is_up) });
        let node = Node::on(settings, inner.clone(), Arc::clone(&store) as Arc<dyn ManifestStore>, inner);
        (node, store)
    }

    pub(crate) fn answers(&self, is_up: bool) {
        self.is_up.store(is_up, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.is_up.load(Ordering::SeqCst) {
            Ok(())
        } else {
            Err(StoreError::Unreachable("as told".to_owned()))
        }
    }
}

#[async_trait]
impl ManifestStore for Unreliable {
    async fn put(&self, service: &ServiceName, document: Bytes, ttl: Duration) -> Result<(), StoreError> {
        self.check()?;
        self.inner.put(service, document, ttl).await
    }

    async fn replace(
        &self,
        service: &ServiceName,
        expected: Option<Bytes>,
        document: Bytes,
        ttl: Duration,
    ) -> Result<Replaced, StoreError> {
        self.check()?;
        self.inner.replace(service, expected, document, ttl).await
    }

    async fn get(&self, service: &ServiceName) -> Result<Option<StoredManifest>, StoreError> {
        self.check()?;
        self.inner.get(service).await
    }

    async fn all(&self) -> Result<Vec<StoredManifest>, StoreError> {
        self.check()?;
        self.inner.all().await
    }

    async fn changed(&self, seen: Revision) -> Revision {
        self.inner.changed(seen).await
    }
}
