//! What is kept of an answer, and what never is.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::header::is_hop_by_hop;

/// A stored answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, 200 to 299.
    pub status: u16,
    /// The headers, each line on its own, without those of [`is_kept`].
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: AnswerBody,
}

/// The body of a stored answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerBody {
    /// All of it.
    Whole(Bytes),
    /// It was delivered and not kept: streamed, larger than the limit, or `no-store`. Never replayed as empty.
    NotKept,
}

/// Whether a header of an answer is kept: not `Date`, `Set-Cookie`, `Authorization`, nor hop-by-hop ones.
#[must_use]
pub fn is_kept(name: &HeaderName) -> bool {
    ![header::DATE, header::SET_COOKIE, header::AUTHORIZATION].contains(name) && !is_hop_by_hop(name)
}

/// The headers of an answer that are kept, each line on its own; those that `Connection` names are not (RFC 9110 §7.6.1).
#[must_use]
pub fn kept_headers(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    headers
        .iter()
        .filter(|(name, _)| is_kept(name) && !lists(headers, &header::CONNECTION, name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether an answer with these headers forbids that its body is kept (`Cache-Control: no-store`).
#[must_use]
pub fn forbids_keeping(headers: &HeaderMap) -> bool {
    lists(headers, &header::CACHE_CONTROL, "no-store")
}

/// Whether any line of the list `name` has `word` in it, in any case.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .any(|listed| listed.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
            .collect()
    }

    #[test]
    fn date_cookies_credentials_and_hop_by_hop_headers_are_never_kept() {
        let answer = headers(&[
            ("Content-Type", "application/json"),
            ("Date", "Sat, 21 Nov 2026 00:00:00 GMT"),
            ("Set-Cookie", "session=1"),
            ("Authorization", "Bearer x"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close, X-Once"),
            ("X-Once", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Link", "<a>"),
            ("Link", "<b>"),
        ]);
        let mut kept: Vec<_> =
            kept_headers(&answer).into_iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        kept.sort();
        assert_eq!(kept, [r#"content-type: "application/json""#, r#"link: "<a>""#, r#"link: "<b>""#]);
    }

    #[track_caller]
    fn check(values: &[&str], expected: bool) {
        let lines: Vec<_> = values.iter().map(|value| ("cache-control", *value)).collect();
        assert_eq!(forbids_keeping(&headers(&lines)), expected, "{values:?}");
    }

    #[test]
    fn no_store_anywhere_in_cache_control_forbids_keeping() {
        check(&["no-store"], true);
        check(&["private, No-Store"], true);
        check(&["max-age=0", "private ,\tNO-STORE , x"], true);
        check(&[], false);
        check(&["no-cache, private"], false);
        check(&["x-no-store, no-store-at-all"], false);
    }
}
