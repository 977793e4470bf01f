//! The admin listener.

use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::FakeUpstream;

use crate::support::{Node, manifest_with, name, send, service};

async fn node() -> (Node, FakeUpstream) {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let settings = GatewaySettings {
        configured: vec![service("pim", &[upstream.url()])],
        prefixes: [(name("pim"), "catalog".to_owned())].into(),
        ..GatewaySettings::default()
    };
    let routes = [
        ("GET", "/api/products/{product}", r#","name":"products.show","rate_limit":60"#),
        ("GET", "/api/products/featured", ""),
    ];
    (Node::start(settings, &[manifest_with("pim", &routes)]).await, upstream)
}

#[tokio::test]
async fn routes_are_listed_with_both_uris() {
    let (node, _upstream) = node().await;
    let document = node.admin("/admin/routes").await.json();
    let route = &document["routes"][0];
    assert_eq!(route["service"], "pim");
    assert_eq!(route["method"], "GET");
    assert_eq!(route["uri"], "/api/catalog/products/{product}");
    assert_eq!(route["service_uri"], "/api/products/{product}");
    assert_eq!(route["name"], "products.show");
    assert_eq!(route["metadata"]["rate_limit"], 60);
    node.stop().await;
}

#[tokio::test]
async fn an_explanation_names_the_winner_and_why_others_lost() {
    let (node, upstream) = node().await;
    let document = node.admin("/admin/explain?method=GET&path=/api/catalog/products/featured").await.json();
    assert_eq!(document["matched"]["service_uri"], "/api/products/featured");
    assert_eq!(document["matched"]["service_path"], "/api/products/featured");
    assert_eq!(document["candidates"][0]["uri"], "/api/catalog/products/{product}");
    assert!(document["candidates"][0]["reason"].is_string());
    assert_eq!(document["instances"][0]["url"], upstream.url());
    assert_eq!(document["instances"][0]["status"], "healthy");
    let other = node.admin("/admin/explain?method=GET&path=/api/catalog/products/7").await.json();
    assert_eq!(other["matched"]["parameters"]["product"], "7");
    let none = node.admin("/admin/explain?method=GET&path=/nothing").await.json();
    assert!(none["matched"].is_null());
    node.stop().await;
}

#[tokio::test]
async fn instances_and_health_are_told() {
    let (node, upstream) = node().await;
    let document = node.admin("/admin/instances").await.json();
    assert_eq!(document["services"][0]["url"], upstream.url());
    assert_eq!(document["services"][0]["failures"], 0);
    assert!(document["services"][0]["last_failure"].is_null());
    assert_eq!(document["services"][0]["status"], "healthy");
    let health = node.admin("/microservice/health").await;
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("healthy")));
    assert_eq!(health.json()["store"], "up");
    node.stop().await;
}

#[tokio::test]
async fn figures_are_prometheus_text() {
    let (node, _upstream) = node().await;
    node.get("/api/catalog/products/7").await;
    node.get("/nothing").await;
    let figures = node.admin("/microservice/metrics").await;
    assert!(figures.header("content-type")[0].starts_with("application/openmetrics-text"));
    let text = figures.text();
    let labels = "service=\"pim\",method=\"GET\",route=\"/api/catalog/products/{product}\"";
    for line in [
        format!("mesh_requests_total{{{labels},class=\"2xx\"}} 1"),
        format!("mesh_request_seconds_count{{{labels}}} 1"),
        format!("mesh_request_seconds_bucket{{le=\"+Inf\",{labels}}} 1"),
        format!("mesh_attempts_total{{{labels}}} 1"),
        "mesh_refusals_total{code=\"route_not_found\"} 1".to_owned(),
        "mesh_store_up 1".to_owned(),
        "mesh_ready 1".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} is not in {text}");
    }
    node.stop().await;
}

#[tokio::test]
async fn the_page_for_people_shows_routes_and_instances() {
    let (node, upstream) = node().await;
    let page = node.admin("/").await;
    assert!(page.header("content-type")[0].starts_with("text/html"));
    assert!(page.text().contains("/api/catalog/products/{product}"));
    assert!(page.text().contains(&upstream.url()));
    node.stop().await;
}

#[tokio::test]
async fn what_the_admin_listener_does_not_have_is_refused_in_the_gateway_s_shape() {
    let (node, _upstream) = node().await;
    node.admin("/admin").await.is_refusal(404, "route_not_found");
    for query in ["", "?method=GET", "?path=/x", "?method=GET&method=GET&path=/x", "?method=&path=/x"] {
        node.admin(&format!("/admin/explain{query}")).await.is_refusal(400, "bad_framing");
    }
    let head = "POST /admin/routes HTTP/1.1\r\nHost: admin\r\nConnection: close\r\nContent-Length: 0";
    let answer = send(node.running.admin().unwrap(), head, b"").await;
    answer.is_refusal(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), ["GET, HEAD"]);
    node.stop().await;
}
