//! A proxy of the embedding code for all routes, the filter by service, prefixes.

use axum::{
    body::Body,
    extract::Request,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode};
use mesh_core::route::PrefixStyle;
use mesh_gateway::{DefaultProxy, GatewaySettings, Proxy, RouteMeta};
use mesh_testkit::upstream::FakeUpstream;

use crate::{
    layers::mark,
    support::{Node, keyring, manifest, manifest_with, name, put, service, until},
};

fn settings(upstream: &FakeUpstream) -> GatewaySettings {
    GatewaySettings {
        configured: vec![service("oms", &[upstream.url()]), service("pim", &[upstream.url()])],
        ..GatewaySettings::default()
    }
}

fn shop() -> Vec<String> {
    vec![
        manifest("oms", &[("GET", "/api/orders"), ("POST", "/api/orders")]),
        manifest_with("pim", &[("GET", "/api/products", r#","closed":true"#), ("GET", "/api/stock", "")]),
    ]
}

/// Closes what the manifest closes, and says on every answer that it was there.
struct Turnstile;

impl Proxy for Turnstile {
    async fn forward(&self, request: Request, default: DefaultProxy) -> Response {
        let is_closed = request
            .extensions()
            .get::<RouteMeta>()
            .is_none_or(|meta| meta.metadata().get("closed") == Some(&true.into()));
        let mut response =
            if is_closed { StatusCode::GONE.into_response() } else { default.forward(request).await };
        response.headers_mut().insert("x-turnstile", HeaderValue::from_static("passed"));
        response
    }
}

#[tokio::test]
async fn a_replaced_proxy_takes_the_requests_of_all_routes_and_may_delegate() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = Node::built(settings(&upstream), &shop(), |builder| {
        builder.proxy(Turnstile).routes(|r| {
            r.service("pim").layer(from_fn_with_state("layer", mark));
            r.service("pim").get("/api/stock").handler(async || "by hand");
        })
    })
    .await;
    assert_eq!(node.get("/api/products").await.status, 410);
    assert_eq!(upstream.count(), 0);
    let orders = node.post("/api/orders?x=1", "", b"{}").await;
    assert_eq!((orders.status, orders.header("x-turnstile")), (200, vec!["passed"]));
    let request = upstream.requests().pop().unwrap();
    assert_eq!((request.target.as_str(), &request.body[..]), ("/api/orders?x=1", &b"{}"[..]));
    let by_hand = node.get("/api/stock").await;
    assert_eq!((by_hand.text(), by_hand.header("x-turnstile").len()), ("by hand".to_owned(), 0));
    node.get("/nothing").await.is_refusal(404, "route_not_found");
    node.stop().await;
}

#[tokio::test]
async fn an_async_function_is_a_proxy() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = Node::built(settings(&upstream), &shop(), |builder| {
        builder.proxy(async |_: Request, _: DefaultProxy| Response::new(Body::from("mine")))
    })
    .await;
    assert_eq!(node.get("/api/products").await.text(), "mine");
    node.stop().await;
}

#[tokio::test]
async fn a_refusal_of_the_default_proxy_is_an_answer_behind_layers_too() {
    let settings = GatewaySettings {
        configured: vec![service("oms", &["http://127.0.0.1:1".to_owned()])],
        ..GatewaySettings::default()
    };
    let node = Node::built(settings, &shop(), |builder| builder.proxy(Turnstile)).await;
    let refused = node.get("/api/orders").await;
    refused.is_refusal(502, "upstream_unreachable");
    assert_eq!(refused.header("x-turnstile"), ["passed"]);
    let figures = node.admin("/microservice/metrics").await.text();
    assert!(figures.contains(r#"mesh_refusals_total{code="upstream_unreachable"} 1"#), "{figures}");
    let line = r#"mesh_requests_total{service="oms",method="GET",route="/api/orders",class="5xx"} 1"#;
    assert!(figures.contains(line), "{figures}");
    node.stop().await;
}

#[tokio::test]
async fn only_the_services_named_in_the_code_are_served() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let settings = GatewaySettings { services: Some([name("pim")].into()), ..settings(&upstream) };
    let node = Node::built(settings.clone(), &shop(), |builder| builder.services(["oms"])).await;
    assert_eq!(node.get("/api/orders").await.status, 200);
    node.get("/api/products").await.is_refusal(404, "route_not_found");
    let changed = GatewaySettings { body_limit: 1, ..settings };
    node.running.gateway().reload(changed, keyring()).await.unwrap();
    until("the settings apply", async || node.post("/api/orders", "", b"ok").await.status == 413).await;
    assert_eq!(node.get("/api/orders").await.status, 200);
    node.get("/api/products").await.is_refusal(404, "route_not_found");
    node.stop().await;
}

#[tokio::test]
async fn a_prefix_in_the_code_wins_over_the_settings_in_both_styles() {
    for (prefix_style, products, more) in [
        (PrefixStyle::AfterFirst, "/api/catalog/products", "/api/catalog/more"),
        (PrefixStyle::Front, "/catalog/api/products", "/catalog/api/more"),
    ] {
        let upstream = FakeUpstream::scripted([]).await.unwrap();
        let prefixes = [(name("pim"), "settings".to_owned()), (name("oms"), "orders".to_owned())].into();
        let settings = GatewaySettings { prefixes, prefix_style, ..settings(&upstream) };
        let node = Node::built(settings, &shop(), |builder| {
            builder.routes(|r| {
                r.service("pim").prefix("catalog").layer(from_fn_with_state("pim", mark));
                r.service("oms").prefix("");
            })
        })
        .await;
        assert_eq!(node.get(products).await.status, 200);
        let request = upstream.requests().pop().unwrap();
        assert_eq!((request.target.as_str(), request.header("trail")), ("/api/products", vec![&b"pim"[..]]));
        assert_eq!(request.header("x-forwarded-prefix"), [b"/catalog"]);
        node.get("/api/products").await.is_refusal(404, "route_not_found");
        assert_eq!(node.get("/api/orders").await.status, 200, "an empty prefix is none");
        put(&node.store, &manifest("pim", &[("GET", "/api/more")])).await;
        until("a new manifest has it too", async || node.get(more).await.status == 200).await;
        node.stop().await;
    }
}
