//! Whether a signature covers a multipart body (docs/wire.md, S9).
//!
//! PHP reads a `multipart/form-data` POST before the program runs: its receiver sees an empty body, and refuses a signature
//! over the bytes.

use http::{
    HeaderMap, Method,
    header::{CONTENT_TYPE, HeaderValue},
};

/// How multipart bodies are signed towards one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MultipartPolicy {
    /// Like any other body.
    #[default]
    Signed,
    /// As PHP sees them: the body of a POST with `multipart/form-data` is signed as empty, and can be exchanged on its way
    /// by whoever can read it.
    Php,
}

impl MultipartPolicy {
    /// Whether the signature of this request leaves its body out.
    #[must_use]
    pub fn leaves_out(self, method: &Method, headers: &HeaderMap) -> bool {
        self == Self::Php && method == Method::POST && headers.get(CONTENT_TYPE).is_some_and(is_multipart)
    }
}

/// As PHP compares: the media type in any case, up to the first `;`, `,` or blank.
fn is_multipart(value: &HeaderValue) -> bool {
    let kind = value.as_bytes().split(|byte| matches!(byte, b';' | b',' | b' ')).next().unwrap_or_default();
    kind.eq_ignore_ascii_case(b"multipart/form-data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(policy: MultipartPolicy, method: &Method, kind: &'static str, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        assert_eq!(policy.leaves_out(method, &headers), expected, "{policy:?} {method} {kind}");
    }

    #[test]
    fn only_what_php_reads_before_its_program_is_left_out() {
        let (php, form) = (MultipartPolicy::Php, "multipart/form-data; boundary=x");
        check(php, &Method::POST, form, true);
        check(php, &Method::POST, "Multipart/FORM-Data;boundary=x", true);
        check(php, &Method::POST, "multipart/form-data", true);
        check(php, &Method::PUT, form, false);
        check(php, &Method::PATCH, form, false);
        check(php, &Method::POST, "multipart/mixed; boundary=x", false);
        check(php, &Method::POST, "multipart/form-data2", false);
        check(php, &Method::POST, "application/x-www-form-urlencoded", false);
        check(MultipartPolicy::default(), &Method::POST, form, false);
        assert!(!php.leaves_out(&Method::POST, &HeaderMap::new()));
    }
}
