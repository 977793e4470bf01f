//! Which targets pass, and what is true of all that do.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    clock::UnixMillis,
    secret::Secret,
    signature::{Keyring, Presented, Signer, Verifier},
};

#[track_caller]
fn refused(error: TargetError, targets: &[&str]) {
    for target in targets {
        assert_eq!(Target::parse(target), Err(error), "{target:?}");
    }
}

#[track_caller]
fn passes(target: &str, path: &str, query: Option<&str>) {
    let parsed = Target::parse(target);
    assert_eq!(parsed.map(|target| (target.path(), target.query())), Ok((path, query)), "{target:?}");
}

#[test]
fn a_canonical_target_passes_as_it_came() {
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/orders/42",
        "/api/a.b/...",
        "/api/.well-known/..x/x..",
        "/api/a%20b",
        "/api/%D0%B7%D0%B0%D0%BA%D0%B0%D0%B7/%c3%bc",
        "/api/%66eatured",
        "/~a/(x)/a'b/a@b:c!$&*+,=",
        "/api/a;v=1/b;w",
        "/api/a|b^c`d\"e<f>[g]",
        "/api/%3f%23%25%3b",
    ] {
        passes(path, path, None);
    }
    passes("/a?", "/a", Some(""));
    passes("/?a=1&b=c", "/", Some("a=1&b=c"));
}

#[test]
fn a_dot_segment_is_refused_however_it_is_written() {
    let targets = ["/./", "/../", "/.", "/..", "/a/./b", "/a/../b", "/a/.?b", "/a/..?b"];
    refused(TargetError::DotSegment, &targets);
    let targets = ["/%2e", "/%2E%2e/a", "/a/.%2E", "/a/%2e./b", "/a/%2e"];
    refused(TargetError::DotSegment, &targets);
}

#[test]
fn a_dot_segment_with_parameters_is_refused() {
    let targets = ["/..;a=b/c", "/.;x", "/a/..;/b", "/%2e%2e;a=b", "/..%3ba=b", "/.;a;b"];
    refused(TargetError::DotSegment, &targets);
}

#[test]
fn a_slash_in_disguise_is_refused() {
    refused(
        TargetError::EncodedSlash,
        &["/a%2fb", "/a%2Fb", "/a%5cb", "/%5C", "/a\\b", "/\\evil.example", "/..%2f"],
    );
}

#[test]
fn an_empty_segment_is_refused_in_the_path_and_passes_in_the_query() {
    refused(
        TargetError::EmptySegment,
        &["//", "//evil.example/", "/a//b", "/a//", "/a//?b", "/;x/a", "/a/;", "/%3bx"],
    );
    passes("/a?b=//c/../d;/%2f\\", "/a", Some("b=//c/../d;/%2f\\"));
}

#[test]
fn a_broken_encoding_is_refused_in_the_path_and_passes_in_the_query() {
    refused(TargetError::BrokenEncoding, &["/%", "/%a", "/a%zz", "/%2", "/%2/e", "/%%41", "/%+1", "/%2?a"]);
    passes("/a?b=%zz&c=100%", "/a", Some("b=%zz&c=100%"));
}

#[test]
fn a_control_or_a_byte_that_is_not_ascii_is_refused() {
    for byte in (0..=0x20_u8).chain([0x7f]) {
        let raw = char::from(byte);
        refused(TargetError::ForbiddenCharacter, &[&format!("/a{raw}b"), &format!("/a?b{raw}")]);
        if byte != 0x20 {
            refused(TargetError::ForbiddenCharacter, &[&format!("/a%{byte:02x}b"), &format!("/%{byte:02X}")]);
        }
    }
    refused(TargetError::ForbiddenCharacter, &["/ü", "/a?ü", "/\u{ff0e}\u{ff0e}/", "/a#b", "/a?b#c"]);
}

#[test]
fn what_does_not_decode_to_utf_8_is_refused() {
    refused(
        TargetError::NotUtf8,
        &["/%c0%ae", "/%c0%ae%c0%ae/a", "/%ff", "/%80", "/%c3/%bc", "/a%e2%82", "/%ed%a0%80"],
    );
}

#[test]
fn what_is_encoded_twice_passes_as_it_came() {
    let path = "/api/products/1%252Fprivate/%252e%252e%252f";
    passes(path, path, None);
}

#[test]
fn braces_are_literal_text() {
    passes("/api/products/{other}", "/api/products/{other}", None);
}

