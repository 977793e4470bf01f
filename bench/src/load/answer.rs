//! Answers as the load reads them: a head through httparse, a body by its Content-Length.
//!
//! Refuses every other framing: the backend sends a length, and a proxy that loses it is not passing on what it was given.

use httparse::{EMPTY_HEADER, Status};

/// More fields than any proxy here adds.
const MOST_FIELDS: usize = 64;

/// What the head of an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status.
    pub(crate) status: u16,
    /// Of the head, in bytes.
    pub(crate) length: usize,
    /// Of the body, in bytes.
    pub(crate) body: usize,
    /// Whether the connection ends with this answer.
    pub(crate) close: bool,
}

/// The bytes are no answer, or none with a Content-Length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The head that `bytes` begin with, `None` when more must be read.
///
/// # Errors
///
/// When it cannot become one.
pub(crate) fn head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    let mut fields = [EMPTY_HEADER; MOST_FIELDS];
    let mut answer = httparse::Response::new(&mut fields);
    let length = match answer.parse(bytes).map_err(|_| Malformed)? {
        Status::Complete(length) => length,
        Status::Partial => return Ok(None),
    };
    let (mut body, mut close) = (None, false);
    for field in answer.headers.iter() {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        match field.name.len() {
            10 if is("connection") => close = field.value.eq_ignore_ascii_case(b"close"),
            14 if is("content-length") => {
                let text = std::str::from_utf8(field.value).map_err(|_| Malformed)?;
                body = Some(text.parse().map_err(|_| Malformed)?);
            }
            _ => {}
        }
    }
    let status = answer.code.ok_or(Malformed)?;
    Ok(Some(Head { status, length, body: body.ok_or(Malformed)?, close }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_whole_with_its_empty_line() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n";
        for end in 0..bytes.len() {
            assert_eq!(head(&bytes[..end]), Ok(None));
        }
        let expected = Head { status: 200, length: bytes.len(), body: 3, close: true };
        assert_eq!(head(bytes), Ok(Some(expected)));
    }

    #[test]
    fn an_answer_without_a_length_is_malformed() {
        assert_eq!(head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), Err(Malformed));
        assert_eq!(head(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), Err(Malformed));
        assert_eq!(head(b"SSH-2.0"), Err(Malformed));
    }
}
