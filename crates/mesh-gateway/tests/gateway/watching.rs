//! The admin listener.

use std::{collections::BTreeSet, time::Duration};

use mesh_core::retry::{RetryMethods, RetryPolicy};
use mesh_gateway::GatewaySettings;
use mesh_testkit::upstream::{Canned, FakeUpstream};

use crate::support::{Node, manifest, manifest_with, name, send, service};

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
        format!("mesh_request_duration_seconds_count{{{labels}}} 1"),
        format!("mesh_request_duration_seconds_bucket{{le=\"+Inf\",{labels}}} 1"),
        format!("mesh_attempts_total{{{labels}}} 1"),
        "mesh_refusals_total{code=\"route_not_found\"} 1".to_owned(),
        "mesh_store_up 1".to_owned(),
        "mesh_ready 1".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} is not in {text}");
    }
    node.stop().await;
}

/// The families of a scrape: name as Prometheus stores it without `_bucket`, `_sum`, `_count`, and type.
fn families(text: &str) -> BTreeSet<(String, String)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let families = lines.map(|line| line.split_once(' ').unwrap());
    families
        .map(|(name, kind)| {
            let suffix = if kind == "counter" { "_total" } else { "" };
            (format!("{name}{suffix}"), kind.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn every_family_is_documented_and_no_other() {
    let (node, _upstream) = node().await;
    let exported = families(&node.admin("/microservice/metrics").await.text());
    let documented: BTreeSet<_> = include_str!("../../../../docs/metrics.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `mesh_"))
        .map(|row| {
            let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`'));
            (format!("mesh_{}", cells.next().unwrap()), cells.next().unwrap().to_owned())
        })
        .collect();
    assert!(exported.len() > 20);
    assert_eq!(exported, documented);
    node.stop().await;
}

#[tokio::test]
async fn what_happens_to_instances_and_connections_is_counted() {
    let failing = FakeUpstream::answering(|_| Canned::status(503)).await.unwrap();
    let good = FakeUpstream::answering(|_| Canned::json("{}")).await.unwrap();
    let settings = GatewaySettings {
        configured: vec![service("oms", &[failing.url()]), service("pim", &[good.url()])],
        retry: RetryPolicy::try_new(1, Duration::ZERO, RetryMethods::Idempotent).unwrap(),
        ..GatewaySettings::default()
    };
    let manifests = [manifest("oms", &[("GET", "/api/o")]), manifest("pim", &[("POST", "/api/p")])];
    let node = Node::start(settings, &manifests).await;
    assert_eq!(node.get("/api/o").await.status, 503);
    for _ in 0..2 {
        assert_eq!(node.post("/api/p", "", b"12345").await.status, 200);
    }
    let text = node.admin("/microservice/metrics").await.text();
    let (bad_url, good_origin) = (failing.url(), good.url());
    for line in [
        "mesh_attempts_total{service=\"oms\",method=\"GET\",route=\"/api/o\"} 2".to_owned(),
        "mesh_retries_total{service=\"oms\",method=\"GET\",route=\"/api/o\"} 1".to_owned(),
        "mesh_failovers_total{service=\"oms\",method=\"GET\",route=\"/api/o\"} 0".to_owned(),
        "mesh_request_body_bytes_total{service=\"pim\",method=\"POST\",route=\"/api/p\"} 10".to_owned(),
        format!("mesh_instance_failures_total{{service=\"oms\",url=\"{bad_url}\",kind=\"status\"}} 2"),
        format!("mesh_instance_outstanding{{service=\"oms\",url=\"{bad_url}\"}} 0"),
        "mesh_manifests 2".to_owned(),
        format!("mesh_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(text.contains(&line), "{line} is not in {text}");
    }
    let opened = format!("mesh_pool_opened_total{{origin=\"{}\"}} ", good_origin);
    assert!(text.contains(&opened), "{opened} is not in {text}");
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
