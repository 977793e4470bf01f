//! Which of a service's headers go back to the client.

use http::{HeaderMap, HeaderName};

use super::nomination::nominated;
use crate::header::is_hop_by_hop;

/// Takes out hop-by-hop headers, those that `Connection` nominates, and those in `strip`. Everything else stays, each
/// line on its own (`Set-Cookie` too).
pub fn strip(headers: &mut HeaderMap, strip: &[HeaderName]) {
    // `Connection`, which nominates others, is one of those itself.
    if !headers.keys().any(|name| is_hop_by_hop(name) || strip.contains(name)) {
        return;
    }
    let nominated = nominated(headers);
    let goes =
        |name: &HeaderName| is_hop_by_hop(name) || nominated.contains_key(name) || strip.contains(name);
    let names: Vec<_> = headers.keys().filter(|name| goes(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[track_caller]
    fn check(
        lines: &[(&'static str, &'static str)],
        remove: &[HeaderName],
        expected: &[(&'static str, &'static str)],
    ) {
        let mut given = headers(lines);
        strip(&mut given, remove);
        assert_eq!(given, headers(expected));
    }

    #[test]
    fn hop_by_hop_and_nominated_headers_do_not_go_back() {
        let lines = [
            ("connection", "close, X-Internal"),
            ("connection", "x-other"),
            ("x-internal", "1"),
            ("x-internal", "2"),
            ("x-other", "3"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("trailer", "x"),
            ("upgrade", "h2c"),
            ("proxy-authenticate", "Basic"),
            ("content-length", "5"),
            ("content-type", "text/plain"),
        ];
        check(&lines, &[], &[("content-length", "5"), ("content-type", "text/plain")]);
    }

    #[test]
    fn every_line_of_what_stays_is_kept_in_order() {
        let lines =
            [("set-cookie", "a=1"), ("server", "php"), ("set-cookie", "b=2"), ("x-powered-by", "PHP")];
        let expected = [("set-cookie", "a=1"), ("set-cookie", "b=2")];
        check(&lines, &["server".parse().unwrap(), HeaderName::from_static("x-powered-by")], &expected);
    }
}
