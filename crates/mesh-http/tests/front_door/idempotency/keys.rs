//! Which requests are the same one: keys, callers, services, fingerprints.

use axum::{Router, body::Body, response::IntoResponse, routing::post as on_post};
use http::{HeaderValue, Request};
use mesh_core::{name::ServiceName, store::IdempotencyStore};
use mesh_http::{Idempotency, TrustService};

use super::{Counted, ask, caller, check_refused, is_hit, keyed, layer, memory, post};
use crate::support::{SECRET, clock, signed_with, verifier};

#[tokio::test]
async fn safe_methods_and_requests_without_a_key_run_as_often_as_they_come() {
    let service = Counted::new(layer());
    for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
        for _ in 0..2 {
            assert_eq!(service.ask(keyed(method, "/", "k", "")).await.status, 201, "{method}");
        }
    }
    for _ in 0..2 {
        let bare = Request::builder().method("POST").uri("/").body(Body::empty()).unwrap();
        assert_eq!(service.ask(bare).await.status, 201);
    }
    assert_eq!(service.runs(), 10);
}

#[tokio::test]
async fn every_unsafe_method_runs_once_per_key() {
    for (done, method) in ["POST", "PUT", "PATCH", "DELETE"].into_iter().enumerate() {
        let service = Counted::new(layer());
        for _ in 0..3 {
            assert_eq!(service.ask(keyed(method, "/", "k", "")).await.status, 201, "{method} {done}");
        }
        assert_eq!(service.runs(), 1, "{method}");
    }
}

#[tokio::test]
async fn the_explicit_key_wins_over_the_request_id() {
    let service = Counted::new(layer());
    let ask = |key: Option<&'static str>, id: &'static str| {
        let mut request = Request::builder().method("POST").uri("/").header("X-Request-Id", id);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        service.ask(request.body(Body::empty()).unwrap())
    };
    assert!(!is_hit(&ask(None, "one").await));
    assert!(is_hit(&ask(None, "one").await));
    assert!(!is_hit(&ask(Some("key"), "one").await));
    assert!(is_hit(&ask(Some("key"), "two").await));
    assert!(is_hit(&ask(Some("one"), "three").await), "both headers name the same key");
}