#[test]
fn a_target_that_does_not_begin_with_a_slash_is_refused() {
    refused(TargetError::NotAbsolute, &["", "!", "foo", "*", "?a", "http://a/b", "a:80", "%2f", ".", "\\"]);
}

#[test]
fn eight_kibibytes_pass_and_one_byte_more_is_too_long() {
    let target = format!("/{}?{}", "a".repeat(4_000), "b".repeat(MAX_TARGET_BYTES - 4_002));
    assert!(Target::parse(&target).is_ok());
    refused(TargetError::TooLong, &[&(target + "b")]);
    assert_eq!(TargetError::TooLong.code(), Code::UriTooLong);
    assert_eq!(TargetError::DotSegment.code(), Code::PathNotCanonical);
}

/// What a server sees that decodes everything once, cuts parameters off, and takes `\` for `/`.
fn leniently_read(path: &str) -> Vec<Vec<u8>> {
    let mut decoded = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let pair = tail.get(..2).and_then(|pair| str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if *first == b'%' => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    let without_parameters =
        |segment: &[u8]| segment.split(|byte| *byte == b';').next().unwrap_or_default().to_vec();
    decoded.split(|byte| matches!(byte, b'/' | b'\\')).map(without_parameters).collect()
}

fn near_the_rules() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "/", "/", "/", "a", "b", ".", "..", "%2e", "%2E", "%2f", "%5c", "\\", ";", ";x=1", "%3b", "%25",
        "%252e", "%00", "%7f", "%", "%z", "%c3%bc", "%c0%ae", "%41", "{", "?", "#", "//", "é", " ", "~",
        "api", "%20",
    ]);
    prop::collection::vec(parts, 0..9).prop_map(|parts| "/".to_owned() + &parts.concat())
}

#[test]
fn a_value_is_decoded_once() {
    for (value, expected) in [
        ("1", Some("1")),
        ("a%20b", Some("a b")),
        ("%252F", Some("%2F")),
        ("%C3%BC+", Some("ü+")),
        ("", Some("")),
    ] {
        assert_eq!(decoded(value).as_deref(), expected, "{value}");
    }
    for broken in ["%", "%g0", "%c0%ae"] {
        assert_eq!(decoded(broken), None, "{broken}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(50_000) })]

    #[test]
    fn a_target_that_passes_is_read_alike_by_strict_and_lenient_servers(target in near_the_rules()) {
        let Ok(parsed) = Target::parse(&target) else { return Ok(()) };
        let again = parsed.query().map_or(parsed.path().to_owned(), |query| format!("{}?{query}", parsed.path()));
        prop_assert_eq!(&again, &target);
        let segments = leniently_read(parsed.path());
        prop_assert_eq!(segments.len(), parsed.path().split('/').count());
        let (last, inner) = segments[1..].split_last().ok_or_else(|| TestCaseError::fail("no segment"))?;
        prop_assert!(inner.iter().all(|segment| !segment.is_empty()), "{}", target);
        for segment in inner.iter().chain([last]) {
            prop_assert!(segment != b"." && segment != b"..", "{}", target);
            prop_assert!(!segment.iter().any(u8::is_ascii_control), "{}", target);
            prop_assert!(str::from_utf8(segment).is_ok(), "{}", target);
        }
    }

    #[test]
    fn what_is_signed_for_a_target_that_passes_is_what_a_verifier_accepts(target in near_the_rules()) {
        let Ok(parsed) = Target::parse(&target) else { return Ok(()) };
        let keyring = Keyring::new(Secret::try_new("a secret of 24 bytes ...").map_err(|_| TestCaseError::fail("secret"))?);
        let signature = Signer::new(&keyring).sign("GET", parsed.path(), 1_700_000_000, b"");
        let presented = Presented::parse(&[signature.as_str().as_bytes()], &[b"1700000000"])?;
        let verifier = Verifier::new(keyring, Duration::from_secs(60));
        let now = UnixMillis::from_seconds(1_700_000_000);
        prop_assert_eq!(verifier.verify(&presented, "GET", &target, b"", now), Ok(()));
        let other = format!("{}x{}", parsed.path(), &target[parsed.path().len()..]);
        prop_assert!(verifier.verify(&presented, "GET", &other, b"", now).is_err());
    }

    #[test]
    fn no_text_makes_the_parser_panic(target in "\\PC{0,40}") {
        let _ = Target::parse(&target);
    }
}
