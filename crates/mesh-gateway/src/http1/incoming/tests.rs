//! Requests as bytes, whole and in slices.

use http::header::{CONTENT_LENGTH, HOST};

use super::*;

const LIMITS: HeadLimits = HeadLimits { lines: 100, bytes: 64 * 1024 };

/// What was made of a head that comes in slices of `step`, and what is left behind it.
fn read(bytes: &[u8], step: usize) -> Result<Option<(RequestHead, Vec<u8>)>, BadHead> {
    let (mut parser, mut buffer) = (HeadParser::default(), BytesMut::new());
    let mut slices = bytes.chunks(step);
    while let Some(slice) = slices.next() {
        buffer.extend_from_slice(slice);
        if let Some(head) = parser.parse(&mut buffer, LIMITS)? {
            slices.for_each(|slice| buffer.extend_from_slice(slice));
            return Ok(Some((head, buffer.to_vec())));
        }
    }
    Ok(None)
}

#[track_caller]
fn head(bytes: &str) -> RequestHead {
    read(bytes.as_bytes(), bytes.len()).unwrap().unwrap().0
}

#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, expected: BadHead) {
    let bytes = bytes.as_ref();
    for step in [1, 2, 7, bytes.len()] {
        let found = read(bytes, step).map(|_| ());
        assert_eq!(found, Err(expected), "{:?} in slices of {step}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_head_is_the_same_however_it_is_cut() {
    let bytes = b"\r\nPOST /a?b=%20 HTTP/1.1\r\nHost: street\r\nX-A:  1 \r\nx-a: \xff\r\nContent-Length: 3\r\n\r\nabc";
    for step in 1..=bytes.len() {
        let (head, rest) = read(bytes, step).unwrap().unwrap();
        assert_eq!((head.parts.method, head.parts.version), (Method::POST, Version::HTTP_11));
        assert_eq!(head.parts.uri, "/a?b=%20");
        assert_eq!((head.framing, head.stays_open), (Framing::Length(3), true));
        assert_eq!(head.parts.headers[HOST], "street");
        let lines: Vec<_> = head.parts.headers.get_all("x-a").iter().map(|value| value.as_bytes()).collect();
        assert_eq!(lines, [&b"1"[..], b"\xff"]);
        assert_eq!(rest, b"abc");
    }
}

#[test]
fn line_ends_without_cr_are_line_ends() {
    let head = head("GET / HTTP/1.1\nHost: a\n\n");
    assert_eq!(head.parts.headers[HOST], "a");
    assert!(read(b"\r\n\r\n", 1).unwrap().is_none(), "empty lines are no head");
}

#[test]
fn a_request_has_one_end() {
    let framing = |lines: &str| head(&format!("POST / HTTP/1.1\r\n{lines}\r\n")).framing;
    assert_eq!(framing(""), Framing::Length(0));
    assert_eq!(framing("Content-Length: 0\r\n"), Framing::Length(0));
    assert_eq!(framing("Transfer-Encoding: Chunked\r\n"), Framing::Chunked);
    let repeated = head("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n");
    assert_eq!(repeated.framing, Framing::Length(3));
    assert_eq!(repeated.parts.headers.get_all(CONTENT_LENGTH).iter().count(), 1);
    assert_eq!(head("POST / HTTP/1.0\r\n\r\n").framing, Framing::Length(0));
}

#[test]
fn a_request_with_two_ends_is_refused() {
    for lines in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 3",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Content-Length: 3\r\nContent-Length: 4",
    ] {
        refused(format!("POST / HTTP/1.1\r\n{lines}\r\n\r\n"), BadHead::Malformed);
    }
    for coding in [
        ",chunked",
        "cow, chunked",
        "chunked, chunked",
        "identity",
        "chunked;q=1",
        "\"chunked\"",
        "",
        "\x0bchunked",
    ] {
        refused(format!("POST / HTTP/1.1\r\nTransfer-Encoding: {coding}\r\n\r\n"), BadHead::Malformed);
    }
    for length in ["1, 2", "1, 1", "+1", "-1", "0x10", "1_0", "", "1Z", "18446744073709551616"] {
        refused(format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"), BadHead::Malformed);
    }
    refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", BadHead::Malformed);
    refused("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\nGET /\x01 HTTP/1.1\r\n\r\n", BadHead::Malformed);
}

#[test]
fn what_is_no_head_is_refused() {
    for bytes in [
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHo st: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET / http/1.1\r\nHost: a\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "G@T /< HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        refused(bytes, BadHead::Malformed);
    }
    for target in ["/<", "/a\tb", "/a`", "/\x7f"] {
        refused(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"), BadHead::Target);
        refused(format!("\r\n\nGET {target} HTTP/1.1\r\nHost: a\r\n\r\n"), BadHead::Target);
    }
}

#[test]
fn a_lone_cr_before_a_head_is_no_empty_line() {
    refused("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", BadHead::Malformed);
    refused("\r\n\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", BadHead::Malformed);
    assert!(read(b"\n\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 1).unwrap().is_some());
}

#[test]
fn a_head_without_end_is_refused_at_its_limit() {
    let many = "A: 1\r\n".repeat(129);
    refused(format!("GET / HTTP/1.1\r\n{many}\r\n"), BadHead::TooLarge);
    let large = "x".repeat(70_000);
    refused(format!("GET / HTTP/1.1\r\nA: {large}"), BadHead::TooLarge);
    refused(format!("GET /{large}"), BadHead::TargetTooLong);
}

#[test]
fn more_lines_are_taken_where_the_settings_allow_them() {
    let bytes = format!("GET / HTTP/1.1\r\n{}\r\n", "A: 1\r\n".repeat(500));
    let mut buffer = BytesMut::from(bytes.as_bytes());
    let limits = HeadLimits { lines: 500, ..LIMITS };
    let head = HeadParser::default().parse(&mut buffer, limits).unwrap().unwrap();
    assert_eq!(head.parts.headers.len(), 500);
}

#[test]
fn what_the_client_wants_of_the_connection_is_known() {
    assert!(!head("GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n").stays_open);
    assert!(!head("GET / HTTP/1.0\r\n\r\n").stays_open);
    let old = head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(old.stays_open && !old.takes_chunks());
    assert!(head("POST / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n").expects_continue);
    assert!(!head("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expects_continue);
    assert!(head("GET / HTTP/1.1\r\nTE: gzip;q=1, Trailers\r\n\r\n").takes_trailers);
    assert!(!head("GET / HTTP/1.1\r\nTE: gzip\r\n\r\n").takes_trailers);
}
