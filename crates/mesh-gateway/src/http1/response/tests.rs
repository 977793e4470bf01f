//! Answers' heads, well-formed and malformed, cut at every byte.

use super::*;

/// What the parser makes of `bytes` that come in slices of `step`, and what it leaves behind the head.
fn read(
    parser: &mut Parser,
    bytes: &[u8],
    step: usize,
) -> Result<Option<(ResponseHead, Vec<u8>)>, Malformed> {
    let mut buffer = BytesMut::new();
    let mut slices = bytes.chunks(step);
    while let Some(slice) = slices.next() {
        buffer.extend_from_slice(slice);
        if let Some(head) = parser.parse(&mut buffer)? {
            slices.for_each(|slice| buffer.extend_from_slice(slice));
            return Ok(Some((head, buffer.to_vec())));
        }
    }
    Ok(None)
}

#[track_caller]
fn good(bytes: &str, status: u16, framing: Framing, stays_open: bool, rest: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for step in 1..=bytes.len() {
        let read = read(&mut Parser::new(false, false), bytes.as_bytes(), step);
        let (head, left) = read.unwrap().unwrap_or_else(|| panic!("{bytes:?} has no end"));
        assert_eq!(
            (head.status.as_u16(), head.framing, head.stays_open, left.as_slice()),
            (status, framing, stays_open, rest.as_bytes()),
            "{bytes:?} in slices of {step}"
        );
        headers = head.headers;
    }
    headers
}

#[track_caller]
fn bad(bytes: &str, expected: Malformed) {
    for step in 1..=bytes.len() {
        let read = read(&mut Parser::new(false, false), bytes.as_bytes(), step);
        assert_eq!(read.map(|_| ()).unwrap_err(), expected, "{bytes:?} in slices of {step}");
    }
}

#[test]
fn a_head_is_read_however_it_is_cut() {
    let headers = good(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  1 \r\nx-a: 2\r\nX-Empty:\r\n\r\nhello",
        200,
        Framing::Length(5),
        true,
        "hello",
    );
    let values: Vec<_> = headers.get_all("x-a").iter().map(|value| value.as_bytes().to_vec()).collect();
    assert_eq!(values, [b"1".to_vec(), b"2".to_vec()]);
    assert_eq!(headers["x-empty"], "");
    good("HTTP/1.1 404 \r\nTransfer-Encoding: chunked\r\n\r\n0", 404, Framing::Chunked, true, "0");
    good("HTTP/1.1 200\r\n\r\n", 200, Framing::UntilClose, false, "");
    good("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", 200, Framing::Length(1), false, "a");
    good(
        "HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        500,
        Framing::Length(0),
        false,
        "",
    );
    good("HTTP/1.1 200 OK\nContent-Length: 1\n\na", 200, Framing::Length(1), true, "a");
}

#[test]
fn bytes_above_127_in_a_value_go_on_as_they_are() {
    let bytes = b"HTTP/1.1 200 OK\r\nX-Name: K\xf6ln\r\nContent-Length: 0\r\n\r\n";
    let (head, _) = read(&mut Parser::new(false, false), bytes, 64).unwrap().unwrap();
    assert_eq!(head.headers["x-name"].as_bytes(), b"K\xf6ln");
}

#[test]
fn interim_answers_are_swallowed() {
    good(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nx",
        204,
        Framing::Length(0),
        true,
        "x",
    );
    bad(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(17), Malformed::Interim);
    let large = format!("HTTP/1.1 103 X\r\nX: {}\r\n\r\n", "x".repeat(40_000)).repeat(2);
    let read = read(&mut Parser::new(false, false), large.as_bytes(), 16 * 1024);
    assert!(matches!(read, Err(Malformed::Interim | Malformed::HeadTooLarge)));
}

#[test]
fn what_is_no_head_is_refused() {
    for line in [
        "HTTP/2.0 200 OK",
        "HTTP/1.2 200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 000 X",
        "HTTP/1.1 099 X",
        "HTTP/1.1  200 OK",
        "http/1.1 200 OK",
        "ICY 200 OK",
        " HTTP/1.1 200 OK",
        "SSH-2.0-x",
        "\r\nHTTP/1.1 200 OK",
        "\nHTTP/1.1 200 OK",
    ] {
        bad(&format!("{line}\r\n\r\n"), Malformed::Head);
    }
    for line in ["X : 1", " X: 1", "X 1", ": 1", "X: a\0b", "X: a\rb", "X: 1\r\n folded", "Ä: 1", "X: a\x7fb"]
    {
        bad(&format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n"), Malformed::Head);
    }
}

#[test]
fn what_begins_like_no_answer_is_refused_with_its_first_bytes() {
    for bytes in ["S", "\r", "\0", "HTTP/2", "HTTP/1.1 100 Continue\r\n\r\nx"] {
        bad(bytes, Malformed::Head);
    }
}

#[test]
fn a_204_that_announces_a_body_is_the_last_of_its_connection() {
    good("HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n", 204, Framing::Length(0), true, "");
    good("HTTP/1.1 204 X\r\nContent-Length: 10\r\n\r\nx", 204, Framing::Length(0), false, "x");
    good("HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n", 204, Framing::Length(0), false, "");
    good("HTTP/1.1 304 X\r\nContent-Length: 10\r\n\r\n", 304, Framing::Length(0), true, "");
}

#[test]
fn a_switch_of_protocols_must_have_been_asked_for() {
    let bytes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nraw";
    bad(bytes, Malformed::Switch);
    let (head, rest) = read(&mut Parser::new(false, true), bytes.as_bytes(), 7).unwrap().unwrap();
    assert_eq!((head.framing, head.stays_open, rest), (Framing::UntilClose, false, b"raw".to_vec()));
}

#[test]
fn a_head_without_end_is_refused() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(MAX_HEAD_BYTES));
    for step in [1, 100, 8192] {
        let read = read(&mut Parser::new(false, false), endless.as_bytes(), step);
        assert_eq!(read.map(|_| ()).unwrap_err(), Malformed::HeadTooLarge);
    }
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: 1\r\n".repeat(MAX_HEADERS + 1));
    bad(&many, Malformed::HeadTooLarge);
    let most = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: 1\r\n".repeat(MAX_HEADERS));
    good(&most, 200, Framing::UntilClose, false, "");
}

#[test]
fn the_answer_to_head_has_no_body() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n";
    let (head, _) = read(&mut Parser::new(true, false), bytes, 64).unwrap().unwrap();
    assert_eq!((head.framing, head.stays_open), (Framing::Length(0), true));
    assert_eq!(head.headers["content-length"], "7");
}
