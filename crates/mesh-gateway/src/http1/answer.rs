//! Writes an answer to a client as bytes: its head, its framing, its chunks (RFC 9112 §4, §6, §7.1).
//!
//! Nothing is checked here: names and values were checked when the header map took them.

use http::{
    HeaderMap, StatusCode, Version,
    header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING},
    response::Parts,
};

use super::{
    framing::decimal,
    request::{write_line, write_number_line},
};

/// Where the body of an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// There is none.
    Nothing,
    Length(u64),
    LastChunk,
    /// With the connection: for clients that know no chunks.
    Close,
}

/// What of the request says how its answer is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) is_head: bool,
    pub(crate) takes_chunks: bool,
}

/// What of a head is not its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'a> {
    /// What the head says of the connection, if anything.
    pub(crate) connection: Option<&'static str>,
    /// For an answer without a `Date`.
    pub(crate) date: &'a str,
}

impl BodyEnd {
    /// The end of the body of an answer with this head. `exact`: the body's length, where it is known.
    ///
    /// A length that the head says is believed: a body that has another one breaks off.
    pub(crate) fn of(head: &Parts, exact: Option<u64>, asked: Asked) -> Self {
        if asked.is_head || !may_have_body(head.status) {
            return Self::Nothing;
        }
        let said = || head.headers.get(CONTENT_LENGTH).and_then(decimal);
        match exact.or_else(said) {
            Some(length) => Self::Length(length),
            None if asked.takes_chunks => Self::LastChunk,
            None => Self::Close,
        }
    }
}

fn may_have_body(status: StatusCode) -> bool {
    !status.is_informational() && status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED
}

