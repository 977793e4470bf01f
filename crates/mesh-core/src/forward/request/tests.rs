//! Which heads pass the door, and what of them a service sees.

use http::{HeaderValue, Method};

use super::*;
use crate::forward::Survey;

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

type Lines<'a> = &'a [(&'a str, &'a str)];

fn headers(lines: Lines<'_>) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

#[track_caller]
fn head(lines: Lines<'_>, expected: &Result<(), RequestError>) {
    let mut lines = lines.to_vec();
    lines.push(("host", "orders"));
    assert_eq!(&Survey::of(&headers(&lines)).check(&Method::POST, None, true, true), expected, "{lines:?}");
}

#[track_caller]
fn host(hosts: &[&str], authority: Option<&str>, is_http_11: bool, passes: bool) {
    let lines: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
    let expected = if passes { Ok(()) } else { Err(RequestError::BadHost) };
    assert_eq!(
        Survey::of(&headers(&lines)).check(&Method::GET, authority, is_http_11, false),
        expected,
        "{hosts:?} {authority:?}"
    );
}

/// The headers that go on.
fn forwarded(headers: &HeaderMap, facts: &ClientFacts<'_>) -> HeaderMap {
    let mut forwarded = HeaderMap::new();
    forward_headers(headers, facts, |name, value| {
        forwarded.append(name, HeaderValue::from_bytes(value).unwrap());
    });
    forwarded
}

/// What a service sees of `lines`, but for what the gateway adds itself.
#[track_caller]
fn seen(lines: Lines<'_>, trusted: bool, prefix: Option<&str>, expected: Lines<'_>) {
    let facts = ClientFacts {
        peer: PEER,
        peer_is_trusted: trusted,
        scheme: "https",
        host: "shop.example",
        port: 8443,
        prefix,
        is_traced: false,
    };
    let defaults = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-host", "shop.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "8443"),
    ];
    let mut wanted = headers(expected);
    for (name, value) in defaults {
        wanted.entry(name).or_insert(HeaderValue::from_static(value));
    }
    assert_eq!(forwarded(&headers(lines), &facts), wanted, "{lines:?}");
}

#[track_caller]
fn client(lines: &[&str], expected: &str) {
    let lines: Vec<_> = lines.iter().map(|value| ("x-forwarded-for", *value)).collect();
    let trusted = |address: IpAddr| address == PEER || address.to_string().starts_with("10.");
    assert_eq!(client_address(&headers(&lines), PEER, &trusted).to_string(), expected, "{lines:?}");
}

#[test]
fn a_host_stands_exactly_once_and_is_one() {
    host(&["orders"], None, true, true);
    host(&["orders:8000"], None, true, true);
    host(&["[::1]:8000"], None, true, true);
    host(&[], None, false, true);
    host(&[], None, true, false);
    for is_http_11 in [true, false] {
        host(&["orders", "orders"], None, is_http_11, false);
        for text in ["", "a@b", "a/b", "a:0", "a:99999", "a:", "a, b", "ü"] {
            host(&[text], None, is_http_11, false);
        }
    }
}

#[test]
fn an_authority_that_differs_from_the_host_is_refused() {
    host(&["orders"], Some("ORDERS"), true, true);
    host(&[], Some("orders"), false, true);
    host(&["orders"], Some("pim"), true, false);
    host(&["orders"], Some("orders:80"), true, false);
    host(&["me@orders"], Some("me@orders"), true, false);
    host(&[], Some("me@orders"), false, false);
}

#[test]
fn connection_may_not_nominate_a_protected_header() {
    let refused = Err(RequestError::ProtectedNomination);
    for lines in [
        &[("connection", "X-Signature")] as Lines<'_>,
        &[("connection", "x-signature")],
        &[("connection", "close, X-USER-ID , te")],
        &[("connection", ""), ("connection", "X-Timestamp")],
        &[("connection", "keep-alive"), ("connection", ",,\tX-Forwarded-For")],
        &[("connection", "Keep-Alive, X-Service-Name")],
        &[("keep-alive", "timeout=5, X-Service-Name")],
        &[("proxy-connection", "X-Role")],
        &[("connection", "authorization")],
        &[("connection", "Cookie")],
        &[("connection", "Host")],
        &[("connection", "content-length")],
        &[("connection", "x-request-id")],
    ] {
        head(lines, &refused);
    }
    for option in [
        "",
        "close",
        "keep-alive",
        "Keep-Alive, TE",
        "upgrade",
        "transfer-encoding",
        "x-mine",
        ",",
        "@",
        "a b",
    ] {
        head(&[("connection", option), ("keep-alive", "timeout=5, max=100")], &Ok(()));
    }
}

