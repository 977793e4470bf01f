//! Hex digits and percent-encoding (RFC 3986 §2): the one place that knows which bytes stand as they are.
//!
//! Refuses a `%` without two hex digits wherever it decodes.

use std::borrow::Cow;

const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// Whether the byte never needs an encoding (RFC 3986 §2.3).
#[must_use]
pub const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Whether the byte stands in a path as it is: RFC 3986's `pchar` without `%`, and the slash between segments.
#[must_use]
pub const fn is_plain(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@' | b'/'
        )
}

/// The two lower-case hex digits of `byte`.
#[must_use]
#[inline]
pub const fn lower_hex(byte: u8) -> [u8; 2] {
    [lower_digit(byte >> 4), lower_digit(byte & 15)]
}

/// Without a table, so that many digits are made at once.
#[inline]
const fn lower_digit(value: u8) -> u8 {
    value + b'0' + if value > 9 { b'a' - b'0' - 10 } else { 0 }
}

/// Writes two lower-case hex digits for each byte, as many as there is room for.
#[inline]
pub(crate) fn write_lower_hex(out: &mut [u8], bytes: &[u8]) {
    for (pair, byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = lower_hex(*byte);
    }
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The byte that the percent-encoding at the beginning of `rest` stands for.
#[must_use]
pub fn decoded(rest: &[u8]) -> Option<u8> {
    match rest {
        [b'%', high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// `text` decoded once; `None` when its encoding is broken. Allocates only for an encoded text.
#[must_use]
pub fn decode(text: &str) -> Option<Cow<'_, [u8]>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        if *byte == b'%' {
            out.push(decoded(rest)?);
            rest = &rest[3..];
        } else {
            out.push(*byte);
            rest = after;
        }
    }
    Some(Cow::Owned(out))
}

/// Adds `byte` as a triplet with upper-case digits (RFC 3986 §2.1).
pub fn push_encoded(out: &mut String, byte: u8) {
    out.push('%');
    out.push(char::from(UPPER[usize::from(byte >> 4)]));
    out.push(char::from(UPPER[usize::from(byte & 15)]));
}

/// Whether a server that decodes `segment` and cuts its parameters off could read a part of it as `.` or `..`.
///
/// `%2e`, `..;a=b`, `..%3ba` and `a%2f..%5cb` are such segments: whatever stands between slashes or backslashes, encoded
/// ones too, counts. One whose encoding is broken is none.
#[must_use]
pub fn is_dot_segment(segment: &str) -> bool {
    decode(segment).is_some_and(|decoded| has_dots(&decoded))
}

/// [`is_dot_segment`] of a segment that was decoded already.
pub(crate) fn has_dots(decoded: &[u8]) -> bool {
    decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(is_dots)
}

fn is_dots(part: &[u8]) -> bool {
    matches!(part.split(|byte| *byte == b';').next(), Some(b"." | b".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_encoded_and_decoded_to_itself() {
        for byte in 0..=u8::MAX {
            let mut text = String::new();
            push_encoded(&mut text, byte);
            assert_eq!(text, format!("%{byte:02X}"));
            assert_eq!((decoded(text.as_bytes()), decode(&text).as_deref()), (Some(byte), Some(&[byte][..])));
            assert_eq!(lower_hex(byte), *format!("{byte:02x}").as_bytes());
            assert_eq!(decoded(text.to_lowercase().as_bytes()), Some(byte));
        }
    }

    #[test]
    fn a_broken_encoding_decodes_to_nothing() {
        for text in ["%", "%4", "a%zz", "%+1", "%4\u{fc}", "%%41"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode("a%41b").as_deref(), Some(&b"aAb"[..]));
        assert!(matches!(decode("plain"), Some(Cow::Borrowed(b"plain"))));
    }

    #[test]
    fn a_dot_segment_is_one_in_every_disguise() {
        for segment in
            [".", "..", "%2e", ".%2E", "..;a=b", "..%3ba", "%2e%2e%3B", "a%2f..", "..%5Cb", "..\\a", ".;"]
        {
            assert!(is_dot_segment(segment), "{segment}");
        }
        for segment in ["", "...", "a..", "..a", "%252e", "a;..", ".%", "~.", "..%20"] {
            assert!(!is_dot_segment(segment), "{segment}");
        }
    }
}
