//! Requests as the backend reads them: a head through httparse, a body by its Content-Length.
//!
//! Refuses every other framing: no case of the benchmark sends one.

use httparse::{EMPTY_HEADER, Status};

/// More fields than any proxy here adds.
const MOST_FIELDS: usize = 64;

/// The largest head, and the largest body.
const MOST_HEAD: usize = 64 * 1024;
const MOST_BODY: usize = 8 * 1024 * 1024;

/// A whole request.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    /// As it was sent.
    pub(super) method: &'a str,
    /// As it was sent, with its query.
    pub(super) target: &'a str,
    /// All of it.
    pub(super) body: &'a [u8],
    /// Of head and body, in bytes.
    pub(super) length: usize,
    /// Whether this is the last one on its connection.
    pub(super) close: bool,
    /// `X-Signature`.
    pub(super) signature: Field<'a>,
    /// `X-Timestamp`.
    pub(super) timestamp: Field<'a>,
    /// `X-Service-Name`.
    pub(super) service: Field<'a>,
}

/// A header field that may stand once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// It does not stand there.
    #[default]
    Absent,
    /// Its value.
    Once(&'a [u8]),
    /// It stands there again.
    Doubled,
}

/// Why a request has no answer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not HTTP, or a length that is no number.
    Malformed,
    /// Framed by anything but Content-Length.
    NoLength,
    /// Beyond what a benchmark sends.
    TooLarge,
}

/// The request that `bytes` begin with, `None` when more must be read.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Request<'_>>, Refusal> {
    let mut fields = [EMPTY_HEADER; MOST_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let head_length = match head.parse(bytes) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) if bytes.len() < MOST_HEAD => return Ok(None),
        Ok(Status::Partial) => return Err(Refusal::TooLarge),
        Err(_) => return Err(Refusal::Malformed),
    };
    let mut request = Request {
        method: head.method.unwrap_or_default(),
        target: head.path.unwrap_or_default(),
        ..Request::default()
    };
    let mut body = 0;
    for field in head.headers.iter() {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        match field.name.len() {
            10 if is("connection") => request.close = field.value.eq_ignore_ascii_case(b"close"),
            11 if is("x-signature") => request.signature.put(field.value),
            11 if is("x-timestamp") => request.timestamp.put(field.value),
            14 if is("x-service-name") => request.service.put(field.value),
            14 if is("content-length") => body = number(field.value).ok_or(Refusal::Malformed)?,
            17 if is("transfer-encoding") => return Err(Refusal::NoLength),
            _ => {}
        }
    }
    if body > MOST_BODY {
        return Err(Refusal::TooLarge);
    }
    request.length = head_length + body;
    let Some(whole) = bytes.get(head_length..request.length) else { return Ok(None) };
    request.body = whole;
    Ok(Some(request))
}

impl<'a> Field<'a> {
    fn put(&mut self, value: &'a [u8]) {
        *self = if *self == Self::Absent { Self::Once(value) } else { Self::Doubled };
    }
}

/// Decimal digits and nothing else.
fn number(text: &[u8]) -> Option<usize> {
    let digits = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_with_the_last_byte_of_its_body() {
        let bytes = b"POST /a?b HTTP/1.1\r\nContent-Length: 3\r\nX-Signature: s\r\n\r\nabcGET";
        for end in 0..bytes.len() - 3 {
            assert!(parse(&bytes[..end]).unwrap().is_none(), "{end}");
        }
        let request = parse(bytes).unwrap().unwrap();
        assert_eq!((request.method, request.target, request.body), ("POST", "/a?b", &b"abc"[..]));
        assert_eq!((request.length, request.close), (bytes.len() - 3, false));
        assert_eq!((request.signature, request.timestamp), (Field::Once(b"s"), Field::Absent));
    }

    #[test]
    fn a_field_that_stands_twice_is_doubled_even_with_one_value() {
        let request = parse(b"GET / HTTP/1.1\r\nX-Timestamp: 1\r\nx-timestamp: 1\r\n\r\n").unwrap().unwrap();
        assert_eq!(request.timestamp, Field::Doubled);
    }

    #[track_caller]
    fn check_refused(bytes: &[u8], refusal: Refusal) {
        assert_eq!(parse(bytes).unwrap_err(), refusal);
    }

    #[test]
    fn other_framings_and_nonsense_are_refused() {
        check_refused(b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::NoLength);
        check_refused(b"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", Refusal::Malformed);
        check_refused(b"GET / HTTP/1.1\r\nContent-Length: 8388609\r\n\r\n", Refusal::TooLarge);
        check_refused(b"\0", Refusal::Malformed);
    }
}