#[test]
fn a_name_with_an_underscore_is_refused() {
    for name in ["x_user_id", "transfer_encoding", "_", "harmless_"] {
        head(&[(name, "1")], &Err(RequestError::UnderscoreInName));
    }
    head(&[("x-user", "with_underscore")], &Ok(()));
}

#[test]
fn an_expectation_that_cannot_be_met_is_refused() {
    head(&[("expect", "100-continue")], &Ok(()));
    head(&[("expect", "100-Continue")], &Ok(()));
    for value in ["foo", "", "100-continue, foo", "100-continue;q=1"] {
        head(&[("expect", value)], &Err(RequestError::UnknownExpectation));
    }
    head(&[("expect", "100-continue"), ("expect", "foo")], &Err(RequestError::UnknownExpectation));
}

#[test]
fn an_upgrade_stays_behind_unless_its_route_says_otherwise() {
    head(&[("upgrade", "foo"), ("connection", "upgrade")], &Ok(()));
    seen(&[("upgrade", "foo"), ("connection", "upgrade"), ("http2-settings", "AA")], true, None, &[]);
}

#[test]
fn a_body_on_get_head_or_options_is_refused() {
    let good = headers(&[("host", "orders")]);
    for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
        assert_eq!(
            Survey::of(&good).check(&method, None, true, true),
            Err(RequestError::BodyNotAllowed),
            "{method}"
        );
        assert_eq!(Survey::of(&good).check(&method, None, true, false), Ok(()), "{method}");
    }
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(Survey::of(&good).check(&method, None, true, true), Ok(()), "{method}");
    }
}

#[test]
fn the_clients_own_headers_go_on_line_by_line() {
    let lines = [
        ("authorization", "Bearer x"),
        ("cookie", "a=1"),
        ("accept", "text/html"),
        ("cookie", "b=2"),
        ("content-type", "text/plain"),
        ("x-request-id", "1"),
        ("idempotency-key", "2"),
        ("via", "1.1 proxy"),
    ];
    seen(&lines, false, None, &lines);
}

#[test]
fn what_only_the_mesh_may_say_is_not_taken_from_a_client() {
    for name in [
        "x-service-name",
        "x-service-audience",
        "x-signature",
        "x-timestamp",
        "signature",
        "signature-input",
        "content-digest",
        "x-user-id",
        "x-user-email",
        "x-tenant-id",
        "x-role",
        "x-idempotency-status",
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
        "proxy",
    ] {
        for trusted in [false, true] {
            seen(&[(name, "1"), ("accept", "*/*"), (name, "2")], trusted, None, &[("accept", "*/*")]);
        }
    }
}

#[test]
fn hop_by_hop_and_framing_headers_are_not_forwarded() {
    for name in [
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "proxy-authorization",
        "proxy-anything",
        "proxy-connection",
        "content-length",
        "host",
        "expect",
    ] {
        seen(&[(name, "7")], true, None, &[]);
    }
}

#[test]
fn a_nominated_header_is_not_forwarded() {
    let lines = [
        ("connection", "close, X-Mine"),
        ("x-mine", "1"),
        ("x-other", "2"),
        ("x-mine", "3"),
        ("connection", "x-absent, X-OTHER"),
        ("x-third", "4"),
    ];
    seen(&lines, false, None, &[("x-third", "4")]);
}

