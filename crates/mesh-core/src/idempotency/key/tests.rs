//! Which headers are keys, and that keys of different requests never meet.

use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

fn headers(lines: &[(&HeaderName, &[u8])]) -> HeaderMap {
    lines.iter().map(|(name, value)| ((*name).clone(), HeaderValue::from_bytes(value).unwrap())).collect()
}

fn read(lines: &[(&HeaderName, &[u8])]) -> Result<Option<String>, KeyError> {
    RequestKey::from_headers(&headers(lines)).map(|key| key.map(|key| key.as_str().to_owned()))
}

#[track_caller]
fn check(value: &[u8], is_key: bool) {
    for name in [&IDEMPOTENCY_KEY, &X_REQUEST_ID] {
        let expected = if is_key {
            Ok(Some(String::from_utf8(value.to_vec()).unwrap()))
        } else {
            Err(KeyError::Malformed)
        };
        assert_eq!(read(&[(name, value)]), expected, "{name}: {value:?}");
    }
}

#[test]
fn a_key_is_1_to_255_characters_without_controls() {
    check(b"", false);
    check(b"a", true);
    check("x".repeat(255).as_bytes(), true);
    check("x".repeat(256).as_bytes(), false);
    check(b"a\tb", false);
    check("a\u{85}b".as_bytes(), false);
    check(b"\xff\xfe", false);
}

#[test]
fn what_only_looks_odd_is_ordinary() {
    for odd in ["foo:lock", "*", "{x}", "..", "\"quoted\"", "a b", "Заказ 7", &"é".repeat(255)] {
        check(odd.as_bytes(), true);
    }
    check("é".repeat(256).as_bytes(), false);
}

#[test]
fn two_headers_are_no_key() {
    for name in [&IDEMPOTENCY_KEY, &X_REQUEST_ID] {
        assert_eq!(read(&[(name, b"a"), (name, b"a")]), Err(KeyError::Malformed));
    }
}

#[test]
fn the_explicit_key_comes_before_the_request_id() {
    assert_eq!(read(&[(&X_REQUEST_ID, b"id"), (&IDEMPOTENCY_KEY, b"key")]), Ok(Some("key".to_owned())));
    assert_eq!(read(&[(&X_REQUEST_ID, b""), (&IDEMPOTENCY_KEY, b"key")]), Ok(Some("key".to_owned())));
    assert_eq!(read(&[(&X_REQUEST_ID, b"id"), (&IDEMPOTENCY_KEY, b"")]), Err(KeyError::Malformed));
    assert_eq!(read(&[]), Ok(None));
}

fn scoped(scope: &str, service: &str, key: &str) -> String {
    let service = ServiceName::parse(service).unwrap();
    IdempotencyKey::scoped(scope, &service, &RequestKey(key.to_owned())).to_string()
}

#[test]
fn a_stores_key_stays_what_it_is() {
    assert_eq!(
        scoped("shop", "orders", "é"),
        "2d04b9d0da6f223885889023985bc4c46ea44c604ddfbb7f675870a17e90e9d5"
    );
}

#[test]
fn callers_and_services_are_independent() {
    let key = scoped("shop", "orders", "a");
    assert_ne!(scoped("shop2", "orders", "a"), key);
    assert_ne!(scoped("shop", "orders2", "a"), key);
    assert_ne!(scoped("sho", "porders", "a"), key);
    assert_ne!(scoped("shop", "order", "sa"), key);
}

