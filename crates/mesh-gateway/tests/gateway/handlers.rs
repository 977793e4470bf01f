//! Handlers of the embedding code in place of a service.

use axum::{
    Json,
    extract::{Query, Request},
    middleware::from_fn_with_state,
    response::Response,
};
use http::HeaderMap;
use mesh_core::{clock::SystemClock, store::MemoryStore};
use mesh_gateway::{BuildError, DefaultProxy, Gateway, GatewaySettings, OverrideError, RouteMeta};
use mesh_testkit::upstream::{Canned, FakeUpstream};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

use crate::{
    layers::mark,
    support::{Node, keyring, manifest, manifest_with, name, put, service, until},
};

fn settings(upstream: &FakeUpstream) -> GatewaySettings {
    GatewaySettings { configured: vec![service("pim", &[upstream.url()])], ..GatewaySettings::default() }
}

fn products() -> String {
    manifest_with(
        "pim",
        &[
            ("GET", "/api/products/{product}", r#","permissions":["products.view"]"#),
            ("PUT", "/api/products/{product}", ""),
            ("GET", "/api/products", ""),
        ],
    )
}

async fn show(
    meta: RouteMeta,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Json<Value> {
    let trail: Vec<_> = headers.get_all("trail").iter().map(|word| word.to_str().unwrap()).collect();
    Json(json!({
        "product": meta.parameter("product"),
        "permissions": meta.metadata()["permissions"],
        "query": query,
        "trail": trail,
    }))
}

#[tokio::test]
async fn a_handler_answers_in_place_of_the_service_and_knows_the_routes_metadata() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = Node::built(settings(&upstream), &[products()], |builder| {
        builder.routes(|r| {
            r.service("pim").get("/api/products/{product}").handler(show);
        })
    })
    .await;
    let answer = node.get("/api/products/1%20?page=2").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        json!({"product": "1%20", "permissions": ["products.view"], "query": {"page": "2"}, "trail": []})
    );
    assert_eq!(upstream.count(), 0);
    assert_eq!(node.get("/api/products").await.status, 200);
    assert_eq!(upstream.count(), 1, "other routes go to the service");
    node.stop().await;
}

#[tokio::test]
async fn a_handler_stands_behind_the_layers_of_its_service_and_its_route() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = Node::built(settings(&upstream), &[products()], |builder| {
        builder.routes(|r| {
            r.service("pim").layer(from_fn_with_state("service", mark));
            r.service("pim")
                .get("/api/products/{product}")
                .handler(show)
                .layer(from_fn_with_state("route", mark));
        })
    })
    .await;
    assert_eq!(node.get("/api/products/1").await.json()["trail"], json!(["service", "route"]));
    node.stop().await;
}

#[tokio::test]
async fn head_options_and_405_are_those_of_the_route_with_a_handler_too() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = Node::built(settings(&upstream), &[products()], |builder| {
        builder.routes(|r| {
            r.service("pim").get("/api/products/{product}").handler(show);
        })
    })
    .await;
    let by = async |method: &str| {
        node.send(&format!("{method} /api/products/1 HTTP/1.1\r\nHost: s\r\nConnection: close"), b"").await
    };
    let head = by("HEAD").await;
    assert_eq!((head.status, head.header("content-type")), (200, vec!["application/json"]));
    assert!(head.raw_body.is_empty(), "{head:?}");
    let options = by("OPTIONS").await;
    assert_eq!((options.status, options.header("allow")), (204, vec!["GET, HEAD, OPTIONS, PUT"]));
    let delete = by("DELETE").await;
    delete.is_refusal(405, "method_not_allowed");
    assert_eq!(delete.header("allow"), ["GET, HEAD, OPTIONS, PUT"]);
    assert_eq!(upstream.count(), 0);
    node.stop().await;
}

async fn embellish(request: Request) -> Response {
    let mut response = DefaultProxy.forward(request).await;
    response.headers_mut().insert("x-embellished", http::HeaderValue::from_static("yes"));
    response
}

#[tokio::test]
async fn a_handler_may_ask_the_service_itself() {
    let upstream = FakeUpstream::scripted([Canned::json("{\"a\":1}")]).await.unwrap();
    let node = Node::built(settings(&upstream), &[products()], |builder| {
        builder.routes(|r| {
            r.service("pim").put("/api/products/{id}").handler(embellish);
        })
    })
    .await;
    let head = "PUT /api/products/1?x=1 HTTP/1.1\r\nHost: s\r\nConnection: close\r\nContent-Length: 2";
    let answer = node.send(head, b"{}").await;
    assert_eq!((answer.status, answer.text()), (200, "{\"a\":1}".to_owned()));
    assert_eq!(answer.header("x-embellished"), ["yes"]);
    let request = upstream.requests().pop().unwrap();
    assert_eq!((request.target.as_str(), &request.body[..]), ("/api/products/1?x=1", &b"{}"[..]));
    assert!(!request.header("x-signature").is_empty());
    node.stop().await;
}

#[tokio::test]
async fn a_handler_for_a_route_that_nobody_declares_waits_for_it() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = Node::built(settings(&upstream), &[manifest("pim", &[("GET", "/api/products")])], |builder| {
        builder.routes(|r| {
            r.service("pim").get("/api/products/{product}").handler(show);
            r.service("crm").layer(from_fn_with_state("crm", mark));
        })
    })
    .await;
    node.get("/api/products/1").await.is_refusal(404, "route_not_found");
    assert_eq!(node.running.gateway().idle_overrides(), ["crm", "pim GET /api/products/{product}"]);
    put(&node.store, &products()).await;
    until("it answers", async || node.get("/api/products/1").await.status == 200).await;
    assert_eq!(node.running.gateway().idle_overrides(), ["crm"]);
    assert_eq!(upstream.count(), 0);
    node.stop().await;
}

#[test]
fn mistakes_in_the_code_are_told_together() {
    let store = MemoryStore::new(Arc::new(SystemClock));
    let built = Gateway::builder(name("gateway"), keyring(), Arc::new(store.clone()), Arc::new(store))
        .services(["pim", "o/ms"])
        .routes(|r| {
            r.service("").prefix("x");
            r.service("pim").prefix("{x}").get("api").handler(show);
            r.service("pim").get("/api/{a}").handler(show);
            r.service("pim").get("/api/{b}").handler(show);
        })
        .build();
    let Err(BuildError::Overrides(errors)) = built else { panic!("{built:?}") };
    let kinds: Vec<_> = errors
        .iter()
        .map(|error| match error {
            OverrideError::Name { name, .. } => format!("name {name:?}"),
            OverrideError::Prefix { prefix, .. } => format!("prefix {prefix}"),
            OverrideError::Uri { uri, .. } => format!("uri {uri}"),
            OverrideError::SecondHandler { uri, .. } => format!("twice {uri}"),
            other => other.to_string(),
        })
        .collect();
    assert_eq!(kinds, ["name \"o/ms\"", "name \"\"", "prefix {x}", "uri api", "twice /api/{b}"]);
}
