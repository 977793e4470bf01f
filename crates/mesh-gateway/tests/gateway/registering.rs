//! `POST /microservice/manifest`: who may register what, and how soon it is served.

use std::{sync::Arc, time::Duration};

use mesh_core::{clock::SystemClock, route::registration::Cidr, store::MemoryStore};
use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::FakeUpstream;
use tokio::time::{Instant, timeout};

use crate::support::{Node, Unreliable, manifest, put, service, until};

#[tokio::test]
async fn a_registered_manifest_is_served_at_once_and_by_every_gateway_of_the_store() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        ..GatewaySettings::default()
    };
    let store = MemoryStore::new(Arc::new(SystemClock));
    let (one, _) = Unreliable::node_on(settings.clone(), store.clone(), true);
    let (other, _) = Unreliable::node_on(settings, store, true);
    for node in [&one, &other] {
        until("the gateway is ready", async || node.running.gateway().is_ready()).await;
        node.get("/api/orders").await.is_refusal(404, "route_not_found");
    }
    let answer = one.register("orders", &manifest("orders", &[("GET", "/api/orders")])).await;
    assert_eq!((answer.status, answer.text()), (200, r#"{"status":"registered"}"#.to_owned()));
    assert_eq!(answer.header("content-type"), ["application/json"]);
    assert_eq!(
        one.get("/api/orders").await.status,
        200,
        "the gateway that took it serves it with the next request"
    );
    let live = timeout(Duration::from_secs(30), async {
        let begun = Instant::now();
        while other.get("/api/orders").await.status != 200 {}
        begun.elapsed()
    });
    assert!(live.await.is_ok());
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn only_the_service_itself_registers_its_manifest() {
    let node = Node::start(GatewaySettings::default(), &[]).await;
    let document = manifest("orders", &[("GET", "/api/orders")]);
    let unsigned = node.post("/microservice/manifest", "", document.as_bytes()).await;
    unsigned.is_refusal(401, "sig.service_missing");
    let wrong = "X-Service-Name: orders\r\nX-Timestamp: 1\r\nX-Signature: 00\r\n";
    node.post("/microservice/manifest", wrong, document.as_bytes()).await.is_refusal(401, "sig.invalid");
    node.register("pim", &document).await.is_refusal(403, "manifest.not_owner");
    node.get("/api/orders").await.is_refusal(404, "route_not_found");
    node.stop().await;
}

#[tokio::test]
async fn what_is_no_manifest_is_refused_in_the_package_s_words() {
    let node = Node::start(GatewaySettings::default(), &[]).await;
    node.register("orders", "{").await.is_refusal(400, "manifest.not_json");
    let empty = node.register("orders", "{}").await;
    empty.is_refusal(422, "manifest.invalid");
    assert_eq!(empty.json()["errors"]["service"][0], "The service field is required.");
    assert!(empty.json()["message"].as_str().unwrap().starts_with("The "), "{empty:?}");
    let reserved = r#"{"service":"orders","routes":[{"method":"GET","uri":"/a","_x":1}],"timestamp":"t"}"#;
    node.register("orders", reserved).await.is_refusal(422, "manifest.reserved_key");
    let twice = manifest("orders", &[("GET", "/{a}/{a}")]);
    node.register("orders", &twice).await.is_refusal(422, "manifest.invalid_route");
    let large = format!("{{\"service\":\"{}\"}}", "x".repeat(1024 * 1024));
    assert_eq!(node.register("orders", &large).await.status, 413);
    node.stop().await;
}

#[tokio::test]
async fn a_route_of_another_service_stays_with_it() {
    let node = Node::start(GatewaySettings::default(), &[]).await;
    assert_eq!(node.register("pim", &manifest("pim", &[("GET", "/api/things/{a}")])).await.status, 200);
    let thief = manifest("orders", &[("GET", "/api/mine"), ("GET", "/api/things/{b}")]);
    let answer = node.register("orders", &thief).await;
    answer.is_refusal(409, "manifest.route_conflict");
    assert!(answer.json()["error"].as_str().unwrap().contains("pim"), "{answer:?}");
    node.get("/api/mine").await.is_refusal(404, "route_not_found");
    node.stop().await;
}

#[tokio::test]
async fn an_older_manifest_does_not_replace_a_newer_one() {
    let node = Node::start(GatewaySettings::default(), &[]).await;
    let at = |time: &str| manifest("orders", &[("GET", "/api/a")]).replace("2026-02-10T12:00:00+00:00", time);
    assert_eq!(node.register("orders", &at("2026-02-10T12:00:00+00:00")).await.status, 200);
    node.register("orders", &at("2026-02-10T11:58:59+00:00")).await.is_refusal(409, "manifest.stale");
    assert_eq!(node.register("orders", &at("2026-02-10T11:59:00+00:00")).await.status, 200);
    node.stop().await;
}

#[tokio::test]
async fn announced_base_urls_serve_only_where_they_are_allowed() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let announcing = |url: &str| {
        manifest("orders", &[("GET", "/api/orders")])
            .replace("\"timestamp\"", &format!("\"base_urls\":[\"{url}\"],\"timestamp\""))
    };
    let strict = Node::start(GatewaySettings::default(), &[]).await;
    for url in [upstream.url().as_str(), "http://169.254.169.254", "http://orders:80"] {
        strict.register("orders", &announcing(url)).await.is_refusal(422, "manifest.target_forbidden");
    }
    put(&strict.store, &announcing(&upstream.url())).await;
    until("the manifest found in the store is served without its URLs", async || {
        strict.get("/api/orders").await.status == 503
    })
    .await;
    assert_eq!(upstream.count(), 0);
    strict.stop().await;

    let settings = GatewaySettings {
        allow_targets: vec![Cidr::parse("127.0.0.0/8").unwrap()],
        ..GatewaySettings::default()
    };
    let open = Node::start(settings, &[]).await;
    assert_eq!(open.register("orders", &announcing(&upstream.url())).await.status, 200);
    assert_eq!(open.get("/api/orders").await.status, 200);
    open.stop().await;

    let settings = GatewaySettings {
        configured: vec![service("orders", &[upstream.url()])],
        ..GatewaySettings::default()
    };
    let configured = Node::start(settings, &[]).await;
    assert_eq!(configured.register("orders", &announcing(&upstream.url())).await.status, 200);
    configured.stop().await;
}

#[tokio::test]
async fn without_the_store_nothing_is_registered() {
    let (node, store) =
        Unreliable::node_on(GatewaySettings::default(), MemoryStore::new(Arc::new(SystemClock)), true);
    until("the gateway is ready", async || node.running.gateway().is_ready()).await;
    store.answers(false);
    let document = manifest("orders", &[("GET", "/api/orders")]);
    let answer = node.register("orders", &document).await;
    answer.is_refusal(503, "manifest.store_unavailable");
    assert!(!answer.header("retry-after").is_empty());
    node.get("/api/orders").await.is_refusal(404, "route_not_found");
    store.answers(true);
    assert_eq!(node.register("orders", &document).await.status, 200);
    node.stop().await;
}
