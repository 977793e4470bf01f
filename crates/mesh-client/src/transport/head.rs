//! Which heads of answers are none: ambiguous framing, unasked upgrades, heads beyond the limit (docs/refusals.md,
//! Answers of services).

use http::{StatusCode, Version, header, response::Parts};
use mesh_core::retry::Failure;

use super::TransportError;

/// Source: docs/refusals.md, Answers of services.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// `: ` and CR LF of a header line.
const LINE_OVERHEAD: usize = 4;

/// Whether the head of an answer can be read in one way only.
///
/// # Errors
///
/// [`Failure::Malformed`] with the reason: the connection is not to be used again.
pub fn check_head(head: &Parts) -> Result<(), TransportError> {
    let malformed = |reason: &str| Err(TransportError::lost(Failure::Malformed, reason));
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return malformed("an upgrade nobody asked for");
    }
    let size: usize =
        head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + LINE_OVERHEAD).sum();
    if size > MAX_HEAD_BYTES {
        return malformed("a head above 64 KiB");
    }
    let mut codings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        if !coding.as_bytes().eq_ignore_ascii_case(b"chunked") || codings.next().is_some() {
            return malformed("a transfer coding other than chunked");
        }
        if head.version == Version::HTTP_10 {
            return malformed("a transfer coding in HTTP/1.0");
        }
        if head.headers.contains_key(header::CONTENT_LENGTH) {
            return malformed("both a length and a transfer coding");
        }
    }
    if head.headers.get_all(header::CONTENT_LENGTH).iter().count() > 1 {
        return malformed("two lengths");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    #[track_caller]
    fn check(status: u16, version: Version, headers: &[(&str, &str)], refused: bool) {
        let mut response = Response::builder().status(status).version(version);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let (head, ()) = response.body(()).unwrap().into_parts();
        assert_eq!(check_head(&head).is_err(), refused, "{status} {version:?} {headers:?}");
    }

    #[test]
    fn a_head_that_can_be_read_in_two_ways_is_no_answer() {
        let (length, coding) = ("content-length", "transfer-encoding");
        check(200, Version::HTTP_11, &[(length, "3")], false);
        check(200, Version::HTTP_11, &[(coding, "chunked")], false);
        check(200, Version::HTTP_11, &[(coding, "Chunked")], false);
        check(200, Version::HTTP_11, &[(coding, "chunked"), (length, "3")], true);
        check(200, Version::HTTP_11, &[(coding, "chunked, chunked")], true);
        check(200, Version::HTTP_11, &[(coding, "chunked"), (coding, "chunked")], true);
        check(200, Version::HTTP_11, &[(coding, "gzip, chunked")], true);
        check(200, Version::HTTP_10, &[(coding, "chunked")], true);
        check(200, Version::HTTP_11, &[(length, "3"), (length, "4")], true);
        check(101, Version::HTTP_11, &[], true);
        check(200, Version::HTTP_11, &[("x-large", &"x".repeat(MAX_HEAD_BYTES))], true);
    }
}
