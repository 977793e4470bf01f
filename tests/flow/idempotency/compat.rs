//! A PHP service and ours share keys, locks and entries; its side is played with exactly its commands (tests/vectors/redis.json).

use mesh_testkit::redis::Reply;
use serde_json::{Value, json};

use super::stage::{Service, Stage, check_in_flight, is_hit};
use crate::wire::{self, Answer};

const KEY: &str = "microservice:idempotency:order-7";
const LOCK: &str = "microservice:idempotency:order-7:lock";

fn scene() -> (Stage, Service) {
    let stage = Stage::new();
    let service = stage.service("ours", 10_000, "compat");
    (stage, service)
}

/// Nobody signs: the package's middleware knows no callers.
#[track_caller]
fn send(service: &Service, method: &str, target: &str, more: &str, body: &[u8]) -> Answer {
    wire::request(&service.address, &format!("{method} {target} HTTP/1.1{more}"), body).expect("an answer")
}

#[track_caller]
fn post(service: &Service, target: &str, body: &[u8]) -> Answer {
    send(service, "POST", target, "\r\nX-Request-Id: order-7", body)
}

fn millis_left(stage: &Stage, key: &str) -> i64 {
    stage.redis.command(&["PTTL", key]).integer().expect("a number")
}

#[test]
fn compat_keys_are_those_of_the_package() {
    let vectors: Value = serde_json::from_str(include_str!("../../vectors/redis.json")).expect("JSON");
    let text = |name: &str| vectors[name].as_str().expect("a text").replace("{X-Request-Id}", "order-7");
    assert_eq!(text("idempotency_key"), KEY);
    assert_eq!(text("idempotency_lock"), format!("SET {LOCK} processing EX lock_timeout NX"));
}

#[test]
fn compat_replays_what_a_php_process_stored_to_any_request_with_the_id() {
    let (stage, service) = scene();
    let vectors: Value = serde_json::from_str(include_str!("../../vectors/redis.json")).expect("JSON");
    let entry = vectors["idempotency_value_example"].as_str().expect("a text");
    stage.redis.command(&["SETEX", KEY, "60", entry]);
    let requests = [("POST", "/api/work", &b"x"[..]), ("DELETE", "/api/work?other=1", b"other")];
    for (method, target, body) in requests {
        let replay = send(&service, method, target, "\r\nX-Request-Id: order-7", body);
        assert_eq!((replay.status, is_hit(&replay)), (201, true));
        assert_eq!(replay.values("cache-control"), ["no-cache, private"]);
        assert_eq!(replay.values("content-type"), ["application/json"]);
        assert_eq!(replay.body, b"...");
    }
    stage.redis.command(&["SETEX", KEY, "60", r#"{"status":204,"headers":[],"content":""}"#]);
    assert_eq!(post(&service, "/api/work", b"x").status, 204, "PHP writes an empty map as a list");
    assert!(stage.runs("order-7").is_empty());
}

#[test]
fn compat_stores_what_a_php_process_reads() {
    let (stage, service) = scene();
    let answer = post(&service, "/api/answer/headers", b"x");
    assert_eq!((answer.status, is_hit(&answer)), (202, false));
    let entry: Value = serde_json::from_str(&stage.value(KEY).expect("an entry")).expect("JSON");
    let headers = json!({"content-type": ["application/json"], "x-kept": ["Köln"]});
    let mut kept = entry["headers"].clone();
    kept.as_object_mut().expect("an object").remove("content-length");
    assert_eq!(kept, headers);
    assert_eq!((&entry["status"], &entry["content"]), (&json!(202), &json!("{\"städt\":\"/\"}")));
    assert_eq!(entry.as_object().map(serde_json::Map::len), Some(3), "nothing but the package's: {entry}");
    assert!((1..=60_000).contains(&millis_left(&stage, KEY)));
    assert_eq!(stage.value(LOCK), None);
    assert!(is_hit(&post(&service, "/api/work", b"another request")), "no fingerprint");
    assert_eq!(stage.runs("order-7"), ["ours"]);
}

#[test]
fn compat_and_a_php_process_respect_each_others_lock() {
    let (stage, service) = scene();
    let take = ["SET", LOCK, "processing", "EX", "10", "NX"];
    assert_eq!(stage.redis.command(&take), Reply::Status("OK".to_owned()));
    check_in_flight(&post(&service, "/api/work", b"x"));
    stage.redis.command(&["DEL", LOCK]);

    let running = service.posting("/api/hold", "order-7");
    stage.wait_for_runs("order-7", 1);
    assert_eq!(stage.value(LOCK).as_deref(), Some("processing"));
    assert!((1..=10_000).contains(&millis_left(&stage, LOCK)));
    assert_eq!(stage.redis.command(&take), Reply::Nil, "PHP is turned away");
    stage.let_go("ours");
    assert_eq!(running.join().expect("an answer").status, 201);
    assert_eq!(stage.runs("order-7"), ["ours"]);
}

#[test]
fn compat_stores_no_failure_and_passes_what_has_no_request_id() {
    let (stage, service) = scene();
    assert_eq!(post(&service, "/api/answer/failing", b"x").status, 500);
    assert_eq!((stage.value(KEY), stage.value(LOCK)), (None, None));
    for more in ["", "\r\nX-Request-Id:", "\r\nIdempotency-Key: order-8"] {
        let answer = send(&service, "POST", "/api/work", more, b"x");
        assert_eq!((answer.status, is_hit(&answer)), (201, false));
    }
    assert_eq!(stage.redis.command(&["DBSIZE"]), Reply::Integer(0));
}

#[test]
fn compat_answers_500_to_a_broken_cache_state_and_never_runs() {
    let (stage, service) = scene();
    for broken in
        ["", "processing", "null", "{\"status\":201}", "{\"status\":201,\"headers\":{},\"content\":false}"]
    {
        stage.redis.command(&["SET", KEY, broken]);
        let answer = post(&service, "/api/work", b"x");
        assert_eq!((answer.status, answer.json()["message"].clone()), (500, json!("Invalid cache state")));
    }
    assert!(stage.runs("order-7").is_empty());
}

#[test]
fn compat_writes_a_body_that_the_package_cannot_store_so_that_nobody_takes_it_for_another() {
    let (stage, service) = scene();
    let ran = post(&service, "/api/answer/binary", b"x");
    let entry: Value = serde_json::from_str(&stage.value(KEY).expect("an entry")).expect("JSON");
    assert!(entry.get("content").is_none(), "{entry}");
    let replay = post(&service, "/api/answer/binary", b"x");
    assert_eq!((is_hit(&replay), &replay.body), (true, &ran.body));
}
