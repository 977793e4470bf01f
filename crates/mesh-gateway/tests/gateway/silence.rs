//! What requests ask of the stores: nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use mesh_core::{
    clock::{SystemClock, UnixMillis},
    health::HealthRecord,
    name::ServiceName,
    service::Instance,
    store::{HealthStore, ManifestStore, MemoryStore, Replaced, Revision, StoreError, StoredManifest},
};
use mesh_gateway::{Body, DefaultProxy, Gateway, GatewaySettings};
use mesh_testkit::upstream::{Canned, FakeUpstream};
use tower::ServiceExt as _;

use crate::support::{keyring, manifest, name, put, service, until};

/// Counts every command.
#[derive(Clone, Debug)]
struct Counting {
    inner: MemoryStore,
    commands: Arc<AtomicUsize>,
}

impl Counting {
    fn count(&self) -> &MemoryStore {
        self.commands.fetch_add(1, Ordering::SeqCst);
        &self.inner
    }
}

#[async_trait]
impl ManifestStore for Counting {
    async fn put(&self, service: &ServiceName, document: Bytes, ttl: Duration) -> Result<(), StoreError> {
        self.count().put(service, document, ttl).await
    }

    async fn replace(
        &self,
        service: &ServiceName,
        expected: Option<Bytes>,
        document: Bytes,
        ttl: Duration,
    ) -> Result<Replaced, StoreError> {
        self.count().replace(service, expected, document, ttl).await
    }

    async fn get(&self, service: &ServiceName) -> Result<Option<StoredManifest>, StoreError> {
        self.count().get(service).await
    }

    async fn all(&self) -> Result<Vec<StoredManifest>, StoreError> {
        self.count().all().await
    }

    async fn changed(&self, seen: Revision) -> Revision {
        self.inner.changed(seen).await
    }
}

#[async_trait]
impl HealthStore for Counting {
    async fn add_failure(
        &self,
        instance: &Instance,
        now: UnixMillis,
        ttl: Duration,
    ) -> Result<HealthRecord, StoreError> {
        self.count().add_failure(instance, now, ttl).await
    }

    async fn clear(&self, instance: &Instance) -> Result<bool, StoreError> {
        self.count().clear(instance).await
    }

    async fn read(&self, instances: &[Instance]) -> Result<Vec<Option<HealthRecord>>, StoreError> {
        self.count().read(instances).await
    }
}

async fn answer(gateway: &Gateway, number: usize) -> Response<Body> {
    let (method, path) = match number % 4 {
        0 => ("GET", "/api/orders"),
        1 => ("POST", "/api/orders"),
        2 => ("GET", "/api/fails"),
        _ => ("GET", "/api/handled"),
    };
    let request = Request::builder().method(method).uri(path).header("host", "street");
    let request = request.body(axum::body::Body::empty()).unwrap();
    gateway.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn a_thousand_requests_ask_no_store_for_anything() {
    let upstream = FakeUpstream::answering(|request| {
        Canned::status(if request.target == "/api/fails" { 404 } else { 200 })
    })
    .await
    .unwrap();
    let inner = MemoryStore::new(Arc::new(SystemClock));
    let routes =
        [("GET", "/api/orders"), ("POST", "/api/orders"), ("GET", "/api/fails"), ("GET", "/api/handled")];
    put(&inner, &manifest("orders", &routes)).await;
    let store = Counting { inner, commands: Arc::default() };
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        ..GatewaySettings::default()
    };
    let stores = (Arc::new(store.clone()), Arc::new(store.clone()));
    let gateway = Gateway::builder(name("gateway"), keyring(), stores.0, stores.1)
        .settings(settings)
        .routes(|r| {
            r.service("orders")
                .get("/api/handled")
                .handler(async |request: axum::extract::Request| DefaultProxy.forward(request).await);
        })
        .build()
        .unwrap();
    let control = tokio::spawn(gateway.control());
    until("the routes are read", async || gateway.is_ready()).await;
    // What reads in the background ends, so that every command from here on would be a request's.
    control.abort();
    assert!(control.await.unwrap_err().is_cancelled());
    let before = store.commands.load(Ordering::SeqCst);
    assert!(before > 0, "the routes came from this store");

    for number in 0..1_000 {
        let expected = if number % 4 == 2 { 404 } else { 200 };
        assert_eq!(answer(&gateway, number).await.status(), expected, "request {number}");
    }
    assert_eq!(upstream.count(), 1_000);
    assert_eq!(store.commands.load(Ordering::SeqCst), before);
}
