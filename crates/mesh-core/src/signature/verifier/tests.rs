//! Which requests are verified, and which are refused and why.

use proptest::prelude::*;

use super::*;
use crate::{
    secret::Secret,
    signature::{Signer, mac::mac},
};

const NOW: u64 = 1_700_000_000;
const TOLERANCE: Duration = Duration::from_secs(60);
const ACTIVE: &str = "the secret that signs today";
const PREVIOUS: &str = "the secret of the last week";
const BODY: &[u8] = br#"{"quantity":5}"#;

fn keyring() -> Keyring {
    let previous =
        vec![Secret::try_new(PREVIOUS).unwrap(), Secret::try_new("the one before that one").unwrap()];
    Keyring { previous, ..Keyring::new(Secret::try_new(ACTIVE).unwrap()) }
}

fn verifier() -> Verifier {
    Verifier::new(keyring(), TOLERANCE)
}

/// Verifies a request that was signed with `secret` over `path`, whole and in parts.
fn verify(
    secret: &str,
    path: &str,
    timestamp: &str,
    target: &str,
    now: UnixMillis,
) -> Result<(), SignatureError> {
    let signature = mac(Algorithm::Sha256, secret.as_bytes(), "POST", path, timestamp, BODY);
    let presented = Presented::parse(&[signature.as_bytes()], &[timestamp.as_bytes()])?;
    let whole = verifier().verify(&presented, "POST", target, BODY, now);
    let in_parts = verifier().begin(&presented, "POST", target, now).and_then(|mut verifying| {
        BODY.chunks(5).for_each(|part| verifying.update(part));
        verifying.finish()
    });
    assert_eq!(whole, in_parts);
    whole
}

fn at(seconds: u64) -> UnixMillis {
    UnixMillis::from_seconds(seconds)
}

#[track_caller]
fn check_target(target: &str, signed: &str, expected: Result<(), SignatureError>) {
    assert_eq!(
        verify(ACTIVE, signed, "1700000000", target, at(NOW)),
        expected,
        "{target} signed as {signed}"
    );
}

#[track_caller]
fn check_parse(signatures: &[&str], timestamps: &[&str], expected: Result<u64, SignatureError>) {
    let signatures: Vec<_> = signatures.iter().map(|value| value.as_bytes()).collect();
    let timestamps: Vec<_> = timestamps.iter().map(|value| value.as_bytes()).collect();
    assert_eq!(Presented::parse(&signatures, &timestamps).map(|presented| presented.seconds), expected);
}

#[test]
fn a_signature_over_the_path_as_sent_or_trimmed_is_accepted() {
    check_target("/api/orders", "/api/orders", Ok(()));
    check_target("/api/orders/", "/api/orders/", Ok(()));
    check_target("/api/orders/", "/api/orders", Ok(()));
    check_target("/api/orders//?page=2", "/api/orders//", Ok(()));
    check_target("/api/orders//?page=2", "/api/orders", Ok(()));
    check_target("/", "/", Ok(()));
    check_target("//api/orders", "/api/orders", Ok(()));
    check_target("/api/%c3%bc", "/api/%c3%bc", Ok(()));
}

#[test]
fn a_signature_over_another_path_is_refused() {
    check_target("/api/orders", "/api/orders/", Err(SignatureError::Mismatch));
    check_target("/api/orders//", "/api/orders/", Err(SignatureError::Mismatch));
    check_target("/api/orders?page=2", "/api/orders?page=2", Err(SignatureError::Mismatch));
    check_target("/api/%c3%bc", "/api/%C3%BC", Err(SignatureError::Mismatch));
    check_target("/api//orders", "/api/orders", Err(SignatureError::Mismatch));
    check_target("/", "/api", Err(SignatureError::Mismatch));
}

#[test]
fn every_secret_of_the_keyring_verifies_and_no_other() {
    for secret in [ACTIVE, PREVIOUS, "the one before that one"] {
        assert_eq!(verify(secret, "/a", "1700000000", "/a", at(NOW)), Ok(()), "{secret}");
    }
    let refused = Err(SignatureError::Mismatch);
    assert_eq!(verify("the secret of somebody else", "/a", "1700000000", "/a", at(NOW)), refused);
    assert_eq!(verify("", "/a", "1700000000", "/a", at(NOW)), refused);
}

#[test]
fn the_window_is_inclusive_in_both_directions() {
    for now in [NOW - 60, NOW, NOW + 60] {
        assert_eq!(verify(ACTIVE, "/a", "1700000000", "/a", at(now)), Ok(()), "{now}");
    }
    assert_eq!(verify(ACTIVE, "/a", "1700000000", "/a", UnixMillis((NOW + 60) * 1_000 + 999)), Ok(()));
    for now in [0, NOW - 61, NOW + 61, u64::MAX / 1_000] {
        let refused = Err(SignatureError::OutsideWindow);
        assert_eq!(verify(ACTIVE, "/a", "1700000000", "/a", at(now)), refused, "{now}");
    }
    assert_eq!(
        verify(ACTIVE, "/a", "9999999999999999999", "/a", at(NOW)),
        Err(SignatureError::OutsideWindow)
    );
}