/// Writes the head. `exact`: the length of a body that is left out, because the request was a HEAD.
pub(crate) fn write_head(
    out: &mut Vec<u8>,
    head: &Parts,
    end: BodyEnd,
    exact: Option<u64>,
    around: Around<'_>,
) {
    let is_old = head.version == Version::HTTP_10;
    out.extend_from_slice(if is_old { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
    out.extend_from_slice(head.status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(head.status.canonical_reason().unwrap_or("Unknown").as_bytes());
    out.extend_from_slice(b"\r\n");
    let switches = head.status == StatusCode::SWITCHING_PROTOCOLS;
    let (mut has_length, mut has_date) = (false, false);
    for (name, value) in &head.headers {
        if *name == CONTENT_LENGTH {
            let is_good = match end {
                BodyEnd::Length(length) => decimal(value) == Some(length),
                BodyEnd::Nothing => head.status != StatusCode::NO_CONTENT && !head.status.is_informational(),
                BodyEnd::LastChunk | BodyEnd::Close => false,
            };
            if has_length || !is_good {
                continue;
            }
            has_length = true;
        } else if (*name == CONNECTION && !switches) || *name == TRANSFER_ENCODING {
            continue;
        } else if *name == DATE {
            has_date = true;
        }
        write_line(out, name.as_str(), value.as_bytes());
    }
    match (end, exact) {
        (BodyEnd::Length(length), _) if !has_length => write_length(out, length),
        (BodyEnd::Nothing, Some(length)) if !has_length && length > 0 => write_length(out, length),
        (BodyEnd::LastChunk, _) => write_line(out, TRANSFER_ENCODING.as_str(), b"chunked"),
        _ => {}
    }
    if let Some(connection) = around.connection {
        write_line(out, CONNECTION.as_str(), connection.as_bytes());
    }
    if !has_date && !switches {
        write_line(out, DATE.as_str(), around.date.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

fn write_length(out: &mut Vec<u8>, length: u64) {
    write_number_line(out, CONTENT_LENGTH.as_str(), length);
}

/// Writes what stands before the data of a chunk. Its data follows, then CRLF.
pub(crate) fn write_chunk_size(out: &mut Vec<u8>, length: usize) {
    let digits = (usize::BITS - length.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(length >> (digit * 4)) & 0xf]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes the last chunk, and the trailers behind it.
pub(crate) fn write_last_chunk(out: &mut Vec<u8>, trailers: Option<&HeaderMap>) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.into_iter().flatten() {
        write_line(out, name.as_str(), value.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue, Response};

    use super::*;

    const GET: Asked = Asked { is_head: false, takes_chunks: true };
    const HEAD: Asked = Asked { is_head: true, takes_chunks: true };
    const OLD: Asked = Asked { is_head: false, takes_chunks: false };

    fn head(status: u16, lines: &[(HeaderName, &'static str)]) -> Parts {
        let mut parts = Response::new(()).into_parts().0;
        parts.status = StatusCode::from_u16(status).unwrap();
        parts.headers =
            lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        parts
    }

    fn written(head: &Parts, exact: Option<u64>, asked: Asked) -> (BodyEnd, String) {
        let end = BodyEnd::of(head, exact, asked);
        let mut out = Vec::new();
        write_head(&mut out, head, end, exact, Around { connection: None, date: "now" });
        (end, String::from_utf8(out).unwrap())
    }

    #[track_caller]
    fn check(head: &Parts, exact: Option<u64>, asked: Asked, end: BodyEnd, text: &str) {
        let text = text.replace('|', "\r\n");
        assert_eq!(written(head, exact, asked), (end, text));
    }

    #[test]
    fn a_body_of_known_length_says_it_once() {
        let end = BodyEnd::Length(5);
        let text = "HTTP/1.1 200 OK|content-length: 5|date: now||";
        check(&head(200, &[]), Some(5), GET, end, text);
        check(&head(200, &[(CONTENT_LENGTH, "5")]), None, GET, end, text);
        check(&head(200, &[(CONTENT_LENGTH, "7")]), Some(5), GET, end, text);
        check(&head(200, &[(CONTENT_LENGTH, "5"), (CONTENT_LENGTH, "5")]), Some(5), GET, end, text);
        let empty = "HTTP/1.1 200 OK|content-length: 0|date: now||";
        check(&head(200, &[]), Some(0), GET, BodyEnd::Length(0), empty);
    }

    #[test]
    fn a_body_of_unknown_length_comes_in_chunks_or_ends_with_the_connection() {
        let chunked = "HTTP/1.1 200 OK|transfer-encoding: chunked|date: now||";
        check(&head(200, &[]), None, GET, BodyEnd::LastChunk, chunked);
        check(&head(200, &[(TRANSFER_ENCODING, "gzip")]), None, GET, BodyEnd::LastChunk, chunked);
        check(&head(200, &[]), None, OLD, BodyEnd::Close, "HTTP/1.1 200 OK|date: now||");
    }

    #[test]
    fn answers_without_a_body_keep_the_length_of_what_they_leave_out() {
        let text = "HTTP/1.1 200 OK|content-length: 7|date: now||";
        check(&head(200, &[(CONTENT_LENGTH, "7")]), Some(0), HEAD, BodyEnd::Nothing, text);
        check(&head(200, &[]), Some(7), HEAD, BodyEnd::Nothing, text);
        check(&head(200, &[]), Some(0), HEAD, BodyEnd::Nothing, "HTTP/1.1 200 OK|date: now||");
        let text = "HTTP/1.1 304 Not Modified|content-length: 7|date: now||";
        check(&head(304, &[(CONTENT_LENGTH, "7")]), Some(0), GET, BodyEnd::Nothing, text);
        let text = "HTTP/1.1 204 No Content|date: now||";
        check(&head(204, &[(CONTENT_LENGTH, "7")]), Some(0), GET, BodyEnd::Nothing, text);
    }

    #[test]
    fn the_connection_is_the_writers_to_speak_of_but_for_a_switch() {
        let text = "HTTP/1.1 200 OK|date: then|content-length: 0||";
        check(&head(200, &[(CONNECTION, "x"), (DATE, "then")]), Some(0), GET, BodyEnd::Length(0), text);
        let text = "HTTP/1.1 101 Switching Protocols|connection: upgrade||";
        check(&head(101, &[(CONNECTION, "upgrade")]), Some(0), GET, BodyEnd::Nothing, text);
        let mut out = Vec::new();
        let around = Around { connection: Some("close"), date: "now" };
        write_head(&mut out, &head(299, &[]), BodyEnd::Close, None, around);
        assert_eq!(out, b"HTTP/1.1 299 Unknown\r\nconnection: close\r\ndate: now\r\n\r\n");
    }

    #[test]
    fn chunks_have_their_size_in_hex_and_an_end() {
        for length in [1, 9, 10, 15, 16, 255, 256, 4096, 65_535, 1_048_576] {
            let mut out = Vec::new();
            write_chunk_size(&mut out, length);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{length:x}\r\n"));
        }
        let mut out = Vec::new();
        let trailers = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from(0))]);
        write_last_chunk(&mut out, Some(&trailers));
        write_last_chunk(&mut out, None);
        assert_eq!(out, b"0\r\ngrpc-status: 0\r\n\r\n0\r\n\r\n");
    }
}
