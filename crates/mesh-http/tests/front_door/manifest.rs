//! Routes declared once: what is served is what the manifest lists.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
};
use http::{Method, Request};
use mesh_core::{clock::Clock, clock::SystemClock, route::Manifest, signature::Signer};
use mesh_http::manifest::{MANIFEST_PATH, Routes, manifest_endpoint};
use tower::ServiceExt;

use super::support::{Read, SECRET, clock, keyring, verifier};

async fn nothing() {}

async fn ask(app: &Router, method: Method, uri: &str) -> Read {
    let request = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
    Read::of(app.clone().oneshot(request).await.unwrap()).await
}

#[test]
fn a_manifest_lists_what_was_declared_in_its_order() {
    let (_, manifest): (Router, Manifest) = Routes::new("pim")
        .clock(clock())
        .get("/api/products", nothing)
        .name("products.index")
        .meta("permissions", ["products.view"])
        .meta("rate_limit", 60)
        .post("/api/products", nothing)
        .get("/api/products/{product}/prices/{currency?}", nothing)
        .into_parts();
    let expected = concat!(
        r#"{"service":"pim","routes":["#,
        r#"{"method":"GET","uri":"/api/products","name":"products.index","permissions":["products.view"],"rate_limit":60},"#,
        r#"{"method":"POST","uri":"/api/products"},"#,
        r#"{"method":"GET","uri":"/api/products/{product}/prices/{currency?}"}"#,
        r#"],"timestamp":"2026-11-21T00:19:32+00:00"}"#
    );
    let same = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(same(&manifest.to_json()), same(expected));
}

#[tokio::test]
async fn every_method_is_served_where_it_is_declared_and_get_serves_head() {
    let (app, manifest): (Router, _) = Routes::new("pim")
        .get("/x", || async { "GET" })
        .post("/x", || async { "POST" })
        .put("/x", || async { "PUT" })
        .patch("/x", || async { "PATCH" })
        .delete("/x", || async { "DELETE" })
        .options("/x", || async { "OPTIONS" })
        .into_parts();
    assert_eq!(manifest.routes.len(), 6);
    for route in &manifest.routes {
        let read = ask(&app, route.method.clone(), "/x").await;
        assert_eq!((read.status, read.text()), (200, route.method.as_str()));
    }
    assert_eq!(ask(&app, Method::HEAD, "/x").await.status, 200);
    assert_eq!(ask(&app, Method::TRACE, "/x").await.status, 405);
}

#[tokio::test]
async fn a_path_that_a_gateway_matches_is_served() {
    async fn show(Path(parameters): Path<Vec<(String, String)>>) -> String {
        parameters.into_iter().map(|(name, value)| format!("{name}={value};")).collect()
    }
    let (app, manifest): (Router, _) = Routes::new("pim")
        .get("/", show)
        .get("/api/products/{product}", show)
        .get("/api/products/featured", || async { "featured" })
        .get("/api/products/{product}/prices/{currency?}", show)
        .get("/api/Köln/:all", show)
        .into_parts();
    for (path, expected) in [
        ("/", ""),
        ("/api/products/7", "product=7;"),
        ("/api/products/7/", "product=7;"),
        ("/api/products/featured", "featured"),
        ("/api/products/featured/", "featured"),
        ("/api/products/7/prices", "product=7;"),
        ("/api/products/7/prices/", "product=7;"),
        ("/api/products/7/prices/EUR", "product=7;currency=EUR;"),
        ("/api/products/7/prices/EUR/", "product=7;currency=EUR;"),
        ("/api/products/a%20b", "product=a b;"),
        ("/api/K%C3%B6ln/:all", ""),
    ] {
        assert!(manifest.routes.iter().any(|route| route.uri.matches(path)), "{path}");
        let read = ask(&app, Method::GET, path).await;
        assert_eq!((read.status, read.text()), (200, expected), "{path}");
    }
}

