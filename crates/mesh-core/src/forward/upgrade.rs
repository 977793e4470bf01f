//! Which requests may switch to another protocol (RFC 9110 §7.8): those of routes that allow it.
//!
//! Refuses a websocket anywhere else. Any other protocol is not spoken of there: the request is an ordinary one.

use http::{
    HeaderMap, HeaderValue,
    header::{CONNECTION, UPGRADE},
};

use super::RequestError;

/// What the service is to be asked for: the value of `Upgrade`, or none. `is_http_11`: older clients cannot switch;
/// `has_body`: nor can a request that has a body.
///
/// HTTP/2 without TLS is never asked for: what came through it would pass the gateway unseen.
///
/// # Errors
///
/// [`RequestError::UpgradeNotAllowed`] when a websocket is asked for and the route does not allow it; row 44 of
/// docs/refusals.md.
pub fn asked(
    headers: &HeaderMap,
    route_allows: bool,
    is_http_11: bool,
    has_body: bool,
) -> Result<Option<Vec<u8>>, RequestError> {
    if !headers.contains_key(UPGRADE) {
        return Ok(None);
    }
    if !route_allows {
        let asks = protocols(headers).any(|protocol| is(protocol, b"websocket"));
        return if asks { Err(RequestError::UpgradeNotAllowed) } else { Ok(None) };
    }
    let is_nominated =
        headers.get_all(CONNECTION).iter().flat_map(tokens).any(|option| is(option, b"upgrade"));
    if !is_nominated || !is_http_11 || has_body {
        return Ok(None);
    }
    let asked: Vec<_> = protocols(headers)
        .filter(|protocol| !protocol.is_empty() && !is(protocol, b"h2c") && !is(protocol, b"HTTP"))
        .collect();
    Ok((!asked.is_empty()).then(|| asked.join(&b", "[..])))
}

/// Whether a 101 with these headers switches to something that was `asked` for, as [`asked`] gave it.
#[must_use]
pub fn is_answered(asked: &[u8], answer: &HeaderMap) -> bool {
    let is_asked = |protocol: &[u8]| {
        asked.split(|byte| *byte == b',').any(|known| is(known.trim_ascii(), name(protocol)))
    };
    answer.contains_key(UPGRADE) && protocols(answer).all(is_asked)
}

fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(UPGRADE).iter().flat_map(tokens)
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// A protocol without its version.
fn name(protocol: &[u8]) -> &[u8] {
    protocol.split(|byte| *byte == b'/').next().unwrap_or_default().trim_ascii()
}

fn is(protocol: &[u8], known: &[u8]) -> bool {
    name(protocol).eq_ignore_ascii_case(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(upgrade: &[&'static str], connection: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static(connection));
        for value in upgrade {
            headers.append(UPGRADE, HeaderValue::from_static(value));
        }
        headers
    }

    #[track_caller]
    fn check(upgrade: &'static str, route_allows: bool, expected: Result<Option<&str>, RequestError>) {
        let asked = asked(&headers(&[upgrade], "keep-alive, Upgrade"), route_allows, true, false);
        let expected = expected.map(|value| value.map(|value| value.as_bytes().to_vec()));
        assert_eq!(asked, expected, "{upgrade} {route_allows}");
    }

    #[test]
    fn a_websocket_is_refused_where_no_route_allows_it_and_anything_else_dropped() {
        for value in ["websocket", "WebSocket", "h2c, websocket", "websocket/13"] {
            check(value, false, Err(RequestError::UpgradeNotAllowed));
        }
        check("foo", false, Ok(None));
        check("", false, Ok(None));
        assert_eq!(asked(&HeaderMap::new(), false, true, false), Ok(None));
    }

    #[test]
    fn a_route_that_allows_it_passes_on_what_was_asked_for_but_http_2() {
        check("websocket", true, Ok(Some("websocket")));
        check("foo/1 , WebSocket", true, Ok(Some("foo/1, WebSocket")));
        check("h2c", true, Ok(None));
        check("H2C, foo, HTTP/2.0", true, Ok(Some("foo")));
        assert_eq!(asked(&HeaderMap::new(), true, true, false), Ok(None));
    }

    #[test]
    fn a_switch_needs_its_connection_option_http_1_1_and_no_body() {
        let good = headers(&["foo"], "upgrade");
        assert_eq!(asked(&good, true, true, false), Ok(Some(b"foo".to_vec())));
        assert_eq!(asked(&headers(&["foo"], "close"), true, true, false), Ok(None));
        assert_eq!(asked(&good, true, false, false), Ok(None));
        assert_eq!(asked(&good, true, true, true), Ok(None));
    }

    #[test]
    fn a_switch_is_to_what_was_asked_for() {
        assert!(is_answered(b"websocket", &headers(&["WebSocket"], "upgrade")));
        assert!(is_answered(b"foo/1, websocket", &headers(&["foo/1"], "upgrade")));
        assert!(!is_answered(b"websocket", &headers(&["foo"], "upgrade")));
        assert!(!is_answered(b"websocket", &headers(&["websocket, foo"], "upgrade")));
        assert!(!is_answered(b"websocket", &HeaderMap::new()));
    }
}
