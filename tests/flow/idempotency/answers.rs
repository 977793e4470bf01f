//! What one process answered, another repeats from Redis.

use super::stage::{LOCK, Service, Stage, is_hit, signed};
use crate::wire;

fn pair() -> (Stage, [Service; 2]) {
    let stage = Stage::new();
    let services = ["first", "second"].map(|name| stage.service(name, LOCK, "trusted"));
    (stage, services)
}

#[test]
fn another_process_repeats_an_answer_as_it_was() {
    let (stage, [first, second]) = pair();
    for (kind, length) in [("binary", 256), ("empty", 0), ("largest", 256 << 10), ("headers", 14)] {
        let target = format!("/api/answer/{kind}");
        let ran = first.post(&target, kind, b"x");
        assert!(
            (200..300).contains(&ran.status) && ran.body.len() == length && !is_hit(&ran),
            "{kind}: {ran:?}"
        );
        let replay = second.post(&target, kind, b"x");
        assert!(is_hit(&replay), "{kind}");
        assert_eq!((replay.status, &replay.body), (ran.status, &ran.body), "{kind}");
        assert_eq!(replay.values("content-type"), ran.values("content-type"), "{kind}");
        assert_eq!(stage.runs(kind), ["first"]);
    }
}

#[test]
fn date_cookies_and_credentials_of_an_answer_are_not_repeated() {
    let (_stage, [first, second]) = pair();
    let ran = first.post("/api/answer/headers", "k", b"x");
    assert_eq!(ran.values("set-cookie"), ["session=1"], "the first answer is delivered whole");
    assert_eq!(ran.values("authorization"), ["Bearer x"]);
    let replay = second.post("/api/answer/headers", "k", b"x");
    assert!(is_hit(&replay));
    assert_eq!(replay.values("x-kept"), ["Köln"]);
    assert!(replay.values("set-cookie").is_empty() && replay.values("authorization").is_empty());
    assert_ne!(replay.values("date"), ran.values("date"), "the date is the replay's own");
}

#[test]
fn streamed_and_oversized_answers_are_delivered_once_and_never_replayed_as_empty() {
    let (stage, [first, second]) = pair();
    for (kind, length) in [("streamed", 11), ("oversized", (256 << 10) + 1)] {
        let target = format!("/api/answer/{kind}");
        let ran = first.post(&target, kind, b"x");
        assert_eq!((ran.status, ran.body.len()), (200, length), "{kind}");
        let again = second.post(&target, kind, b"x");
        assert_eq!((again.status, again.code().as_str()), (409, "idempotency.not_replayable"), "{kind}");
        assert_eq!(stage.runs(kind), ["first"]);
    }
}

#[test]
fn an_answer_that_is_not_2xx_is_not_stored_and_the_next_request_runs() {
    let (stage, [first, second]) = pair();
    assert_eq!(first.post("/api/answer/failing", "k", b"x").status, 500);
    assert_eq!(second.post("/api/answer/failing", "k", b"x").status, 500);
    assert_eq!(stage.runs("k"), ["first", "second"]);
    let left = stage.redis.command(&["KEYS", "microservice:idempotency:*"]);
    assert_eq!(left, mesh_testkit::redis::Reply::Array(Vec::new()), "neither lock nor answer is left");
}

#[test]
fn safe_methods_and_requests_without_an_id_run_each_time() {
    let (stage, [first, second]) = pair();
    for service in [&first, &second] {
        assert_eq!(service.post("/api/work", "", b"x").status, 201);
        let get = wire::request(&service.address, &signed("GET", "/api/work", "safe", b""), b"");
        assert_eq!(get.expect("an answer").status, 201);
    }
    assert_eq!((stage.runs("-").len(), stage.runs("safe").len()), (2, 2));
}

#[test]
fn another_request_under_the_same_id_is_refused_by_every_process() {
    let (stage, [first, second]) = pair();
    assert_eq!(first.post("/api/work?a=1", "k", b"x").status, 201);
    for (target, body) in [("/api/work?a=2", &b"x"[..]), ("/api/work?a=1", b"y"), ("/api/slow?a=1", b"x")] {
        let refused = second.post(target, "k", body);
        assert_eq!((refused.status, refused.code().as_str()), (422, "idempotency.key_reused"), "{target}");
    }
    assert!(is_hit(&second.post("/api/work?a=1", "k", b"x")));
    assert_eq!(stage.runs("k"), ["first"]);
}

#[test]
fn a_broken_cache_state_is_answered_500_and_never_run() {
    let (stage, [first, second]) = pair();
    assert_eq!(first.post("/api/work", "k", b"x").status, 201);
    let key = stage.only_key("microservice:idempotency:*");
    let whole = stage.value(&key).expect("an entry");
    for broken in
        ["", "processing", "garbage\u{0}", "[]", "{}", &whole[..whole.len() - 1], "{\"status\":201}"]
    {
        stage.redis.command(&["SET", &key, broken]);
        for service in [&first, &second] {
            let answer = service.post("/api/work", "k", b"x");
            assert_eq!(answer.status, 500, "{broken:?}");
            let text = r#"{"message":"Invalid cache state","code":"idempotency.unreadable"}"#;
            assert_eq!(String::from_utf8_lossy(&answer.body), text);
        }
    }
    stage.redis.command(&["DEL", &key]);
    stage.redis.command(&["RPUSH", &key, "a value of another type"]);
    assert_eq!(second.post("/api/work", "k", b"x").status, 500);
    assert_eq!(stage.runs("k"), ["first"]);
}
