//! What a caller's path and query become on the wire: RFC 3986, encoded once, never rewritten afterwards.
//!
//! Refuses controls, broken percent-encoding and dot segments: what is signed must be what arrives.

use mesh_core::percent;

/// Why a path or query cannot be a request target. The caller's fault; never worth a retry as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetTextError {
    /// A control character, raw or encoded.
    #[error("the path or query has a control character")]
    Control,
    /// `%` without two hex digits.
    #[error("the path or query has a broken percent-encoding")]
    BrokenEncoding,
    /// A `.` or `..` segment, encoded, with parameters or between encoded slashes ([`percent::is_dot_segment`]).
    #[error("the path has a dot segment")]
    DotSegment,
    /// Longer than any server takes, or changed by a URL parser on its way.
    #[error("the path or query cannot travel in a URL")]
    NoUrl,
}

/// The longest target that `http::Uri` holds.
const MAX_TARGET_BYTES: usize = (u16::MAX - 1) as usize;

/// The target for `text` (a path, perhaps with a query and a fragment) and further query `pairs`.
///
/// Several leading slashes are one, the fragment is dropped, what is percent-encoded stays as it is.
pub(crate) fn target(text: &str, pairs: &[(String, String)]) -> Result<String, TargetTextError> {
    let text = text.split_once('#').map_or(text, |(before, _fragment)| before);
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (text, None),
    };
    let mut target = String::with_capacity(text.len() + 16);
    target.push('/');
    encode_kept(&mut target, path.trim_start_matches('/'), percent::is_plain)?;
    // Most have no dot, plain or encoded.
    if target.contains(['.', '%']) && target.split('/').any(percent::is_dot_segment) {
        return Err(TargetTextError::DotSegment);
    }
    let mut separator = '?';
    if let Some(query) = query {
        target.push('?');
        encode_kept(&mut target, query, |byte| byte != b'\'' && (percent::is_plain(byte) || byte == b'?'))?;
        separator = if query.is_empty() { '\0' } else { '&' };
    }
    for (name, value) in pairs {
        if separator != '\0' {
            target.push(separator);
        }
        separator = '&';
        encode_all(&mut target, name);
        target.push('=');
        encode_all(&mut target, value);
    }
    // Nothing that stands here now is rewritten by a URL parser (a law below): what is left is what it can hold.
    (target.len() <= MAX_TARGET_BYTES).then_some(target).ok_or(TargetTextError::NoUrl)
}

/// Encodes what may not stand in a target as it is; what is encoded already stays.
fn encode_kept(target: &mut String, text: &str, keep: impl Fn(u8) -> bool) -> Result<(), TargetTextError> {
    for (at, &byte) in text.as_bytes().iter().enumerate() {
        match byte {
            b'%' => {
                let decoded =
                    percent::decoded(&text.as_bytes()[at..]).ok_or(TargetTextError::BrokenEncoding)?;
                if decoded.is_ascii_control() {
                    return Err(TargetTextError::Control);
                }
                target.push('%');
            }
            _ if byte.is_ascii_control() => return Err(TargetTextError::Control),
            _ => encode_unless(target, byte, keep(byte)),
        }
    }
    Ok(())
}

/// Encodes everything but unreserved characters (RFC 3986 §2.3).
fn encode_all(target: &mut String, text: &str) {
    for byte in text.bytes() {
        encode_unless(target, byte, percent::is_unreserved(byte));
    }
}

fn encode_unless(target: &mut String, byte: u8, keep: bool) {
    if keep {
        target.push(char::from(byte));
    } else {
        percent::push_encoded(target, byte);
    }
}