#[test]
fn an_untrusted_peers_word_about_the_client_is_replaced() {
    let lines = [
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-for", "10.0.0.2"),
        ("x-forwarded-host", "evil"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "1"),
        ("x-forwarded-prefix", "/evil"),
        ("x-forwarded-user", "root"),
        ("forwarded", "for=10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
    ];
    seen(&lines, false, None, &[]);
    seen(&lines, false, Some("/catalog"), &[("x-forwarded-prefix", "/catalog")]);
}

#[test]
fn a_trusted_peers_word_about_the_client_is_appended_to() {
    let lines = [
        ("x-forwarded-for", "198.51.100.7"),
        ("x-forwarded-for", "10.0.0.2, 10.0.0.3"),
        ("x-forwarded-host", "www.shop.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "80"),
        ("x-forwarded-prefix", "/outer/"),
        ("x-forwarded-user", "root"),
        ("forwarded", "for=198.51.100.7"),
        ("x-real-ip", "198.51.100.7"),
    ];
    let expected = [
        ("x-forwarded-for", "198.51.100.7, 10.0.0.2, 10.0.0.3, 203.0.113.9"),
        ("x-forwarded-host", "www.shop.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "80"),
        ("x-forwarded-prefix", "/outer/catalog"),
    ];
    seen(&lines, true, Some("/catalog"), &expected);
    seen(
        &[("x-forwarded-prefix", "evil.example")],
        true,
        Some("/catalog"),
        &[("x-forwarded-prefix", "/catalog")],
    );
    seen(&[], true, None, &[]);
}

#[test]
fn tracestate_goes_on_with_a_valid_traceparent_only() {
    let lines = headers(&[("traceparent", "any"), ("tracestate", "a=1"), ("tracestate", "b=2")]);
    let mut facts = ClientFacts {
        peer: PEER,
        peer_is_trusted: false,
        scheme: "http",
        host: "a",
        port: 80,
        prefix: None,
        is_traced: true,
    };
    let states = |facts: &ClientFacts<'_>| {
        let forwarded = forwarded(&lines, facts);
        assert!(!forwarded.contains_key("traceparent"), "it is the gateway's to say");
        forwarded.get_all("tracestate").iter().cloned().collect::<Vec<_>>()
    };
    assert_eq!(states(&facts), ["a=1", "b=2"]);
    facts.is_traced = false;
    assert!(states(&facts).is_empty());
}

#[test]
fn a_mapped_peer_is_written_as_ipv4() {
    let peer = "::ffff:192.0.2.1".parse().unwrap();
    let facts = ClientFacts {
        peer,
        peer_is_trusted: false,
        scheme: "http",
        host: "a",
        port: 80,
        prefix: None,
        is_traced: true,
    };
    assert_eq!(forwarded(&HeaderMap::new(), &facts)[X_FORWARDED_FOR], "192.0.2.1");
    assert_eq!(client_address(&HeaderMap::new(), peer, &|_| false).to_string(), "192.0.2.1");
}

#[test]
fn the_client_is_the_rightmost_untrusted_address() {
    client(&[], "203.0.113.9");
    client(&["198.51.100.7"], "198.51.100.7");
    client(&["198.51.100.7, 10.0.0.2"], "198.51.100.7");
    client(&["1.1.1.1, 198.51.100.7", "10.0.0.2, 10.0.0.3"], "198.51.100.7");
    client(&["1.1.1.1,198.51.100.7:4711,::ffff:10.0.0.2"], "198.51.100.7");
    client(&["[2001:db8::1]:443"], "2001:db8::1");
    client(&["2001:db8::1, [::ffff:10.0.0.9]"], "2001:db8::1");
    client(&["10.0.0.1, 10.0.0.2"], "10.0.0.1");
    client(&["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2");
    client(&["1.1.1.1,, 10.0.0.2"], "10.0.0.2");
    client(&[""], "203.0.113.9");
    let spoofed = headers(&[("x-forwarded-for", "1.1.1.1")]);
    assert_eq!(client_address(&spoofed, PEER, &|_| false), PEER);
}

proptest::proptest! {
    #[test]
    fn an_address_is_written_as_everybody_writes_it(bits: u32) {
        let address = IpAddr::V4(bits.into());
        let mut written = Vec::new();
        push_address(&mut written, address);
        proptest::prop_assert_eq!(String::from_utf8_lossy(&written), address.to_string());
    }
}

#[test]
fn a_client_that_takes_trailers_says_so() {
    for (lines, expected) in [
        (&["trailers"][..], true),
        (&["gzip;q=0.5, Trailers"], true),
        (&["gzip", " trailers "], true),
        (&["trailer"], false),
        (&[""], false),
        (&[], false),
    ] {
        let headers = lines.iter().map(|line| (TE, HeaderValue::from_static(line))).collect();
        assert_eq!(takes_trailers(&headers), expected, "{lines:?}");
    }
}