#[tokio::test]
async fn a_prefix_filters_what_is_registered_and_never_what_is_served() {
    for prefix in ["api", "/api", "/api/"] {
        let (app, manifest): (Router, _) = Routes::new("pim")
            .prefix(prefix)
            .get("/api", nothing)
            .get("/api/x", nothing)
            .get("/apix", nothing)
            .get("/internal", nothing)
            .into_parts();
        let uris: Vec<&str> = manifest.routes.iter().map(|route| route.uri.as_str()).collect();
        assert_eq!(uris, ["/api", "/api/x"], "{prefix}");
        for path in ["/api", "/api/x", "/apix", "/internal"] {
            assert_eq!(ask(&app, Method::GET, path).await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn handlers_may_have_a_state() {
    let routes = Routes::new("pim").get("/x", |State(text): State<Arc<str>>| async move { text.to_string() });
    let (app, _) = routes.with_state::<()>(Arc::from("state")).into_parts();
    assert_eq!(ask(&app, Method::GET, "/x").await.text(), "state");
}

#[test]
fn package_only_metadata_is_dropped() {
    let (_, manifest): (Router, _) =
        Routes::new("pim").get("/x", nothing).meta("middleware", ["auth"]).meta("timeout", 3).into_parts();
    let keys: Vec<&str> = manifest.routes[0].metadata.keys().map(String::as_str).collect();
    assert_eq!(keys, ["timeout"]);
}

#[track_caller]
fn refused(routes: Routes, expected: &[&str]) {
    let errors = routes.try_into_parts().unwrap_err();
    assert_eq!(errors.to_string().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn every_mistake_of_a_declaration_is_told_at_once() {
    refused(
        Routes::new("a/b")
            .name("too.early")
            .get("x", nothing)
            .name("swallowed.by.the.mistake.before")
            .get("/feeds/{x}.json", nothing)
            .get("/y", nothing)
            .meta("uri", "/z"),
        &[
            r#"the service's name "a/b": a service name holds a control character, a blank, '/', '{' or '}'"#,
            r#""too.early" is said before any route"#,
            "GET x: a route's URI begins with '/'",
            "GET /feeds/{x}.json: axum serves no segment that mixes text and parameters",
            r#"GET /y: "uri" is no metadata key"#,
        ],
    );
    refused(
        Routes::new("pim").get("/x", nothing).meta("_service", "oms"),
        &[r#"route 0 has the reserved metadata key "_service""#],
    );
}

#[test]
fn two_routes_for_the_same_requests_are_a_mistake() {
    refused(
        Routes::new("pim").get("/a/{x}", nothing).get("/a/{x}", nothing).get("/a/{x}/", nothing),
        &["GET /a/{x}: /a/{x} has the same requests", "GET /a/{x}/: /a/{x} has the same requests"],
    );
    refused(
        Routes::new("pim").get("/a/{x?}", nothing).get("/a", nothing).get("/a/{y}", nothing),
        &["GET /a: /a/{x?} has the same requests", "GET /a/{y}: /a/{x?} has the same requests"],
    );
    refused(
        Routes::new("pim").get("/a/{x}", nothing).post("/a/{y}", nothing),
        &["POST /a/{y}: /a/{x} names the same parameters differently"],
    );
}

#[test]
fn routes_that_share_a_position_with_other_names_live_together() {
    let (_, manifest): (Router, _) = Routes::new("pim")
        .get("/a/{x}", nothing)
        .get("/a/{y}/b", nothing)
        .get("/a/{z}/b/{x}/{y?}", nothing)
        .get("/a/b/c", nothing)
        .get("/{a}/b/{c}", nothing)
        .post("/a/{x}", nothing)
        .try_into_parts()
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(manifest.routes.len(), 6);
}

#[test]
#[should_panic(expected = "GET x: a route's URI begins with '/'")]
fn a_service_with_a_mistake_in_its_declaration_does_not_start() {
    let _ = Routes::<()>::new("pim").get("x", nothing).into_parts();
}

#[tokio::test]
async fn the_manifest_is_told_to_whoever_holds_the_secret_with_the_moment_of_the_answer() {
    let (router, mut manifest) = Routes::new("pim").get("/x", nothing).into_parts();
    manifest.timestamp = "2001-01-01T00:00:00+00:00".to_owned();
    let app: Router = router.merge(manifest_endpoint(manifest.clone(), verifier()));
    assert_eq!(ask(&app, Method::GET, MANIFEST_PATH).await.status, 401);

    let seconds = SystemClock.unix().seconds();
    let signature = Signer::new(&keyring(SECRET)).sign("GET", MANIFEST_PATH, seconds, b"");
    let request = Request::builder()
        .uri(MANIFEST_PATH)
        .header("X-Timestamp", seconds)
        .header("X-Signature", signature.as_str())
        .body(Body::empty())
        .unwrap();
    let read = Read::of(app.oneshot(request).await.unwrap()).await;
    assert_eq!((read.status, read.header("content-type")), (200, Some("application/json")));
    let told = Manifest::parse(&read.body).unwrap();
    assert_eq!(told.routes, manifest.routes);
    assert!(told.timestamp.as_str() > "2026", "{}", told.timestamp);
}
