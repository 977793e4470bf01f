//! `compat`: the PHP package's key and nothing else tells requests apart (docs/wire.md, I11).

use axum::{Router, body::Body, routing::post as on_post};
use http::{Request, StatusCode};

use super::{Counted, ask, check_refused, is_hit, layer, memory};
use mesh_http::Idempotency;

fn with_id(method: &str, uri: &str, id: &str) -> Request<Body> {
    Request::builder().method(method).uri(uri).header("X-Request-Id", id).body(Body::from("x")).unwrap()
}

#[tokio::test]
async fn compat_answers_every_request_with_the_id_alike() {
    let service = Counted::new(layer().compat());
    assert!(!is_hit(&service.ask(with_id("POST", "/orders", "id")).await));
    for (method, uri) in [("POST", "/orders"), ("PUT", "/orders"), ("POST", "/other?a=1")] {
        let replay = service.ask(with_id(method, uri, "id")).await;
        assert_eq!((replay.status, is_hit(&replay), replay.text()), (201, true, "x"), "{method} {uri}");
    }
    assert!(!is_hit(&service.ask(with_id("POST", "/orders", "another")).await));
    assert_eq!(service.runs(), 2);
}

#[tokio::test]
async fn compat_reads_the_request_id_alone_and_passes_an_empty_one() {
    let service = Counted::new(layer().compat());
    for _ in 0..2 {
        let keyed = Request::builder().method("POST").uri("/").header("Idempotency-Key", "k");
        assert_eq!(service.ask(keyed.body(Body::empty()).unwrap()).await.status, 201);
        assert_eq!(service.ask(with_id("POST", "/", "")).await.status, 201);
        assert_eq!(service.ask(with_id("GET", "/", "id")).await.status, 201);
    }
    assert_eq!(service.runs(), 6);
    check_refused(
        &service.ask(with_id("POST", "/", &"x".repeat(256))).await,
        400,
        "idempotency.key_malformed",
    );
}

#[tokio::test]
async fn compat_needs_no_verified_caller_and_shares_no_key_with_others() {
    let store = memory();
    let app = |layer| Router::new().route("/", on_post(async || StatusCode::CREATED)).layer(layer);
    let compat = app(Idempotency::layer(store.clone()).compat());
    assert!(!is_hit(&ask(&compat, with_id("POST", "/", "id")).await));
    assert!(is_hit(&ask(&compat, with_id("POST", "/", "id")).await));
    let anonymous = app(Idempotency::layer(store).anonymous());
    assert!(!is_hit(&ask(&anonymous, with_id("POST", "/", "id")).await));
}
