//! `mesh verify`: a signature that holds, each part that may be wrong, and what would have matched.

use super::{Ran, fails, fails_with, good, run, write};
use crate::house::{House, SECRET};

/// HMAC-SHA256 under the house's secret of "POST\n/api/x\n1700000000\n{\"a\":1}", computed with Python's hmac.
const SIGNATURE: &str = "af5541d7b7d92b0171bf73b530835e004e416c23dbec5b0a32ddd17c3c0c917f";
const BODY: &str = "{\"a\":1}";
const NOW: &str = "1700000000";

fn verify(house: &House, path: &str, body: &str, more: &[&str]) -> Ran {
    let given = ["verify", "post", path, "--body", body, "--timestamp", NOW, "--signature"];
    run(house, &[], &[&given[..], more].concat())
}

#[track_caller]
fn wrong(ran: &Ran, part: &str, says: &str) {
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.out.starts_with(&format!("not verified: {part}: ")), "{ran:#?}");
    assert!(ran.out.contains(says), "no {says:?} in {ran:#?}");
    assert_eq!(ran.err, "");
}

#[test]
fn verify_takes_what_sign_makes_and_what_others_made() {
    let house = House::new("");
    write(&house, "body", BODY);
    for (path, body) in [("/api/x", BODY), ("/api/x/?page=2", "@body")] {
        let ran = verify(&house, path, body, &[SIGNATURE, "--now", "1700000060"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "verified with secret\n"), "{ran:#?}");
    }
    let signed = good(&house, &["sign", "GET", "/api/y", "--json"]).json();
    let of = |name: &str| signed[name].as_str().expect("a header").to_owned();
    let (signature, timestamp) = (of("X-Signature"), of("X-Timestamp"));
    let given = ["verify", "GET", "/api/y", "--signature", &signature, "--timestamp", &timestamp];
    let document = good(&house, &[&given[..], &["--json"]].concat()).json();
    let expected = serde_json::json!(
        { "verified": true, "wrong": null, "reason": null, "secret": "secret", "hints": [] }
    );
    assert_eq!(document, expected);
}

#[test]
fn verify_says_that_a_previous_secret_signed() {
    let house = House::new("");
    write(
        &house,
        "new.toml",
        format!(
            "secret = \"the secret of this week\"\nprevious_secrets = [\"one between the two\", \"{SECRET}\"]"
        ),
    );
    let ran = verify(&house, "/api/x", BODY, &[SIGNATURE, "--now", NOW, "--config", "new.toml"]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.out.starts_with("verified with previous_secrets[1]: "), "{ran:#?}");
    assert!(!ran.out.contains(SECRET), "{ran:#?}");
}

#[test]
fn verify_says_which_part_is_wrong_in_the_verifiers_order() {
    let house = House::new("");
    let at = |more: &[&str]| verify(&house, "/api/x", BODY, more);
    wrong(&at(&["xyz"]), "signature", "it is not 64 lower-case hex digits");
    wrong(&at(&[""]), "signature", "it is not 64 lower-case hex digits");
    wrong(&at(&["abcdef", "--now", NOW]), "signature", "it has 6 digits, and sha256 makes 64");
    let late = at(&[SIGNATURE, "--now", "1700000061"]);
    wrong(&late, "window", "61 s before now, and may be 60 s off; the MAC itself holds, by secret");
    wrong(&at(&[SIGNATURE, "--now", "1699999900"]), "window", "100 s after now");
    wrong(&at(&[SIGNATURE]), "window", "s before now");
    wrong(&verify(&house, "/api/y", BODY, &[SIGNATURE, "--now", NOW]), "mac", "no secret of the settings");
    for timestamp in ["soon", "-1", "1.5", "", "17000000001700000000"] {
        let given = ["verify", "POST", "/api/x", "--timestamp", timestamp, "--signature", SIGNATURE];
        wrong(&run(&house, &[], &given), "timestamp", "1 to 19 decimal digits");
    }
    let tolerant = [("MESH__TIMESTAMP_TOLERANCE", "2m")];
    let given = ["verify", "POST", "/api/x", "--body", BODY, "--timestamp", NOW, "--signature", SIGNATURE];
    assert_eq!(run(&house, &tolerant, &[&given[..], &["--now", "1700000120"]].concat()).code, Some(0));
}

#[test]
fn verify_says_what_would_have_matched() {
    let house = House::new("");
    let upper = SIGNATURE.to_uppercase();
    wrong(&verify(&house, "/api/x", BODY, &[&upper, "--now", NOW]), "signature", "it holds in lower case");
    let newline = format!("{BODY}\n");
    wrong(
        &verify(&house, "/api/x", &newline, &[SIGNATURE, "--now", NOW]),
        "mac",
        "it holds without the line's end after the body",
    );
    let sha512 = run(
        &house,
        &[("MESH__ALGORITHM", "sha512")],
        &["sign", "POST", "/api/x", "--body", BODY, "--timestamp", NOW, "--json"],
    );
    let signature = sha512.json()["X-Signature"].as_str().expect("a signature").to_owned();
    let ran = verify(&house, "/api/x", BODY, &[&signature, "--now", NOW, "--json"]);
    assert_eq!((ran.code, &ran.json()["wrong"]), (Some(1), &"signature".into()), "{ran:#?}");
    assert_eq!(ran.json()["hints"][0], "it holds with sha512: the other side signs with that");
}

#[test]
fn verify_that_cannot_be_done_ends_with_2() {
    let house = House::new("");
    let with = |more: &[&'static str]| {
        [&["verify", "GET", "/x", "--signature", "ab", "--timestamp", "1"], more].concat()
    };
    fails(&house, &["verify", "GET", "/x", "--timestamp", "1"], 2, "--signature");
    fails(&house, &["verify", "GET", "/x", "--signature", "ab"], 2, "--timestamp");
    fails(&house, &with(&["--now", "soon"]), 2, "--now");
    fails(&house, &with(&["--body", "@none"]), 2, "cannot read none");
    fails(&house, &["verify", "GET", "x", "--signature", "ab", "--timestamp", "1"], 2, "begins with '/'");
    for (value, says) in [("", "secret: the secret is empty"), ("hush-hush", "secret: the secret is shorter")]
    {
        fails_with(&house, &[("SERVICE_SECRET", value)], &with(&[]), 2, says);
        assert!(!run(&house, &[("SERVICE_SECRET", value)], &with(&[])).err.contains("hush-hush"));
    }
}