/// Whether a URL parser leaves the target as it is.
pub(crate) fn travels(target: &str) -> bool {
    let Ok(url) = url::Url::parse(&format!("http://instance{target}")) else { return false };
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    url.path() == path && url.query() == query && target.parse::<http::Uri>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, TargetTextError>) {
        assert_eq!(target(text, &[]).as_deref(), expected.as_ref().copied(), "{text:?}");
    }

    #[test]
    fn a_path_is_encoded_once() {
        check("/api/orders", Ok("/api/orders"));
        check("api/orders", Ok("/api/orders"));
        check("///api/orders", Ok("/api/orders"));
        check("", Ok("/"));
        check("/api/orders/", Ok("/api/orders/"));
        check("/api//orders", Ok("/api//orders"));
        check("/api/orders#top", Ok("/api/orders"));
        check("/api/a b", Ok("/api/a%20b"));
        check("/api/заказ/ü", Ok("/api/%D0%B7%D0%B0%D0%BA%D0%B0%D0%B7/%C3%BC"));
        check("/api/a%20b%2Fc", Ok("/api/a%20b%2Fc"));
        check("/api/%c3%bc", Ok("/api/%c3%bc"));
        check("/a\\b[c]^{d}|\"<e>`", Ok("/a%5Cb%5Bc%5D%5E%7Bd%7D%7C%22%3Ce%3E%60"));
        check("/a:b@c!$&'()*+,;=~", Ok("/a:b@c!$&'()*+,;=~"));
        check("http://other/x", Ok("/http://other/x"));
        check("//other/x", Ok("/other/x"));
        check("/a?x=a b&u=ü'&y[]=1?/#f", Ok("/a?x=a%20b&u=%C3%BC%27&y%5B%5D=1?/"));
        check("/a?", Ok("/a?"));
    }

    #[test]
    fn what_would_arrive_as_something_else_is_refused() {
        use TargetTextError::{BrokenEncoding, Control, DotSegment};
        for text in ["/a\r\nX-B: b", "/a\tb", "/a\0", "/a%0d%0ab", "/a%00", "/a%7F", "/a?b=\n"] {
            check(text, Err(Control));
        }
        for text in ["/100%", "/%zz", "/%2", "/%+1", "/a?b=%", "/%ü"] {
            check(text, Err(BrokenEncoding));
        }
        for text in [
            "/./a",
            "/a/..",
            "/a/../b",
            "/%2e%2E/a",
            "/.%2e/a",
            "/a/..;x=1/b",
            "/a/..%3ba/b",
            "/a%2f../b",
            "/a/..%5Cb",
            "/a\\..\\b",
        ] {
            check(text, Err(DotSegment));
        }
        check("/a/...", Ok("/a/..."));
        check("/a?b=../c", Ok("/a?b=../c"));
        check(&format!("/{}", "x".repeat(MAX_TARGET_BYTES)), Err(TargetTextError::NoUrl));
    }

    #[test]
    fn the_longest_target_travels() {
        assert!(travels(&target(&"x".repeat(MAX_TARGET_BYTES - 1), &[]).unwrap()));
    }

    proptest! {
        #[test]
        fn whatever_becomes_a_target_travels_as_it_is(
            text in "([!-~а ]|[.]{1,2}/|%2[eEfF]|%5[cC]|//|;){0,24}",
            pairs in vec((".{0,4}", ".{0,8}"), 0..3),
        ) {
            if let Ok(target) = target(&text, &pairs) {
                prop_assert!(travels(&target), "{target:?}");
            }
        }
    }

    #[test]
    fn pairs_are_added_to_the_query_of_the_path() {
        let pairs = [("page".to_owned(), "2".to_owned()), ("k k".to_owned(), "a b+c&d=e/ü*~'%20".to_owned())];
        let encoded = "page=2&k%20k=a%20b%2Bc%26d%3De%2F%C3%BC%2A~%27%2520";
        assert_eq!(target("/a", &pairs), Ok(format!("/a?{encoded}")));
        assert_eq!(target("/a?x=1", &pairs), Ok(format!("/a?x=1&{encoded}")));
        assert_eq!(target("/a?#f", &pairs), Ok(format!("/a?{encoded}")));
    }
}
