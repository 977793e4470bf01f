//! A diagnosis agrees with the verifier, and its hints are true.

use proptest::prelude::*;

use super::*;
use crate::signature::{Presented, Verifier};

const NOW: u64 = 1_700_000_000;
const TOLERANCE: Duration = Duration::from_secs(60);
const ACTIVE: &str = "the secret that signs today";
const PREVIOUS: &str = "the secret of the last week";

fn keyring() -> Keyring {
    let secret = |text: &str| Secret::try_new(text).unwrap();
    Keyring {
        previous: vec![secret("the one before that one"), secret(PREVIOUS)],
        ..Keyring::new(secret(ACTIVE))
    }
}

/// The MAC over a payload, written down in the plainest way there is.
fn over(algorithm: Algorithm, secret: &str, payload: &str) -> String {
    let mut hmac = HmacKey::new(algorithm.hash(), secret.as_bytes()).begin();
    hmac.update(payload.as_bytes());
    hex::encode(hmac.finish())
}

fn sha256(payload: &str) -> String {
    over(Algorithm::Sha256, ACTIVE, payload)
}

fn of(signature: &str, timestamp: &str, target: &str, body: &str) -> Diagnosis {
    let claim = Claim { method: "post", target, body: body.as_bytes(), signature, timestamp };
    diagnose(&keyring(), TOLERANCE, &claim, UnixMillis::from_seconds(NOW))
}

#[track_caller]
fn mismatch(signature: &str, target: &str, body: &str, expected: &[Hint]) {
    assert_eq!(of(signature, "1700000000", target, body), Diagnosis::Mismatch(expected.to_vec()));
}

#[test]
fn a_signature_that_holds_names_the_secret_that_made_it() {
    let payload = "POST\n/api/x\n1700000000\n{}";
    for target in ["/api/x", "/api/x/", "/api/x?page=1", "//api/x"] {
        assert_eq!(
            of(&sha256(payload), "1700000000", target, "{}"),
            Diagnosis::Verified(Which::Active),
            "{target}"
        );
    }
    let old = over(Algorithm::Sha256, PREVIOUS, payload);
    assert_eq!(of(&old, "1700000000", "/api/x", "{}"), Diagnosis::Verified(Which::Previous(1)));
    let slash = sha256("POST\n/api/x/\n1700000000\n{}");
    assert_eq!(of(&slash, "1700000000", "/api/x/", "{}"), Diagnosis::Verified(Which::Active));
}

#[test]
fn the_first_fault_in_the_verifiers_order_is_told() {
    let good = sha256("POST\n/api/x\n1700000000\n{}");
    for signature in ["", "no hex", "é"] {
        assert_eq!(of(signature, "soon", "/api/x", "{}"), Diagnosis::SignatureNotHex(Vec::new()));
    }
    for timestamp in ["", "soon", "1700000000s", "-1", "+1", "1.5", " 1", "12345678901234567890"] {
        assert_eq!(of(&good, timestamp, "/api/x", "{}"), Diagnosis::TimestampMalformed, "{timestamp}");
    }
    let short = Diagnosis::SignatureLength { digits: 2, expected: 64, hints: Vec::new() };
    assert_eq!(of("ab", "1", "/api/x", "{}"), short);
    for (moment, off, is_past) in [(NOW - 61, 61, true), (NOW + 61, 61, false), (0, NOW, true)] {
        let signature = sha256(&format!("POST\n/api/x\n{moment}\n{{}}"));
        let expected = |mac| Diagnosis::OutsideWindow { off, is_past, tolerance: 60, mac, hints: Vec::new() };
        assert_eq!(of(&signature, &moment.to_string(), "/api/x", "{}"), expected(Some(Which::Active)));
        assert_eq!(of(&good, &moment.to_string(), "/api/x", "{}"), expected(None));
    }
    mismatch(&good, "/api/y", "{}", &[]);
}

#[test]
fn a_hint_tells_what_the_caller_signed_instead() {
    let target = "/api/x?page=1";
    mismatch(&sha256("POST\n/api/x?page=1\n1700000000\n{}"), target, "{}", &[Hint::WithQuery]);
    mismatch(&sha256("POST\napi/x\n1700000000\n{}"), target, "{}", &[Hint::WithoutLeadingSlash]);
    mismatch(&sha256("post\n/api/x\n1700000000\n{}"), target, "{}", &[Hint::LowerCaseMethod]);
    mismatch(&sha256("POST\n/api/x\n1700000000\n{}\n"), target, "{}", &[Hint::NewlineAdded]);
    mismatch(&sha256("POST\n/api/x\n1700000000\n{}"), target, "{}\n", &[Hint::NewlineRemoved]);
    mismatch(&sha256("POST\n/api/x\n1700000000\n"), target, "{}", &[Hint::EmptyBody]);
}

#[test]
fn digits_in_upper_case_and_of_another_algorithm_are_recognised() {
    let payload = "POST\n/api/x\n1700000000\n{}";
    let upper = sha256(payload).to_uppercase();
    assert_eq!(of(&upper, "1700000000", "/api/x", "{}"), Diagnosis::SignatureNotHex(vec![Hint::UpperCase]));
    for algorithm in [Algorithm::Sha384, Algorithm::Sha512] {
        let (digits, hint) = (algorithm.hex_digits(), Hint::Algorithm(algorithm));
        let signature = over(algorithm, ACTIVE, payload);
        let expected = Diagnosis::SignatureLength { digits, expected: 64, hints: vec![hint] };
        assert_eq!(of(&signature, "1700000000", "/api/x", "{}"), expected);
        let both = Diagnosis::SignatureNotHex(vec![Hint::UpperCase, hint]);
        assert_eq!(of(&signature.to_uppercase(), "1700000000", "/api/x", "{}"), both);
    }
}

proptest! {
    #[test]
    fn a_diagnosis_is_good_exactly_where_the_verifier_says_so(
        path in "(/[a-c]{0,2}){0,3}/?",
        asked in "(/[a-c]{0,2}){0,3}/?(\\?x)?",
        secret in prop::sample::select(vec![ACTIVE, PREVIOUS, "a secret of somebody else"]),
        moment in NOW - 62..NOW + 62,
        flaw in 0..6_u8,
    ) {
        let mut timestamp = moment.to_string();
        let payload = format!("POST\n/{}\n{timestamp}\n{{}}", path.trim_start_matches('/'));
        let mut signature = over(Algorithm::Sha256, secret, &payload);
        match flaw {
            0 => { signature.pop(); }
            1 => signature.make_ascii_uppercase(),
            2 => timestamp.push('x'),
            _ => {}
        }
        let now = UnixMillis::from_seconds(NOW);
        let verified = Presented::parse(&[signature.as_bytes()], &[timestamp.as_bytes()]).and_then(|presented| {
            Verifier::new(keyring(), TOLERANCE).verify(&presented, "POST", &asked, b"{}", now)
        });
        let diagnosis = of(&signature, &timestamp, &asked, "{}");
        prop_assert_eq!(verified.is_ok(), matches!(diagnosis, Diagnosis::Verified(_)), "{:?}", diagnosis);
    }
}
