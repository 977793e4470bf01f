//! The gateway in front of a service that nobody here wrote: what arrives there, and what comes back.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    house::{Gateway, House, Process, python_service},
    store::Store,
    wire::{self, Answer},
};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

struct Street {
    gateway: Gateway,
    _service: Process,
    _house: House,
    _redis: Store,
}

/// A gateway with one Python service that declares every method for a few URIs.
fn street() -> Street {
    let (service, port) = python_service("pim");
    let redis = Store::start();
    let house = House::new(&format!(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:{port}\"]\n[redis]\nurl = \"{}\"\n",
        redis.url()
    ));
    let uris = ["/api/{thing}", "/api/deep/{a}/{b}", "/api"];
    let routes: Vec<_> = uris.iter().flat_map(|uri| METHODS.map(|method| (method, *uri))).collect();
    house.register("pim", &routes);
    let gateway = house.gateway();
    Street { gateway, _service: service, _house: house, _redis: redis }
}

impl Street {
    #[track_caller]
    fn send(&self, head: &str, body: &[u8]) -> Answer {
        wire::request(&self.gateway.public, head, body).unwrap_or_else(|error| panic!("{head}: {error}"))
    }

    /// What the service saw.
    #[track_caller]
    fn seen(&self, head: &str, body: &[u8]) -> Value {
        let answer = self.send(head, body);
        assert_eq!(answer.status, 200, "{head}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }
}

fn body_of(seen: &Value) -> Vec<u8> {
    STANDARD.decode(seen["body"].as_str().expect("a body")).expect("base64")
}

fn headers_of<'s>(seen: &'s Value, name: &str) -> Vec<&'s str> {
    seen["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|header| header[0].as_str().is_some_and(|other| other.eq_ignore_ascii_case(name)))
        .filter_map(|header| header[1].as_str())
        .collect()
}

#[test]
fn every_method_body_and_target_arrives_signed_and_unchanged() {
    let street = street();
    for method in METHODS {
        let seen = street.seen(&format!("{method} /api/thing HTTP/1.1"), b"");
        assert_eq!(seen["method"], method);
        assert_eq!(seen["target"], "/api/thing");
    }
    let head = street.send("HEAD /api/thing HTTP/1.1", b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert!(head.values("content-length")[0].parse::<u64>().is_ok_and(|length| length > 0));

    let every_byte: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let bodies: [(&str, &[u8]); 5] = [
        ("application/json", b"{\"a\":[1,2.0],\"u\":\"\xc3\xbc\\/\"}"),
        ("application/x-www-form-urlencoded", b"a=1&a=2&b=%20+"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nv\r\n--x--\r\n",
        ),
        ("application/octet-stream", &every_byte),
        ("application/json", b""),
    ];
    for (kind, body) in bodies {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let seen = street.seen(&format!("{method} /api/thing HTTP/1.1\r\nContent-Type: {kind}"), body);
            assert_eq!(body_of(&seen), body, "{method} {kind}");
            assert_eq!(headers_of(&seen, "content-type"), [kind]);
        }
    }

    for target in [
        "/api/thing?a=1&a=2&b=&c",
        "/api/thing?",
        "/api/thing?q=%zz&u=http://a//b/../c",
        "/api/%D0%B7%D0%B0",
        "/api/%c3%bc",
        "/api/a%20b",
        "/api/{other}",
        "/api/x/",
        "/api/",
        "/api/deep/%252e%252e%252f/%2525?x=%2f",
    ] {
        assert_eq!(street.seen(&format!("GET {target} HTTP/1.1"), b"")["target"], target);
    }
}

#[test]
fn a_chunked_request_body_arrives_whole() {
    let street = street();
    let bytes =
        b"POST /api/thing HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
        5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n";
    let answer = wire::raw(&street.gateway.public, bytes, false).expect("an answer");
    assert_eq!(body_of(&answer.json()), b"hello world");
}

#[test]
fn the_clients_own_headers_arrive_and_what_it_may_not_say_does_not() {
    let street = street();
    let seen = street.seen(
        "GET /api/thing HTTP/1.1\r\nAuthorization: Bearer t\r\nCookie: a=1; b=2\r\nAccept: text/plain\r\n\
         X-Custom: one\r\nX-Custom: two\r\nX-Request-Id: client-chosen-id\r\nX-Service-Name: admin\r\n\
         X-User-Id: 7\r\nX-Tenant-Id: 1\r\nX-Role: root\r\nX-Signature: 00\r\nX-Timestamp: 1\r\n\
         X-Forwarded-For: 1.2.3.4\r\nX-HTTP-Method-Override: DELETE\r\nX-Original-URL: /admin\r\nTE: trailers",
        b"",
    );
    for (name, values) in [
        ("authorization", vec!["Bearer t"]),
        ("cookie", vec!["a=1; b=2"]),
        ("accept", vec!["text/plain"]),
        ("x-custom", vec!["one", "two"]),
        ("x-request-id", vec!["client-chosen-id"]),
        ("x-service-name", vec!["gateway"]),
        ("x-forwarded-for", vec!["127.0.0.1"]),
        ("x-forwarded-host", vec!["mesh.example"]),
        ("x-forwarded-proto", vec!["http"]),
    ] {
        assert_eq!(headers_of(&seen, name), values, "{name}");
    }
    for name in ["x-user-id", "x-tenant-id", "x-role", "x-http-method-override", "x-original-url", "te"] {
        assert!(headers_of(&seen, name).is_empty(), "{name}");
    }
    assert_eq!(headers_of(&seen, "x-signature").len(), 1);
    assert!(headers_of(&seen, "content-type").is_empty(), "the gateway adds no content type");
    let made = street.seen("GET /api/thing HTTP/1.1", b"");
    assert_eq!(headers_of(&made, "x-request-id")[0].len(), 36, "a request id is made when there is none");
}

#[test]
fn answers_come_back_as_they_are() {
    let street = street();
    let redirect = street.send("GET /api/redirect HTTP/1.1", b"");
    assert_eq!(
        (redirect.status, redirect.values("location")),
        (302, vec!["https://elsewhere.example/next?x=1"])
    );
    let cookies = street.send("GET /api/cookies HTTP/1.1", b"");
    assert_eq!(cookies.values("set-cookie"), ["a=1; Path=/", "b=2; HttpOnly"]);
    assert_eq!(cookies.values("x-upstream"), ["pim"]);
    let teapot = street.send("GET /api/teapot HTTP/1.1", b"");
    assert_eq!((teapot.status, teapot.json()["short"].as_str()), (418, Some("stout")));
    let broken = street.send("POST /api/broken HTTP/1.1", b"{}");
    assert_eq!(
        (broken.status, broken.json()["own"].as_str()),
        (500, Some("error")),
        "its own last 5xx is passed on"
    );
}

#[test]
fn a_truncated_answer_is_never_a_short_good_one() {
    let street = street();
    match wire::get(&street.gateway.public, "/api/truncated") {
        Ok(answer) => assert!(!answer.is_whole || answer.status == 502, "{answer:?}"),
        Err(error) => assert_ne!(error.kind(), std::io::ErrorKind::TimedOut),
    }
}
