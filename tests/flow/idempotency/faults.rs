//! Holders that freeze, die or take long, and a Redis that dies.

use super::stage::{LOCK, Stage, check_in_flight, is_hit, is_not_stored};
use crate::house::wait_for;

/// Long enough for renewals on a busy machine, short enough to wait for its end.
const SHORT: u32 = 2_000;

#[test]
fn a_frozen_holder_that_comes_back_overwrites_nothing_and_deletes_no_lock_of_its_successor() {
    let stage = Stage::new();
    let (first, second) =
        (stage.service("first", SHORT, "trusted"), stage.service("second", LOCK, "trusted"));
    let late = first.posting("/api/hold", "k");
    stage.wait_for_runs("k", 1);
    let lock = stage.only_key("microservice:idempotency:*:lock");
    let first_token = stage.value(&lock).expect("a lock");
    first.process.signal("STOP");
    wait_for("the end of the lock", || stage.value(&lock).is_none().then_some(()));

    let successor = second.posting("/api/hold", "k");
    stage.wait_for_runs("k", 2);
    let token = stage.value(&lock).expect("the successor's lock");
    assert_ne!(token, first_token);

    stage.let_go("first");
    first.process.signal("CONT");
    let late = late.join().expect("an answer");
    assert_eq!((late.status, is_not_stored(&late)), (201, true), "delivered, and refused by the store");
    assert_eq!(stage.value(&lock), Some(token), "the successor's lock stands");
    check_in_flight(&first.post("/api/hold", "k", b"x"));
    stage.let_go("second");
    let successor = successor.join().expect("an answer");
    assert_eq!((successor.status, is_not_stored(&successor)), (201, false));
    let replay = first.post("/api/hold", "k", b"x");
    assert!(is_hit(&replay) && replay.json()["by"] == "second", "the successor's answer is the stored one");
    assert_eq!(stage.runs("k"), ["first", "second"]);
}

#[test]
fn after_the_crash_of_the_holder_the_next_request_runs_when_its_lock_has_ended() {
    let stage = Stage::new();
    let (first, second) =
        (stage.service("first", SHORT, "trusted"), stage.service("second", LOCK, "trusted"));
    let lost = first.process.pid();
    let address = first.address.clone();
    let posting = std::thread::spawn(move || {
        crate::wire::request(&address, &super::stage::signed("POST", "/api/hold", "k", b"x"), b"x")
    });
    stage.wait_for_runs("k", 1);
    check_in_flight(&second.post("/api/hold", "k", b"x"));
    crate::house::signal_pid(lost, "KILL");
    assert!(posting.join().expect("the thread ends").is_err(), "nobody answers for the dead");
    stage.let_go("second");
    let answer = wait_for("the end of the lock", || {
        let answer = second.post("/api/hold", "k", b"x");
        (answer.status != 409).then_some(answer)
    });
    assert_eq!((answer.status, is_hit(&answer), is_not_stored(&answer)), (201, false, false));
    assert!(is_hit(&second.post("/api/hold", "k", b"x")));
    assert_eq!(stage.runs("k"), ["first", "second"]);
}

#[test]
fn a_handler_that_outlives_its_lock_keeps_it_and_runs_once() {
    let stage = Stage::new();
    let (first, second) =
        (stage.service("first", SHORT, "trusted"), stage.service("second", LOCK, "trusted"));
    let running = first.posting("/api/hold", "k");
    stage.wait_for_runs("k", 1);
    stage.redis.command(&["SET", "marker", "1", "PX", &(2 * SHORT).to_string()]);
    wait_for("twice the lock timeout", || {
        check_in_flight(&second.post("/api/hold", "k", b"x"));
        stage.value("marker").is_none().then_some(())
    });
    stage.let_go("first");
    let answer = running.join().expect("an answer");
    assert_eq!((answer.status, is_not_stored(&answer)), (201, false));
    assert!(is_hit(&second.post("/api/hold", "k", b"x")));
    assert_eq!(stage.runs("k"), ["first"]);
}

#[test]
fn when_redis_dies_while_the_handler_runs_the_answer_is_delivered_and_says_that_it_is_not_stored() {
    let mut stage = Stage::new();
    let service = stage.service("first", LOCK, "trusted");
    let running = service.posting("/api/hold", "k");
    stage.wait_for_runs("k", 1);
    stage.redis.kill();
    stage.let_go("first");
    let answer = running.join().expect("an answer");
    assert_eq!((answer.status, is_not_stored(&answer)), (201, true));
    let replay = service.post("/api/hold", "k", b"x");
    assert!(is_hit(&replay) && is_not_stored(&replay), "the process remembers by itself");
    assert_eq!(stage.runs("k"), ["first"]);
}

#[test]
fn without_redis_duplicates_run_once_in_a_process_and_required_ones_not_at_all() {
    let mut stage = Stage::new();
    let (open, strict) = (stage.service("open", LOCK, "trusted"), stage.service("strict", LOCK, "required"));
    stage.redis.kill();
    let running = open.posting("/api/hold", "k");
    stage.wait_for_runs("k", 1);
    check_in_flight(&open.post("/api/hold", "k", b"x"));
    stage.let_go("open");
    let answer = running.join().expect("an answer");
    assert_eq!((answer.status, is_not_stored(&answer)), (201, true));
    assert_eq!(stage.runs("k"), ["open"]);

    let refused = strict.post("/api/work", "strict", b"x");
    assert_eq!((refused.status, refused.values("retry-after")), (503, vec!["1"]));
    assert_eq!(refused.code(), "idempotency.store_unavailable");
    assert!(stage.runs("strict").is_empty());
    stage.redis.restart();
    let answer = wait_for("the return of Redis", || {
        let answer = strict.post("/api/work", "strict", b"x");
        (answer.status != 503).then_some(answer)
    });
    assert_eq!(answer.status, 201);
    assert_eq!(stage.runs("strict"), ["strict"]);
}
