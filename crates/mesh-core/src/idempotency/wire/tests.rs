//! What is written is read as it was, what the package wrote too, and nothing else is.

use proptest::{collection::vec, option, prelude::*};
use serde_json::json;

use super::*;

const FINGERPRINT: Fingerprint = Fingerprint([0xa7; 32]);

fn line(name: &str, value: &[u8]) -> (HeaderName, HeaderValue) {
    (name.parse().unwrap(), HeaderValue::from_bytes(value).unwrap())
}

fn created(body: AnswerBody) -> Answer {
    let headers = vec![line("content-type", b"application/json"), line("link", b"<a>"), line("link", b"<b>")];
    Answer { status: 201, headers, body }
}

#[test]
fn a_text_answer_is_written_as_the_package_writes_it() {
    let document = encode(&created(AnswerBody::Whole(r#"{"id":1}"#.into())), None);
    let expected = r#"{"status":201,"headers":{"content-type":["application/json"],"link":["<a>","<b>"]},"content":"{\"id\":1}"}"#;
    assert_eq!(String::from_utf8(document).unwrap(), expected);
}

#[test]
fn what_the_package_cannot_express_has_no_content() {
    let json = |answer: &Answer| -> serde_json::Value {
        serde_json::from_slice(&encode(answer, Some(&FINGERPRINT))).unwrap()
    };
    let binary = json(&created(AnswerBody::Whole(Bytes::from_static(b"\xff\x00"))));
    assert_eq!((binary.get("content"), &binary["content_base64"]), (None, &json!("/wA=")));
    let not_kept = json(&created(AnswerBody::NotKept));
    assert_eq!((not_kept.get("content"), &not_kept["done"]), (None, &json!(true)));
    assert_eq!(not_kept["fingerprint"], "a7".repeat(32));
    let odd = json(&Answer {
        headers: vec![line("x-odd", b"plain"), line("x-odd", b"\xe9")],
        ..created(AnswerBody::NotKept)
    });
    assert_eq!(
        (&odd["headers"], &odd["headers_base64"]),
        (&json!({}), &json!({"x-odd": ["cGxhaW4=", "6Q=="]}))
    );
}

#[test]
fn an_entry_of_the_package_is_read() {
    let written = r#"{"status":201,"headers":{"cache-control":["no-cache, private"],"Content-Type":["application\/json"]},"content":"{\"name\":\"K\u00f6ln\"}"}"#;
    let (fingerprint, answer) = decode(written.as_bytes()).unwrap();
    assert_eq!((fingerprint, answer.status), (None, 201));
    assert_eq!(answer.body, AnswerBody::Whole("{\"name\":\"Köln\"}".into()));
    let mut headers = answer.headers;
    headers.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
    assert_eq!(
        headers,
        [line("cache-control", b"no-cache, private"), line("content-type", b"application/json")]
    );
    let empty = br#"{"status":204,"headers":[],"content":""}"#;
    let (_, answer) = decode(empty).unwrap();
    assert_eq!((answer.headers, answer.body), (Vec::new(), AnswerBody::Whole(Bytes::new())));
}

#[test]
fn what_cannot_be_replayed_as_it_was_is_no_entry() {
    for text in [
        "",
        "processing",
        "null",
        "[]",
        "{}",
        r#"[201,{},"x"]"#,
        r#"{"status":201,"headers":{},"content":"x""#,
        r#"{"status":201,"headers":{}}"#,
        r#"{"status":201,"content":"x"}"#,
        r#"{"headers":{},"content":"x"}"#,
        r#"{"status":500,"headers":{},"content":"x"}"#,
        r#"{"status":"201","headers":{},"content":"x"}"#,
        r#"{"status":201,"headers":{},"content":false}"#,
        r#"{"status":201,"headers":["x"],"content":"x"}"#,
        r#"{"status":201,"headers":{"a b":["x"]},"content":"x"}"#,
        r#"{"status":201,"headers":{"a":"x"},"content":"x"}"#,
        r#"{"status":201,"headers":{"a":["x\ny"]},"content":"x"}"#,
        r#"{"status":201,"headers":{},"content":"x","content_base64":"eA=="}"#,
        r#"{"status":201,"headers":{},"content":"x","done":true}"#,
        r#"{"status":201,"headers":{},"content_base64":"?"}"#,
        r#"{"status":201,"headers":{},"content":"x","fingerprint":"a7"}"#,
        r#"{"status":201,"headers":{},"content":"x","headers_base64":{"a":["?"]}}"#,
    ] {
        assert_eq!(decode(text.as_bytes()), None, "{text}");
    }
}

fn body() -> impl Strategy<Value = AnswerBody> {
    prop_oneof![
        Just(AnswerBody::NotKept),
        vec(any::<u8>(), 0..64).prop_map(|bytes| AnswerBody::Whole(bytes.into())),
        any::<String>().prop_map(|text| AnswerBody::Whole(text.into())),
    ]
}

/// Lines of few names, by name: the order of different headers means nothing.
fn headers() -> impl Strategy<Value = Vec<(HeaderName, HeaderValue)>> {
    let value = vec(prop_oneof![Just(b'\t'), 0x20_u8..0x7f, 0x80_u8..], 0..12);
    vec((prop_oneof![Just("a"), Just("b"), Just("c")], value), 0..8).prop_map(|lines| {
        let mut lines: Vec<_> = lines.iter().map(|(name, value)| line(name, value)).collect();
        lines.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        lines
    })
}

proptest! {
    #[test]
    fn every_answer_comes_back_as_it_was(
        status in 200_u16..300, headers in headers(), body in body(), print in option::of(any::<[u8; 32]>()),
    ) {
        let (print, answer) = (print.map(Fingerprint), Answer { status, headers, body });
        let (read_print, mut read) = decode(&encode(&answer, print.as_ref())).unwrap();
        read.headers.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        prop_assert_eq!((read_print, read), (print, answer));
    }

    #[test]
    fn random_bytes_are_no_entry_and_no_panic(bytes in vec(any::<u8>(), 0..256)) {
        prop_assert_eq!(decode(&bytes), None);
    }

    #[test]
    fn a_damaged_entry_is_no_panic(at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let mut document = encode(&created(AnswerBody::Whole("{}".into())), Some(&FINGERPRINT));
        let at = at.index(document.len());
        document[at] = byte;
        let _read_or_not = decode(&document);
        prop_assert_eq!(decode(&document[..at]), None);
    }
}
