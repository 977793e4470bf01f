//! Routes looked up by hand: in a running gateway, and in a store without one.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mesh_core::{
    clock::SystemClock,
    route::{PrefixStyle, TableSettings},
    store::{ManifestStore as _, MemoryStore},
};
use mesh_gateway::{GatewaySettings, RouteRegistry};
use serde_json::json;

use crate::support::{Node, manifest, manifest_with, name, put, until};

fn shop() -> Vec<String> {
    let named = r#","name":"products.show","permissions":["products.view"]"#;
    vec![
        manifest("oms", &[("GET", "/api/orders"), ("POST", "/api/orders")]),
        manifest_with(
            "pim",
            &[("GET", "/api/products/{product}", named), ("GET", "/api/products/featured", "")],
        ),
    ]
}

fn uris(registry: &RouteRegistry) -> Vec<String> {
    let routes = registry.all_routes();
    routes.iter().map(|entry| format!("{} {} {}", entry.service, entry.route.method, entry.uri)).collect()
}

#[tokio::test]
async fn a_gateway_tells_which_route_takes_a_request_and_all_that_it_serves() {
    let settings = GatewaySettings {
        prefixes: [(name("pim"), "catalog".to_owned())].into(),
        services: Some([name("pim")].into()),
        ..GatewaySettings::default()
    };
    let node = Node::start(settings, &shop()).await;
    let registry = node.running.gateway().registry();
    let route = registry.resolve("HEAD", "/api/catalog/products/a%20b?x=1").unwrap();
    assert_eq!((route.service().as_str(), route.method().as_str()), ("pim", "GET"));
    assert_eq!(route.name(), Some("products.show"));
    assert_eq!(route.service_path(), "/api/products/a%20b");
    assert_eq!(route.parameters(), [("product", "a%20b")]);
    assert_eq!(route.decoded_parameter("product").as_deref(), Some("a b"));
    assert_eq!(route.metadata()["permissions"], json!(["products.view"]));
    let featured = registry.resolve("GET", "/api/catalog/products/featured").unwrap();
    assert_eq!(featured.service_uri(), "/api/products/featured");
    for (method, target) in [
        ("POST", "/api/catalog/products/1"),
        ("GET", "/api/products/1"),
        ("GET", "/api/orders"),
        ("GET", "/api/catalog/products/%2e%2e"),
        ("NO METHOD", "/"),
    ] {
        assert!(registry.resolve(method, target).is_none(), "{method} {target}");
    }
    assert_eq!(
        uris(&registry),
        ["pim GET /api/catalog/products/{product}", "pim GET /api/catalog/products/featured"]
    );
    let services: Vec<_> = registry.all_manifests().iter().map(|known| known.service.to_string()).collect();
    assert_eq!(services, ["oms", "pim"], "what is not served is known too");

    put(&node.store, &manifest("pim", &[("GET", "/api/more")])).await;
    until("the registry follows", async || registry.resolve("GET", "/api/catalog/more").is_some()).await;
    registry.refresh().await.unwrap();
    assert_eq!(uris(&registry), ["pim GET /api/catalog/more"]);
    node.stop().await;
}

#[tokio::test]
async fn a_registry_without_a_gateway_reads_a_store_when_it_is_told_to() {
    let store = MemoryStore::new(Arc::new(SystemClock));
    for manifest in shop() {
        put(&store, &manifest).await;
    }
    let broken = Bytes::from("not json");
    store.put(&name("broken"), broken, Duration::from_secs(300)).await.unwrap();
    let settings = TableSettings {
        prefixes: [(name("oms"), "o/x".to_owned())].into(),
        style: PrefixStyle::Front,
        ..TableSettings::default()
    };
    let registry = RouteRegistry::load(Arc::new(store.clone()), settings).await.unwrap();
    let same = registry.clone();
    assert_eq!(registry.all_manifests().len(), 2, "a broken one costs nobody else anything");
    assert_eq!(registry.resolve("POST", "/o/x/api/orders").unwrap().service_path(), "/api/orders");
    assert!(registry.resolve("GET", "/api/orders").is_none());

    put(&store, &manifest("pim", &[("GET", "/api/more")])).await;
    assert!(registry.resolve("GET", "/api/more").is_none(), "nothing is read in between");
    registry.refresh().await.unwrap();
    assert!(same.resolve("GET", "/api/more").is_some(), "clones share what was read");
    assert!(
        registry.resolve("GET", "/api/products/1").is_none(),
        "a new manifest replaces the old one whole"
    );
}
