//! The rule of expiry, with the time in the test's hands.

use super::*;

const KEEPING: Keeping = Keeping { ttl: Duration::from_secs(300), grace: Duration::from_secs(30) };

fn name(text: &str) -> ServiceName {
    ServiceName::parse(text).unwrap()
}

fn at(seconds: u64) -> Tick {
    Tick(1).after(Duration::from_secs(1_000 + seconds))
}

fn document(service: &str, path: &str) -> Bytes {
    Bytes::from(format!(
        r#"{{"service":"{service}","routes":[{{"method":"GET","uri":"{path}"}}],"timestamp":"t"}}"#
    ))
}

fn stored(service: &str, document: Bytes, seconds: u64) -> StoredManifest {
    StoredManifest { service: name(service), document, expires_in: Some(Duration::from_secs(seconds)) }
}

fn served(remembered: &Remembered) -> Vec<&str> {
    remembered.kept().keys().map(ServiceName::as_str).collect()
}

/// `a` and `b`, both read at second 0, to expire at second 100.
fn two() -> Remembered {
    let mut remembered = Remembered::new(at(0));
    let read = [stored("a", document("a", "/a"), 100), stored("b", document("b", "/b"), 100)];
    assert!(remembered.absorb(&read, at(0), KEEPING));
    remembered
}

#[test]
fn a_manifest_is_dropped_after_its_expiry_and_the_grace_and_not_before() {
    let mut remembered = two();
    let without_b = |left| [stored("a", document("a", "/a"), left)];
    assert!(!remembered.absorb(&without_b(300), at(101), KEEPING));
    assert!(!remembered.absorb(&without_b(300), at(129), KEEPING));
    assert_eq!(served(&remembered), ["a", "b"]);
    assert!(remembered.absorb(&without_b(300), at(130), KEEPING));
    assert_eq!(served(&remembered), ["a"]);
}

#[test]
fn a_manifest_that_is_gone_before_its_time_is_kept_until_it_is_over() {
    let mut remembered = two();
    let read = [stored("a", document("a", "/a"), 300)];
    remembered.absorb(&read, at(1), KEEPING);
    assert_eq!(served(&remembered), ["a", "b"]);
}

#[test]
fn an_unchanged_document_only_renews() {
    let mut remembered = two();
    let again = [stored("a", document("a", "/a"), 100), stored("b", document("b", "/b"), 100)];
    assert!(!remembered.absorb(&again, at(90), KEEPING));
    assert_eq!(remembered.kept()[&name("a")].expires, at(190));
    let without_end = [StoredManifest { expires_in: None, ..again[0].clone() }];
    remembered.absorb(&without_end, at(100), KEEPING);
    assert_eq!(remembered.kept()[&name("a")].expires, at(400), "the gateway's own ttl");
}

#[test]
fn time_stands_still_while_the_store_is_silent() {
    let mut remembered = two();
    for second in [50, 100, 1_000] {
        remembered.suspend(at(second));
    }
    let read = [stored("a", document("a", "/a"), 300)];
    remembered.absorb(&read, at(1_001), KEEPING);
    assert_eq!(served(&remembered), ["a", "b"], "b had 100 seconds left, and one of them has passed");
    remembered.absorb(&read, at(1_129), KEEPING);
    assert_eq!(served(&remembered), ["a", "b"]);
    remembered.absorb(&read, at(1_131), KEEPING);
    assert_eq!(served(&remembered), ["a"]);
}

#[test]
fn an_emptied_store_takes_nothing_away() {
    let mut remembered = two();
    for second in [1, 200, 10_000] {
        assert!(!remembered.absorb(&[], at(second), KEEPING));
    }
    assert_eq!(served(&remembered), ["a", "b"]);
    let back = [stored("a", document("a", "/a"), 300)];
    remembered.absorb(&back, at(10_001), KEEPING);
    assert_eq!(served(&remembered), ["a", "b"], "b may be about to register, too");
    remembered.absorb(&back, at(10_131), KEEPING);
    assert_eq!(served(&remembered), ["a"]);
}

#[test]
fn a_store_that_ran_dry_is_believed() {
    let mut remembered = two();
    assert!(!remembered.absorb(&[], at(100), KEEPING));
    assert!(!remembered.absorb(&[], at(129), KEEPING));
    assert!(remembered.absorb(&[], at(130), KEEPING));
    assert!(remembered.kept().is_empty());
}

#[test]
fn what_was_restored_from_disk_yields_to_a_store_that_has_something() {
    let mut remembered = Remembered::new(at(0));
    remembered.restore(&name("a"), &document("a", "/a"), Duration::ZERO, at(0));
    remembered.restore(&name("b"), &document("b", "/b"), Duration::from_secs(50), at(0));
    assert!(!remembered.absorb(&[], at(60), KEEPING), "an empty store is no word against it");
    assert_eq!(served(&remembered), ["a", "b"]);
    let read = [stored("b", document("b", "/new"), 300)];
    assert!(remembered.absorb(&read, at(61), KEEPING));
    assert_eq!(served(&remembered), ["a", "b"]);
    assert_eq!(remembered.kept()[&name("b")].manifest.routes[0].uri.as_str(), "/new");
    remembered.absorb(&read, at(95), KEEPING);
    assert_eq!(served(&remembered), ["b"]);
}

#[test]
fn a_bad_document_is_shown_and_costs_only_itself() {
    let mut remembered = two();
    let read = [
        stored("a", Bytes::from("garbage"), 300),
        stored("b", document("b", "/b"), 300),
        stored("c", document("d", "/c"), 300),
    ];
    assert!(remembered.absorb(&read, at(1), KEEPING));
    assert_eq!(served(&remembered), ["a", "b"], "a keeps its last good one");
    let shown: Vec<_> = remembered.quarantined().keys().map(ServiceName::as_str).collect();
    assert_eq!(shown, ["a", "c"]);
    assert_eq!(remembered.quarantined()[&name("c")].reason, "it is stored under c and describes d");
    assert!(!remembered.absorb(&read, at(2), KEEPING), "nothing new");

    let mended = [stored("a", document("a", "/a"), 300), stored("b", document("b", "/b"), 300)];
    assert!(remembered.absorb(&mended, at(3), KEEPING));
    assert!(remembered.quarantined().is_empty());
}

#[test]
fn a_last_good_manifest_stays_for_as_long_as_a_bad_one_is_stored() {
    let mut remembered = two();
    let read = [stored("a", Bytes::from("garbage"), 300), stored("b", document("b", "/b"), 300)];
    for second in [10, 200, 400, 600] {
        remembered.absorb(&read, at(second), KEEPING);
        assert_eq!(served(&remembered), ["a", "b"]);
    }
}
