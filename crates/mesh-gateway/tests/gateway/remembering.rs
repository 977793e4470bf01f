//! Which routes stay, and for how long: without the store, with an empty one, with bad documents, after a restart.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use mesh_core::{
    clock::SystemClock,
    store::{ManifestStore, MemoryStore},
};
use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::FakeUpstream;

use crate::support::{Node, Unreliable, manifest, name, put, service, until};

fn settings(upstream: &FakeUpstream) -> GatewaySettings {
    GatewaySettings {
        configured: vec![service("orders", &[upstream.url()]), service("pim", &[upstream.url()])],
        manifest_grace: Duration::from_millis(300),
        ..GatewaySettings::default()
    }
}

async fn put_for(store: &MemoryStore, service: &str, ttl: Duration) {
    let document = manifest(service, &[("GET", &format!("/api/{service}"))]);
    store.put(&name(service), Bytes::from(document), ttl).await.unwrap();
}

fn scratch(file: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(file);
    let _absent = std::fs::remove_file(&path);
    path
}

#[tokio::test]
async fn a_service_that_stops_registering_is_gone_after_its_expiry_and_the_grace() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = Node::start(settings(&upstream), &[]).await;
    put_for(&node.store, "orders", Duration::from_millis(1_500)).await;
    put_for(&node.store, "pim", Duration::from_secs(300)).await;
    until("it is served", async || node.get("/api/orders").await.status == 200).await;
    until("it is gone", async || node.get("/api/orders").await.status == 404).await;
    assert_eq!(node.get("/api/pim").await.status, 200);
    node.stop().await;
}

#[tokio::test]
async fn the_only_service_is_gone_too_when_it_stops_registering() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = Node::start(settings(&upstream), &[]).await;
    put_for(&node.store, "orders", Duration::from_millis(500)).await;
    until("it is served", async || node.get("/api/orders").await.status == 200).await;
    until("it is gone", async || node.get("/api/orders").await.status == 404).await;
    node.stop().await;
}

#[tokio::test]
async fn one_corrupt_document_costs_nobody_else_anything() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let orders = manifest("orders", &[("GET", "/api/orders")]);
    let node = Node::start(settings(&upstream), &[orders]).await;
    for garbage in ["not json", r#"{"service":"pim","routes":[],"timestamp":"t"}"#] {
        let document = Bytes::from(garbage);
        node.store.put(&name("orders"), document, Duration::from_secs(300)).await.unwrap();
        put_for(&node.store, "pim", Duration::from_secs(300)).await;
        until("the bad one is shown", async || {
            node.admin("/microservice/metrics").await.text().contains("mesh_manifests_quarantined 1")
        })
        .await;
        let said = node.admin("/admin/explain?method=GET&path=/api/pim").await.json();
        assert_eq!(said["quarantined"][0]["service"], "orders");
        assert!(said["quarantined"][0]["reason"].is_string(), "{said}");
        assert_eq!(said["policies"]["attempt_timeout"], 5.0);
        assert_eq!(node.get("/api/orders").await.status, 200, "its last good one is kept");
        assert_eq!(node.get("/api/pim").await.status, 200);
    }
    put_for(&node.store, "orders", Duration::from_secs(300)).await;
    until("a good one ends the quarantine", async || {
        node.admin("/microservice/metrics").await.text().contains("mesh_manifests_quarantined 0")
    })
    .await;
    node.stop().await;
}

#[tokio::test]
async fn a_gateway_that_starts_without_the_store_serves_the_last_good_routes() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let path = scratch("last-good.json");
    let settings = GatewaySettings { snapshot: Some(path.clone()), ..settings(&upstream) };
    let first = Node::start(settings.clone(), &[manifest("orders", &[("GET", "/api/orders")])]).await;
    until("the routes are on disk", async || path.exists()).await;
    first.stop().await;

    let empty = MemoryStore::new(Arc::new(SystemClock));
    let (second, store) = Unreliable::node_on(settings, empty.clone(), false);
    assert!(second.running.gateway().is_ready(), "at once, without the store");
    assert_eq!(second.get("/api/orders").await.status, 200);
    store.answers(true);
    until("the store answers", async || {
        second.admin("/microservice/metrics").await.text().contains("mesh_store_up 1")
    })
    .await;
    assert_eq!(second.get("/api/orders").await.status, 200, "an empty store takes nothing away");
    put(&empty, &manifest("pim", &[("GET", "/api/pim")])).await;
    until("what the store has is served", async || second.get("/api/pim").await.status == 200).await;
    assert_eq!(second.get("/api/orders").await.status, 200, "its time is not over");
    second.stop().await;
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_read_or_written_stops_nothing() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let corrupt = scratch("corrupt.json");
    std::fs::write(&corrupt, "{\"version\":1,\"manifests\":[{").unwrap();
    for path in [corrupt, PathBuf::from("/proc/no/such/folder/routes.json")] {
        let settings = GatewaySettings { snapshot: Some(path), ..settings(&upstream) };
        let node = Node::start(settings, &[manifest("orders", &[("GET", "/api/orders")])]).await;
        assert_eq!(node.get("/api/orders").await.status, 200);
        node.stop().await;
    }
}

#[tokio::test]
async fn no_request_fails_while_the_store_is_out_of_reach() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let inner = MemoryStore::new(Arc::new(SystemClock));
    put_for(&inner, "orders", Duration::from_millis(800)).await;
    let (node, store) = Unreliable::node_on(settings(&upstream), inner, true);
    until("it is served", async || node.get("/api/orders").await.status == 200).await;
    store.answers(false);
    until("the store is known to be down", async || {
        node.admin("/microservice/metrics").await.text().contains("mesh_store_up 0")
    })
    .await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(node.get("/api/orders").await.status, 200, "expiry stands still while the store is silent");
    assert_eq!(node.admin("/microservice/health").await.json()["status"], "degraded");
    node.stop().await;
}
