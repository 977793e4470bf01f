//! The form in which paths and literals are compared (docs/wire.md, G2; RFC 3986 §6.2.2).
//!
//! Percent-encoded unreserved characters are decoded, all other percent-encodings have upper-case digits, and every
//! byte that may not stand in a path is percent-encoded. The result is ASCII, and `%` in it always begins a triplet.

use std::borrow::Cow;

use crate::percent::{decoded, is_plain, is_unreserved, push_encoded};

const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        {
            table[byte] = is_plain(byte as u8);
        }
        byte += 1;
    }
    table
};

/// `path` in the form in which it is compared. Allocates only when it differs.
pub(crate) fn normalise(path: &str) -> Cow<'_, str> {
    if path.bytes().all(|byte| PLAIN[usize::from(byte)]) {
        return Cow::Borrowed(path);
    }
    let mut out = String::with_capacity(path.len() + 16);
    let mut rest = path.as_bytes();
    while let [byte, after @ ..] = rest {
        if let Some(encoded) = decoded(rest) {
            if is_unreserved(encoded) {
                out.push(char::from(encoded))
            } else {
                push_encoded(&mut out, encoded)
            }
            rest = &rest[3..];
            continue;
        }
        if is_plain(*byte) {
            out.push(char::from(*byte))
        } else {
            push_encoded(&mut out, *byte)
        }
        rest = after;
    }
    Cow::Owned(out)
}

/// Where in `raw` the part begins whose normal form begins at `position` of `raw`'s normal form.
pub(super) fn raw_position(raw: &str, position: usize) -> usize {
    let bytes = raw.as_bytes();
    let (mut at, mut normal) = (0, 0);
    while normal < position && at < bytes.len() {
        match decoded(&bytes[at..]) {
            Some(encoded) => {
                at += 3;
                normal += if is_unreserved(encoded) { 1 } else { 3 };
            }
            None => {
                normal += if is_plain(bytes[at]) { 1 } else { 3 };
                at += 1;
            }
        }
    }
    at
}

/// Whether a character begins at `at` in a text in normal form: neither inside a triplet nor before a triplet that
/// continues a character of UTF-8.
pub(super) fn is_boundary(normal: &[u8], at: usize) -> bool {
    if at == 0 || at >= normal.len() {
        return at <= normal.len();
    }
    let inside = normal[at - 1] == b'%' || (at >= 2 && normal[at - 2] == b'%');
    let continues = normal[at] == b'%' && matches!(normal.get(at + 1), Some(b'8' | b'9' | b'A' | b'B'));
    !inside && !continues
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        assert_eq!(normalise(path), expected, "{path}");
        assert_eq!(normalise(expected), expected, "{path}: the normal form is its own normal form");
    }

    #[test]
    fn unreserved_characters_are_decoded_and_everything_else_is_encoded_in_upper_case() {
        check("/api/%66eatured", "/api/featured");
        check("/%7Eme/%2d%2E%5f", "/~me/-._");
        check("/a%2fb%c3%bc", "/a%2Fb%C3%BC");
        check("/ü", "/%C3%BC");
        check("/a b/{x}", "/a%20b/%7Bx%7D");
        check("/reg+(x)", "/reg+(x)");
        check("/%252e", "/%252e");
        check("/%zz", "/%25zz");
    }

    #[test]
    fn a_plain_path_is_borrowed() {
        assert!(matches!(normalise("/api/products/1;v=2"), Cow::Borrowed(_)));
    }

    #[test]
    fn positions_in_the_normal_form_lead_back_to_the_bytes_that_came() {
        for (raw, position, expected) in
            [("%41b", 1, 3), ("%c3%bcx", 6, 6), ("üx", 6, 2), ("abc", 2, 2), ("", 0, 0)]
        {
            assert_eq!(raw_position(raw, position), expected, "{raw} {position}");
        }
    }
}