#[test]
fn users_at_the_public_door_are_told_apart_by_their_credentials() {
    let scope = |lines: &[(&HeaderName, &[u8])]| edge_scope(&headers(lines));
    let (authorization, cookie) = (&header::AUTHORIZATION, &header::COOKIE);
    let scopes = [
        scope(&[]),
        scope(&[(authorization, b"a")]),
        scope(&[(cookie, b"a")]),
        scope(&[(authorization, b"a"), (cookie, b"b")]),
        scope(&[(authorization, b"b"), (cookie, b"a")]),
        scope(&[(authorization, b"ab")]),
        scope(&[(authorization, b"a"), (authorization, b"b")]),
    ];
    for (index, scope) in scopes.iter().enumerate() {
        assert!(scope.starts_with("edge:") && scope.len() == "edge:".len() + 64, "{scope}");
        assert!(!scopes[..index].contains(scope), "{scope}");
    }
    assert_eq!(scope(&[(cookie, b"a=1"), (cookie, b"b=2")]), scope(&[(cookie, b"a=1; b=2")]));
    assert_eq!(scope(&[(&X_REQUEST_ID, b"x")]), scope(&[]));
}

proptest! {
    #[test]
    fn a_key_is_64_hex_digits_whatever_was_sent(scope in ".*", key in ".{1,255}") {
        let text = scoped(&scope, "orders", &key);
        prop_assert_eq!(text.len(), 64);
        prop_assert!(text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    }

    #[test]
    fn no_two_triples_give_one_key(one in "[ab]{0,3}", two in "[ab]{0,3}", a in "[ab]{1,3}", b in "[ab]{1,3}") {
        prop_assert_eq!(scoped(&one, "s", &a) == scoped(&two, "s", &b), (&one, &a) == (&two, &b));
    }
}

#[test]
fn the_package_reads_the_request_id_alone_and_passes_an_empty_one() {
    let read = |lines: &[(&HeaderName, &[u8])]| {
        RequestKey::from_request_id(&headers(lines)).map(|key| key.map(|key| key.as_str().to_owned()))
    };
    assert_eq!(read(&[(&X_REQUEST_ID, b"id"), (&IDEMPOTENCY_KEY, b"key")]), Ok(Some("id".to_owned())));
    assert_eq!(read(&[(&IDEMPOTENCY_KEY, b"key")]), Ok(None));
    assert_eq!(read(&[(&X_REQUEST_ID, b"")]), Ok(None));
    for lines in [&[(&X_REQUEST_ID, &b"a"[..]), (&X_REQUEST_ID, b"b")][..], &[(&X_REQUEST_ID, b"a\tb")]] {
        assert_eq!(read(lines), Err(KeyError::Malformed));
    }
}

#[test]
fn a_key_of_the_package_is_the_text_and_no_scoped_key() {
    let request = RequestKey::from_request_id(&headers(&[(&X_REQUEST_ID, b"id-1")])).unwrap().unwrap();
    let (compat, scoped) =
        (IdempotencyKey::compat(&request), IdempotencyKey::scoped("a", &ServiceName::default(), &request));
    assert_eq!((compat.as_str(), compat.is_compat()), ("id-1", true));
    assert!(!scoped.is_compat() && scoped.as_str().len() == 64);
    let imitation = RequestKey(scoped.as_str().to_owned());
    assert_ne!(IdempotencyKey::compat(&imitation), scoped);
}

#[test]
fn a_caller_with_credentials_of_a_user_has_a_scope_for_each_user() {
    use http::header::{AUTHORIZATION, COOKIE};
    let gateway = ServiceName::parse("gateway").unwrap();
    let lines: [&[(&HeaderName, &[u8])]; 6] = [
        &[],
        &[(&AUTHORIZATION, b"a")],
        &[(&AUTHORIZATION, b"b")],
        &[(&COOKIE, b"a")],
        &[(&AUTHORIZATION, b"")],
        &[(&AUTHORIZATION, b"a"), (&COOKIE, b"a")],
    ];
    let scopes: std::collections::HashSet<_> =
        lines.iter().map(|lines| caller_scope(&gateway, &headers(lines))).collect();
    assert_eq!(scopes.len(), lines.len());
    assert!(scopes.contains("gateway"));
    let posing = caller_scope(&gateway, &headers(&[(&AUTHORIZATION, b"a")]));
    assert!(ServiceName::parse(&posing).is_err(), "nobody can be called {posing}");
}
