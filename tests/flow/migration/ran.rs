//! What PHP ran is not run again by us, nor the other way round: `compat`, on the package's own commands.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use axum::{Router, http::StatusCode, routing::post};
use mesh_core::signature::Keyring;
use mesh_http::Idempotency;
use mesh_redis::RedisStore;
use serde_json::{Value, json};

use super::{RustService, secret, sharing::PREFIX};
use crate::{
    house::SECRET,
    php::{self, Peer},
    store::Store,
};

/// The status and the body of a `POST` by PHP with this id.
fn ask(php: &mut Peer, service: &RustService, id: &str) -> (u64, Value) {
    let request = ("POST", "/api/orders", &b"{}"[..]);
    let header = format!("X-Request-Id: {id}");
    let (status, body) = php.call_with(&[&header], "crm", SECRET, &service.url(), request);
    (status, serde_json::from_str(&body).expect("json"))
}

#[test]
fn a_php_service_and_ours_share_what_ran() {
    let server = Store::start();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let run = async move || {
        let run = counted.fetch_add(1, Ordering::SeqCst) + 1;
        (StatusCode::CREATED, [("content-type", "application/json")], format!("{{\"run\":{run}}}"))
    };
    let store = RedisStore::connect(&server.url(), PREFIX).expect("a store");
    let app =
        Router::new().route("/api/orders", post(run)).layer(Idempotency::layer(Arc::new(store)).compat());
    let service = RustService::of(app, Keyring::new(secret(SECRET)));
    let mut php = Peer::start();
    let redis = |php: &mut Peer, words: &[&str]| {
        php.ask(json!({ "do": "redis", "redis": php::redis(&server.url()), "words": words }))
    };
    let key = |id: &str| format!("{PREFIX}idempotency:{id}");

    assert_eq!(
        redis(&mut php, &["SET", &format!("{}:lock", key("a")), "processing", "EX", "60", "NX"]),
        "OK"
    );
    let busy = json!({ "message": "Request is already being processed.", "code": "idempotency.in_flight" });
    assert_eq!(ask(&mut php, &service, "a"), (409, busy));
    let entry =
        r#"{"status":202,"headers":{"content-type":["application\/json"]},"content":"{\"by\":\"php\"}"}"#;
    redis(&mut php, &["SETEX", &key("a"), "60", entry]);
    redis(&mut php, &["DEL", &format!("{}:lock", key("a"))]);
    assert_eq!(ask(&mut php, &service, "a"), (202, json!({ "by": "php" })));
    assert_eq!(runs.load(Ordering::SeqCst), 0);

    assert_eq!(ask(&mut php, &service, "b"), (201, json!({ "run": 1 })));
    let kept = redis(&mut php, &["GET", &key("b")]);
    let kept: Value = serde_json::from_str(kept.as_str().expect("an entry")).expect("json");
    let expected = json!([201, ["application/json"], "{\"run\":1}"]);
    assert_eq!(json!([kept["status"], kept["headers"]["content-type"], kept["content"]]), expected);
    assert_eq!(redis(&mut php, &["GET", &format!("{}:lock", key("b"))]), Value::Null, "the lock is free");
    assert_eq!(ask(&mut php, &service, "b"), (201, json!({ "run": 1 })));
}
