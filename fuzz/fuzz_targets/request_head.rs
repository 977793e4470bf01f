//! Any bytes as the head of a request, cut in two places and byte by byte: what is made of them does not depend on the
//! cuts, and a head that is taken has one framing, no byte that ends a line, and means the same when it is written again.
//!
//! The codec is taken in as source: it needs nothing of the gateway, and the gateway needs no door for this.
#![no_main]
#![expect(dead_code, unused_imports, reason = "the target asks for less of the codec than the gateway does")]

#[path = "../../crates/mesh-gateway/src"]
mod gateway {
    pub(crate) mod http1;
}

use bytes::BytesMut;
use gateway::http1::{Framing, HeadLimits, HeadParser, RequestHead, write_line, write_request_line};
use http::{
    HeaderMap, Method, Uri, Version,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use libfuzzer_sys::fuzz_target;
use mesh_core::error::Code;

/// Those of the settings, and some that inputs reach.
const LIMITS: [HeadLimits; 2] =
    [HeadLimits { lines: 100, bytes: 64 * 1024 }, HeadLimits { lines: 4, bytes: 128 }];

/// A head, and what stands behind it.
#[derive(Debug, PartialEq)]
struct Read {
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
    framing: Framing,
    stays_open: bool,
    expects_continue: bool,
    takes_trailers: bool,
    rest: Vec<u8>,
}

fuzz_target!(|input: (bool, u16, u16, &[u8])| {
    let (has_small_limits, first, second, bytes) = input;
    let limits = LIMITS[usize::from(has_small_limits)];
    // Whether a malformed head is noticed before its end depends on the cuts: here every head has one.
    let bytes = [bytes, b"\r\n\r\n"].concat();
    let whole = read(&[&bytes], limits);
    let (left, right) = bytes.split_at(usize::from(first).min(bytes.len()));
    let (middle, right) = right.split_at(usize::from(second).min(right.len()));
    let single: Vec<_> = bytes.chunks(1).collect();
    for parts in [&[left, middle, right][..], &single] {
        let cut = read(parts, limits);
        match (&whole, &cut) {
            // What is too large and malformed is one or the other.
            (Err(_), Err(_)) if bytes.len() > limits.bytes => {}
            _ => assert_eq!(whole, cut),
        }
    }
    if let Ok(Some(head)) = whole {
        assert!(bytes.ends_with(&head.rest));
        check(head);
    }
});

fn read(parts: &[&[u8]], limits: HeadLimits) -> Result<Option<Read>, Code> {
    let (mut parser, mut buffer) = (HeadParser::default(), BytesMut::new());
    let mut parts = parts.iter();
    while let Some(part) = parts.next() {
        buffer.extend_from_slice(part);
        if let Some(head) = parser.parse(&mut buffer, limits).map_err(|error| error.code())? {
            parts.for_each(|part| buffer.extend_from_slice(part));
            return Ok(Some(taken(head, buffer.to_vec())));
        }
    }
    Ok(None)
}

fn taken(head: RequestHead, rest: Vec<u8>) -> Read {
    let RequestHead { parts, framing, stays_open, expects_continue, takes_trailers } = head;
    let http::request::Parts { method, uri, version, headers, .. } = *parts;
    Read { method, uri, version, headers, framing, stays_open, expects_continue, takes_trailers, rest }
}

fn check(head: Read) {
    let count = |name| head.headers.get_all(name).iter().count();
    let length = head.headers.get(CONTENT_LENGTH).map(|value| value.to_str().unwrap().parse().unwrap());
    match (head.framing, count(CONTENT_LENGTH), count(TRANSFER_ENCODING)) {
        (Framing::Length(0), 0, 0) => {}
        (Framing::Length(said), 1, 0) => assert_eq!(Some(said), length),
        (Framing::Chunked, 0, 1) => assert_eq!(head.version, Version::HTTP_11),
        several => panic!("not one framing: {several:?}"),
    }
    assert!([Version::HTTP_10, Version::HTTP_11].contains(&head.version));
    for value in head.headers.values() {
        assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
        assert_eq!(value.as_bytes().trim_ascii(), value.as_bytes());
    }
    let target = head.uri.to_string();
    assert!(!target.bytes().any(|byte| byte <= b' ' || byte == 0x7f), "{target:?}");

    let mut written = Vec::new();
    write_request_line(&mut written, head.method.as_str(), &target);
    for (name, value) in &head.headers {
        write_line(&mut written, name.as_str(), value.as_bytes());
    }
    written.extend_from_slice(b"\r\n");
    written.extend_from_slice(&head.rest);
    let again = read(&[&written], LIMITS[0]);
    if head.version == Version::HTTP_11 {
        assert_eq!(again, Ok(Some(head)), "what is written is read");
    }
}
