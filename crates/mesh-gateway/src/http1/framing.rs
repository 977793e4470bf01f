//! Where an answer's body ends (RFC 9112 §6.3).
//!
//! Refuses two ends: a length beside chunks, differing lengths, a coding other than `chunked`, chunks over HTTP/1.0.

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode, Version,
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
    pub(super) fn of(
        status: StatusCode,
        version: Version,
        ends: &Ends,
        headers: &mut HeaderMap,
        is_head: bool,
    ) -> Result<Self, Malformed> {
        let announced = ends.framing(version, headers)?;
        if is_head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Ok(Self::Length(0));
        }
        Ok(announced)
    }
}

/// What a message's header lines say of its end and of its connection, taken line by line.
#[derive(Debug, Default)]
pub(super) struct Ends {
    length: Option<u64>,
    /// Whether `Content-Length` is said more than once, each time the same.
    is_repeated: bool,
    codings: u32,
    is_unclear: bool,
    closes: bool,
    keeps: bool,
}

impl Ends {
    /// Takes one line.
    pub(super) fn take(&mut self, name: &HeaderName, value: &HeaderValue) {
        if *name == CONTENT_LENGTH {
            match (decimal(value), self.length) {
                (None, _) => self.is_unclear = true,
                (length, None) => self.length = length,
                (length, known) => {
                    self.is_unclear |= length != known;
                    self.is_repeated = true;
                }
            }
        } else if *name == TRANSFER_ENCODING {
            self.codings += 1;
            self.is_unclear |= !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
        } else if *name == CONNECTION {
            for option in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                self.closes |= option.eq_ignore_ascii_case(b"close");
                self.keeps |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        }
    }

    /// The framing that the lines announce; none of them: with the connection. Lines that repeat one `Content-Length` are
    /// made one.
    pub(super) fn framing(&self, version: Version, headers: &mut HeaderMap) -> Result<Framing, Malformed> {
        let has_two = self.codings > 1 || (self.codings == 1 && self.length.is_some());
        if self.is_unclear || has_two || (self.codings == 1 && version < Version::HTTP_11) {
            return Err(Malformed::Framing);
        }
        let Some(length) = self.length else {
            return Ok(if self.codings == 1 { Framing::Chunked } else { Framing::UntilClose });
        };
        if self.is_repeated {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        Ok(Framing::Length(length))
    }

    /// Whether the connection can carry another message after this one (RFC 9112 §9.3).
    pub(super) fn stays_open(&self, version: Version) -> bool {
        !self.closes && (version >= Version::HTTP_11 || self.keeps)
    }

    /// Whether a body is announced, by an answer that has none: what follows may be that body, or the next answer.
    pub(super) const fn announce_body(&self) -> bool {
        self.codings > 0 || matches!(self.length, Some(1..))
    }
}

/// Decimal digits and nothing else.
pub(super) fn decimal(value: &HeaderValue) -> Option<u64> {
    let digits = value.as_bytes();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn ends(headers: &HeaderMap) -> Ends {
        let mut ends = Ends::default();
        headers.iter().for_each(|(name, value)| ends.take(name, value));
        ends
    }

    fn framing(
        status: u16,
        version: Version,
        headers: &mut HeaderMap,
        is_head: bool,
    ) -> Result<Framing, Malformed> {
        Framing::of(StatusCode::from_u16(status).unwrap(), version, &ends(headers), headers, is_head)
    }

    #[track_caller]
    fn check(lines: &[(HeaderName, &'static str)], expected: Result<Framing, Malformed>) {
        let found = framing(200, Version::HTTP_11, &mut headers(lines), false);
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
        assert_eq!(framing(200, Version::HTTP_11, &mut lines, false), Ok(Framing::Length(3)));
        assert_eq!(lines, headers(&[(CONTENT_LENGTH, "3")]));
    }

    #[test]
    fn chunks_over_http_1_0_are_malformed() {
        let mut lines = headers(&[(TRANSFER_ENCODING, "chunked")]);
        assert_eq!(framing(200, Version::HTTP_10, &mut lines, false), Err(Malformed::Framing));
    }

    #[test]
    fn some_answers_never_have_a_body() {
        for (status, is_head) in [(200, true), (204, false), (304, false)] {
            let mut lines = headers(&[(CONTENT_LENGTH, "7")]);
            let found = framing(status, Version::HTTP_11, &mut lines, is_head);
            assert_eq!(found, Ok(Framing::Length(0)), "{status}");
            assert_eq!(lines, headers(&[(CONTENT_LENGTH, "7")]));
        }
    }

    #[test]
    fn a_connection_stays_open_unless_the_answer_says_otherwise() {
        #[track_caller]
        fn check(version: Version, lines: &[&'static str], expected: bool) {
            let lines: Vec<_> = lines.iter().map(|line| (CONNECTION, *line)).collect();
            assert_eq!(ends(&headers(&lines)).stays_open(version), expected, "{version:?} {lines:?}");
        }
        check(Version::HTTP_11, &[], true);
        check(Version::HTTP_11, &["x", "Close"], false);
        check(Version::HTTP_11, &["keep-alive, close"], false);
        check(Version::HTTP_10, &[], false);
        check(Version::HTTP_10, &["Keep-Alive"], true);
    }
}