#[test]
fn the_timestamp_is_signed_as_it_was_sent() {
    assert_eq!(verify(ACTIVE, "/a", "01700000000", "/a", at(NOW)), Ok(()));
    let signature = mac(Algorithm::Sha256, ACTIVE.as_bytes(), "POST", "/a", "1700000000", BODY);
    let presented = Presented::parse(&[signature.as_bytes()], &[b"01700000000"]).unwrap();
    assert_eq!(verifier().verify(&presented, "POST", "/a", BODY, at(NOW)), Err(SignatureError::Mismatch));
}

#[test]
fn a_timestamp_is_one_to_nineteen_decimal_digits() {
    check_parse(&["ab"], &["0"], Ok(0));
    check_parse(&["ab"], &["1700000000"], Ok(NOW));
    check_parse(&["ab"], &["9999999999999999999"], Ok(9_999_999_999_999_999_999));
    for text in
        ["", " 17", "17 ", "+17", "-1", "1e9", "1.5", "0x11", "1700000000abc", "10000000000000000000", "１７"]
    {
        check_parse(&["ab"], &[text], Err(SignatureError::Malformed));
    }
}

#[test]
fn a_signature_is_lower_case_hex_of_the_algorithms_length() {
    for text in ["", "AB", "a b", "ag", "0xab", "ab "] {
        check_parse(&[text], &["17"], Err(SignatureError::Malformed));
    }
    let good = mac(Algorithm::Sha256, ACTIVE.as_bytes(), "POST", "/a", "1700000000", BODY);
    let long = good.clone() + "00";
    for text in [&good[..63], &good[..62], &good[..2], &long] {
        let presented = Presented::parse(&[text.as_bytes()], &[b"1700000000"]).unwrap();
        let result = verifier().verify(&presented, "POST", "/a", BODY, at(NOW));
        assert_eq!(result, Err(SignatureError::Malformed), "{text}");
    }
}

#[test]
fn a_missing_or_doubled_header_is_refused() {
    check_parse(&[], &["17"], Err(SignatureError::Missing));
    check_parse(&["ab"], &[], Err(SignatureError::Missing));
    check_parse(&[], &[], Err(SignatureError::Missing));
    check_parse(&[], &["17", "17"], Err(SignatureError::Missing));
    check_parse(&["ab", "ab"], &["17"], Err(SignatureError::Malformed));
    check_parse(&["ab"], &["17", "17"], Err(SignatureError::Malformed));
}

#[test]
fn every_bit_of_what_is_covered_counts() {
    let signer = Signer::new(&keyring());
    let (method, target) = ("POST", "/api/stock/42/reserve");
    let signature = signer.sign(method, target, NOW, BODY);
    let verifier = verifier();
    let verdict = |method: &[u8], target: &[u8], timestamp: &[u8], body: &[u8], signature: &[u8]| {
        let (Ok(method), Ok(target)) = (str::from_utf8(method), str::from_utf8(target)) else { return None };
        let presented = match Presented::parse(&[signature], &[timestamp]) {
            Ok(presented) => presented,
            Err(error) => return Some(Err(error)),
        };
        Some(verifier.verify(&presented, method, target, body, at(NOW)))
    };
    let covered = [method.as_bytes(), target.as_bytes(), b"1700000000", BODY, signature.as_bytes()];
    let ask = |parts: [&[u8]; 5]| verdict(parts[0], parts[1], parts[2], parts[3], parts[4]);
    assert_eq!(ask(covered), Some(Ok(())));
    let mut refused = 0;
    for part in 0..covered.len() {
        for bit in 0..covered[part].len() * 8 {
            let mut changed = covered[part].to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            // The method's case does not count: it is signed upper-cased.
            if part == 0 && changed.eq_ignore_ascii_case(covered[0]) {
                continue;
            }
            let mut parts = covered;
            parts[part] = &changed;
            match ask(parts) {
                Some(Ok(())) => panic!("bit {bit} of part {part} does not count"),
                Some(Err(_)) => refused += 1,
                None => {}
            }
        }
    }
    let bits: usize = covered.iter().map(|part| part.len() * 8).sum();
    assert!(refused > bits * 7 / 8 - 8, "{refused} of {bits}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn what_the_signer_signs_the_verifier_accepts(
        method in "[A-Za-z]{1,40}",
        target in "/{1,3}[a-z0-9/%._~-]{0,30}/{0,3}(\\?[a-z/=&?]{0,10})?",
        body in prop::collection::vec(any::<u8>(), 0..200),
        off in 0_u64..=120,
        which in 0_usize..3,
    ) {
        let algorithm = [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512][which];
        let keyring = Keyring { algorithm, ..keyring() };
        let timestamp = NOW - 60 + off;
        let signature = Signer::new(&keyring).sign(&method, &target, timestamp, &body);
        let timestamp = timestamp.to_string();
        let presented = Presented::parse(&[signature.as_str().as_bytes()], &[timestamp.as_bytes()])?;
        let verifier = Verifier::new(keyring, TOLERANCE);
        prop_assert_eq!(verifier.verify(&presented, &method, &target, &body, at(NOW)), Ok(()));
    }

    #[test]
    fn no_header_makes_the_verifier_panic(
        signature in prop::collection::vec(any::<u8>(), 0..130),
        timestamp in prop::collection::vec(any::<u8>(), 0..24),
        target in "\\PC{0,30}",
    ) {
        if let Ok(presented) = Presented::parse(&[&signature], &[&timestamp]) {
            prop_assert!(verifier().verify(&presented, "GET", &target, b"", at(NOW)).is_err());
        }
    }
}
