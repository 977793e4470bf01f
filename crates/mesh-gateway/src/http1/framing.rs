//! Where an answer's body ends (RFC 9112 §6.3).
//!
//! Refuses two ends: a length beside chunks, differing lengths, a coding other than `chunked`, chunks over HTTP/1.0.

use http::{
    HeaderMap, HeaderValue, StatusCode, Version,
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING},
};

use super::Malformed;

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After so many bytes; 0: there is none.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

impl Framing {
    /// The framing of an answer with this head to a request whose method was HEAD, or not.
    ///
    /// Lines that repeat one `Content-Length` are made one.
    pub(super) fn of(
        status: StatusCode,
        version: Version,
        headers: &mut HeaderMap,
        is_head: bool,
    ) -> Result<Self, Malformed> {
        let announced = announced(version, headers)?;
        if is_head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Ok(Self::Length(0));
        }
        Ok(announced)
    }
}

fn announced(version: Version, headers: &mut HeaderMap) -> Result<Framing, Malformed> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        let is_clear = coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked")
            && codings.next().is_none()
            && version >= Version::HTTP_11
            && !headers.contains_key(CONTENT_LENGTH);
        return if is_clear { Ok(Framing::Chunked) } else { Err(Malformed::Framing) };
    }
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let Some(first) = lengths.next() else { return Ok(Framing::UntilClose) };
    let length = decimal(first).ok_or(Malformed::Framing)?;
    let mut is_repeated = false;
    for further in lengths {
        if decimal(further) != Some(length) {
            return Err(Malformed::Framing);
        }
        is_repeated = true;
    }
    if is_repeated {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(Framing::Length(length))
}

/// Decimal digits and nothing else.
fn decimal(value: &HeaderValue) -> Option<u64> {
    let digits = value.as_bytes();
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether the connection can carry another request after this answer (RFC 9112 §9.3).
pub(super) fn stays_open(version: Version, headers: &HeaderMap) -> bool {
    let (mut closes, mut keeps) = (false, false);
    for option in
        headers.get_all(CONNECTION).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
    {
        let option = option.trim_ascii();
        closes |= option.eq_ignore_ascii_case(b"close");
        keeps |= option.eq_ignore_ascii_case(b"keep-alive");
    }
    !closes && (version >= Version::HTTP_11 || keeps)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn headers(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[track_caller]
    fn check(lines: &[(HeaderName, &'static str)], expected: Result<Framing, Malformed>) {
        let found = Framing::of(StatusCode::OK, Version::HTTP_11, &mut headers(lines), false);
        assert_eq!(found, expected, "{lines:?}");
    }

    #[test]
    fn an_answer_has_one_end() {
        check(&[], Ok(Framing::UntilClose));
        check(&[(CONTENT_LENGTH, "0")], Ok(Framing::Length(0)));
        check(&[(CONTENT_LENGTH, "18446744073709551615")], Ok(Framing::Length(u64::MAX)));
        check(&[(TRANSFER_ENCODING, "Chunked")], Ok(Framing::Chunked));
    }

    #[test]
    fn an_answer_with_two_ends_is_malformed() {
        let malformed = Err(Malformed::Framing);
        check(&[(TRANSFER_ENCODING, "chunked"), (CONTENT_LENGTH, "3")], malformed);
        check(&[(CONTENT_LENGTH, "3"), (TRANSFER_ENCODING, "chunked")], malformed);
        check(&[(TRANSFER_ENCODING, "chunked"), (TRANSFER_ENCODING, "chunked")], malformed);
        for coding in ["chunked, chunked", "gzip, chunked", "identity", "", "chunked;q=1", "\"chunked\""] {
            check(&[(TRANSFER_ENCODING, coding)], malformed);
        }
        check(&[(CONTENT_LENGTH, "3"), (CONTENT_LENGTH, "4")], malformed);
        for length in ["3, 3", "+1", "-1", "0x10", "1_0", "", "1Z", "18446744073709551616", "1 0"] {
            check(&[(CONTENT_LENGTH, length)], malformed);
        }
    }

    #[test]
    fn a_length_that_is_repeated_goes_on_once() {
        let mut lines = headers(&[(CONTENT_LENGTH, "3"), (CONTENT_LENGTH, "3")]);
        let framing = Framing::of(StatusCode::OK, Version::HTTP_11, &mut lines, false);
        assert_eq!(framing, Ok(Framing::Length(3)));
        assert_eq!(lines, headers(&[(CONTENT_LENGTH, "3")]));
    }

    #[test]
    fn chunks_over_http_1_0_are_malformed() {
        let mut lines = headers(&[(TRANSFER_ENCODING, "chunked")]);
        let framing = Framing::of(StatusCode::OK, Version::HTTP_10, &mut lines, false);
        assert_eq!(framing, Err(Malformed::Framing));
    }

    #[test]
    fn some_answers_never_have_a_body() {
        for (status, is_head) in [(200, true), (204, false), (304, false)] {
            let mut lines = headers(&[(CONTENT_LENGTH, "7")]);
            let status = StatusCode::from_u16(status).unwrap();
            let framing = Framing::of(status, Version::HTTP_11, &mut lines, is_head);
            assert_eq!(framing, Ok(Framing::Length(0)), "{status}");
            assert_eq!(lines, headers(&[(CONTENT_LENGTH, "7")]));
        }
    }

    #[test]
    fn a_connection_stays_open_unless_the_answer_says_otherwise() {
        #[track_caller]
        fn check(version: Version, lines: &[&'static str], expected: bool) {
            let lines: Vec<_> = lines.iter().map(|line| (CONNECTION, *line)).collect();
            assert_eq!(stays_open(version, &headers(&lines)), expected, "{version:?} {lines:?}");
        }
        check(Version::HTTP_11, &[], true);
        check(Version::HTTP_11, &["x", "Close"], false);
        check(Version::HTTP_11, &["keep-alive, close"], false);
        check(Version::HTTP_10, &[], false);
        check(Version::HTTP_10, &["Keep-Alive"], true);
    }
}