#[tokio::test]
async fn the_same_key_with_another_method_path_query_or_body_is_refused() {
    let service = Counted::new(layer());
    assert_eq!(service.ask(keyed("POST", "/orders?a=1", "k", "body")).await.status, 201);
    for (method, uri, body) in [
        ("PUT", "/orders?a=1", "body"),
        ("POST", "/order?a=1", "body"),
        ("POST", "/orders?a=2", "body"),
        ("POST", "/orders", "body"),
        ("POST", "/orders?a=1", "bodY"),
        ("POST", "/orders?a=1", ""),
    ] {
        let read = service.ask(keyed(method, uri, "k", body)).await;
        check_refused(&read, 422, "idempotency.key_reused");
        assert!(read.text().starts_with(r#"{"message":"#));
    }
    assert!(is_hit(&service.ask(keyed("POST", "/orders?a=1", "k", "body")).await));
    assert_eq!(service.runs(), 1);
}

#[tokio::test]
async fn another_caller_or_another_service_is_independent() {
    let store = memory();
    let named =
        |service: &str| Idempotency::layer(store.clone()).service(ServiceName::parse(service).unwrap());
    let (stock, billing) = (Counted::new(named("stock")), Counted::new(named("billing")));
    assert!(!is_hit(&stock.ask(post("k")).await));
    assert!(!is_hit(&billing.ask(post("k")).await), "another service");
    let as_catalog = || async { ask(&stock.app.clone().layer(caller("ignored")), post("k")).await };
    assert!(is_hit(&as_catalog().await), "the caller next to the layer counts");

    let handler = on_post(|| async { "ran" });
    let other = Router::new().route("/orders", handler).layer(named("stock")).layer(caller("catalog"));
    assert!(!is_hit(&ask(&other, post("k")).await), "another caller");
    assert!(is_hit(&ask(&other, post("k")).await));
    assert_eq!((stock.runs(), billing.runs()), (1, 1));
}

#[tokio::test]
async fn a_layer_that_requires_a_key_refuses_requests_without_one() {
    let service = Counted::new(layer().required());
    let bare = Request::builder().method("POST").uri("/").body(Body::empty()).unwrap();
    check_refused(&service.ask(bare).await, 400, "idempotency.key_missing");
    assert_eq!(service.runs(), 0);
    assert_eq!(service.ask(post("k")).await.status, 201);
    let safe = Request::builder().uri("/").body(Body::empty()).unwrap();
    assert_eq!(service.ask(safe).await.status, 201);
}

#[tokio::test]
async fn a_key_that_is_empty_too_long_doubled_or_binary_is_malformed() {
    let service = Counted::new(layer());
    let long = "x".repeat(256);
    for keys in [vec![b"".as_slice()], vec![long.as_bytes()], vec![b"a", b"b"], vec![b"a\tb"], vec![b"\xff"]]
    {
        let mut request = post("k");
        request.headers_mut().remove("idempotency-key");
        for key in &keys {
            request.headers_mut().append("idempotency-key", HeaderValue::from_bytes(key).unwrap());
        }
        check_refused(&service.ask(request).await, 400, "idempotency.key_malformed");
    }
    assert_eq!(service.runs(), 0);
}

#[tokio::test]
async fn a_key_is_ordinary_whatever_it_means_to_a_store() {
    let service = Counted::new(layer());
    let accented = "é".repeat(255);
    let keys = ["foo", "foo:lock", "*", "{x}", &accented];
    for key in keys {
        for hit in [false, true] {
            let mut request = post("k");
            let value = HeaderValue::from_bytes(key.as_bytes()).unwrap();
            request.headers_mut().insert("idempotency-key", value);
            assert_eq!(is_hit(&service.ask(request).await), hit, "{key}");
        }
    }
    assert_eq!(service.runs(), keys.len());
}

#[tokio::test]
async fn without_a_verified_caller_nothing_runs_unless_the_layer_is_anonymous() {
    let handler = || on_post(|| async { "ran" });
    let strict = Router::new().route("/orders", handler()).layer(layer());
    let read = ask(&strict, post("k")).await;
    check_refused(&read, 500, "idempotency.no_caller");
    let open = Router::new().route("/orders", handler()).layer(layer().anonymous());
    assert_eq!(ask(&open, post("k")).await.text(), "ran");
    assert!(is_hit(&ask(&open, post("k")).await));
}

#[tokio::test]
async fn behind_the_door_of_a_nested_router_the_sent_target_is_what_counts() {
    let clock = clock();
    let store: std::sync::Arc<dyn IdempotencyStore> = memory();
    let inner = Router::new()
        .route("/orders", on_post(|| async { "ran" }))
        .layer(Idempotency::layer(store))
        .layer(TrustService::layer(verifier()).clock(clock.clone()));
    let app = Router::new().nest("/v1", inner.clone()).nest("/v2", inner);
    let request = |target: &str| {
        signed_with(SECRET, &clock, "POST", target, "x")
            .header("Idempotency-Key", "k")
            .body(Body::from("x"))
            .unwrap()
    };
    assert_eq!(ask(&app, request("/v1/orders")).await.text(), "ran");
    assert!(is_hit(&ask(&app, request("/v1/orders")).await));
    check_refused(&ask(&app, request("/v2/orders")).await, 422, "idempotency.key_reused");
}

#[tokio::test]
async fn a_request_beyond_the_limit_is_refused_before_it_claims_anything() {
    let service = Counted::new(layer().body_limit(3));
    check_refused(&service.ask(post("k")).await, 413, "body_too_large");
    assert_eq!(service.ask(keyed("POST", "/orders?a=1", "k", "bod")).await.status, 201);
}

#[tokio::test]
async fn two_users_whose_credentials_one_caller_passes_on_never_share_an_answer() {
    let service = Counted::answering(layer(), |run, _| run.to_string().into_response());
    let users: [&[(&str, &str)]; 6] = [
        &[],
        &[("authorization", "Bearer alice")],
        &[("authorization", "Bearer bob")],
        &[("cookie", "session=alice")],
        &[("cookie", "session=bob")],
        &[("authorization", "Bearer alice"), ("cookie", "session=alice")],
    ];
    for replayed in [false, true] {
        for (number, headers) in users.iter().enumerate() {
            let mut request = post("k");
            for (name, value) in *headers {
                request.headers_mut().append(*name, HeaderValue::from_static(value));
            }
            let answer = service.ask(request).await;
            assert_eq!(
                (answer.text(), is_hit(&answer)),
                (&*(number + 1).to_string(), replayed),
                "{headers:?}"
            );
        }
    }
    assert_eq!(service.runs(), users.len());
}
