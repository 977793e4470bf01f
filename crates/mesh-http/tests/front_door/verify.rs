//! Signature v1 at the door: docs/refusals.md, rows 1 to 7, 26, 27 and 71.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, routing::any};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use mesh_core::{secret::Secret, signature::Verifier};
use mesh_http::{Caller, TrustGateway, TrustService};
use mesh_testkit::clock::ManualClock;
use tower::{Layer, ServiceExt, service_fn};

use super::support::{Read, SECRET, clock, keyring, signed, signed_with, verifier};

const MISSING: &str = r#"{"error":"Missing signature headers.","code":"sig.missing"}"#;
const INVALID: &str = r#"{"error":"Invalid signature or timestamp.","code":"sig.invalid"}"#;
const NO_NAME: &str = r#"{"error":"Missing service name header.","code":"sig.service_missing"}"#;

/// Answers with the caller's name and the body it got.
async fn echo(caller: Caller, body: Bytes) -> String {
    format!("{} ({}) says {}", caller.name(), caller.proof(), String::from_utf8_lossy(&body))
}

fn service(clock: &Arc<ManualClock>) -> Router {
    let door = TrustService::layer(verifier()).clock(clock.clone()).body_limit(100);
    Router::new().fallback(any(echo)).layer(door)
}

fn gateway(clock: &Arc<ManualClock>) -> Router {
    let door = TrustGateway::layer(verifier()).clock(clock.clone());
    Router::new().fallback(any(|body: Bytes| async { body })).layer(door)
}

async fn ask(app: Router, request: Request<Body>) -> Read {
    Read::of(app.oneshot(request).await.unwrap()).await
}

#[track_caller]
fn check(read: &Read, status: u16, body: &str) {
    assert_eq!((read.status, read.text()), (status, body));
    if status >= 400 {
        assert_eq!(read.header("content-type"), Some("application/json"));
        assert_eq!(read.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_signed_request_of_a_service_gets_in_with_its_caller_and_its_body() {
    let clock = clock();
    let read = ask(service(&clock), signed(&clock, "POST", "/api/orders?page=2", "{\"a\":1}")).await;
    check(&read, 200, "orders (v1) says {\"a\":1}");
    let read = ask(gateway(&clock), signed(&clock, "PUT", "/api/orders/7", "x")).await;
    check(&read, 200, "x");
}

#[tokio::test]
async fn without_signature_or_timestamp_the_package_s_text_is_answered() {
    let clock = clock();
    for name in ["x-signature", "x-timestamp"] {
        for app in [service(&clock), gateway(&clock)] {
            let mut request = signed(&clock, "GET", "/api/orders", "");
            request.headers_mut().remove(name);
            check(&ask(app, request).await, 401, MISSING);
        }
    }
}

#[tokio::test]
async fn a_service_s_name_is_asked_for_first_and_must_be_one() {
    let clock = clock();
    let bare = Request::new(Body::empty());
    check(&ask(service(&clock), bare).await, 401, NO_NAME);
    for name in ["", "a/b", "{a}", "a b"] {
        let mut request = signed(&clock, "GET", "/api/orders", "");
        request.headers_mut().insert("x-service-name", HeaderValue::from_static(name));
        check(&ask(service(&clock), request).await, 401, NO_NAME);
    }
    let mut nameless = signed(&clock, "GET", "/api/orders", "");
    nameless.headers_mut().remove("x-service-name");
    check(&ask(gateway(&clock), nameless).await, 200, "");
}

#[tokio::test]
async fn a_signature_that_is_wrong_misshapen_or_doubled_is_invalid() {
    let clock = clock();
    let good = signed(&clock, "POST", "/api/orders", "body");
    let digits = good.headers()["x-signature"].to_str().unwrap().to_owned();
    let flipped = format!("{}{}", if digits.starts_with('0') { '1' } else { '0' }, &digits[1..]);
    for bad in [flipped, digits.to_uppercase(), digits[1..].to_owned(), format!("{digits}00"), String::new()]
    {
        let mut request = signed(&clock, "POST", "/api/orders", "body");
        request.headers_mut().insert("x-signature", bad.parse().unwrap());
        check(&ask(service(&clock), request).await, 401, INVALID);
    }
    for name in ["x-signature", "x-timestamp"] {
        let mut request = signed(&clock, "POST", "/api/orders", "body");
        let twin = request.headers()[name].clone();
        request.headers_mut().append(name, twin);
        check(&ask(service(&clock), request).await, 401, INVALID);
    }
}

#[tokio::test]
async fn a_request_is_fresh_for_sixty_seconds_in_both_directions() {
    for (offset, status) in [(-61_i64, 401), (-60, 200), (0, 200), (60, 200), (61, 401)] {
        let (theirs, ours) = (clock(), clock());
        let request = signed(&theirs, "GET", "/api/orders", "");
        let at = 1_795_220_372_i64 + offset;
        ours.set_unix(mesh_core::clock::UnixMillis::from_seconds(at.unsigned_abs()));
        let read = ask(service(&ours), request).await;
        assert_eq!(read.status, status, "{offset}");
    }
}

#[tokio::test]
async fn a_timestamp_is_decimal_digits_and_nothing_else() {
    let clock = clock();
    for bad in ["1795220372abc", "+1795220372", "1e9", "", "-1", "17952203720000000000"] {
        let mut request = signed(&clock, "GET", "/api/orders", "");
        request.headers_mut().insert("x-timestamp", HeaderValue::from_static(bad));
        check(&ask(service(&clock), request).await, 401, INVALID);
    }
}

#[tokio::test]
async fn one_changed_byte_of_body_path_or_method_is_refused_and_the_query_is_not_signed() {
    let clock = clock();
    let tampered = |method: &str, target: &str, body: &'static str| {
        signed_with(SECRET, &clock, "POST", "/api/orders/7?a=1", "body")
            .method(method)
            .uri(target)
            .body(Body::from(body))
            .unwrap()
    };
    for (method, target, body) in [
        ("POST", "/api/orders/7?a=1", "bodY"),
        ("POST", "/api/orders/7?a=1", "body "),
        ("POST", "/api/orders/8?a=1", "body"),
        ("POST", "/api/orders/%37?a=1", "body"),
        ("PUT", "/api/orders/7?a=1", "body"),
    ] {
        check(&ask(service(&clock), tampered(method, target, body)).await, 401, INVALID);
    }
    let read = ask(service(&clock), tampered("POST", "/api/orders/7?a=2", "body")).await;
    check(&read, 200, "orders (v1) says body");
}

#[tokio::test]
async fn the_target_is_verified_as_it_was_sent() {
    let clock = clock();
    for target in ["/", "/api/x/", "/api/x///", "/api/K%C3%B6ln", "/api/a%20b?q=%20", "/api//x", "/api/a%2Fb"]
    {
        let read = ask(gateway(&clock), signed(&clock, "GET", target, "")).await;
        assert_eq!(read.status, 200, "{target}");
    }
}

#[tokio::test]
async fn a_previous_secret_verifies_and_any_other_does_not() {
    let clock = clock();
    let mut keys = keyring(SECRET);
    keys.previous.push(Secret::try_new("the secret before this one").unwrap());
    let door = TrustGateway::layer(Verifier::new(keys, Duration::from_secs(60))).clock(clock.clone());
    let app = Router::new().fallback(|| async {}).layer(door);
    let secrets = [(SECRET, 200), ("the secret before this one", 200), ("a secret that never was", 401)];
    for (secret, status) in secrets {
        let request = signed_with(secret, &clock, "GET", "/x", "").body(Body::empty()).unwrap();
        assert_eq!(ask(app.clone(), request).await.status, status, "{secret}");
    }
}

#[tokio::test]
async fn a_doubled_or_non_ascii_identity_header_is_a_bad_request() {
    let clock = clock();
    for name in ["x-service-name", "x-user-id", "x-tenant-id", "x-role", "x-service-audience"] {
        for values in [vec!["orders".as_bytes(), b"orders"], vec!["ö".as_bytes()]] {
            let mut request = signed(&clock, "GET", "/api/orders", "");
            request.headers_mut().remove(name);
            for value in values {
                request
                    .headers_mut()
                    .append(http::HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
            }
            let read = ask(service(&clock), request).await;
            assert_eq!(read.status, 400, "{name}");
            assert!(read.text().ends_with(r#","code":"bad_identity_header"}"#), "{}", read.text());
        }
    }
}

/// A body of `chunks` × 10 bytes of unknown length that counts how many chunks were read.
fn counted(chunks: usize, read: &Arc<AtomicUsize>) -> Body {
    let read = read.clone();
    let frames = stream::iter(0..chunks).map(move |_| {
        read.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"0123456789")))
    });
    Body::new(StreamBody::new(frames))
}

#[tokio::test]
async fn no_byte_of_a_body_is_read_whose_headers_cannot_hold() {
    let clock = clock();
    for name in ["x-signature", "x-timestamp", "x-service-name"] {
        let read = Arc::new(AtomicUsize::new(0));
        let (mut parts, _) = signed(&clock, "POST", "/api/orders", "").into_parts();
        parts.headers.insert(name, HeaderValue::from_static("7"));
        parts.headers.append(name, HeaderValue::from_static("7"));
        let answer = ask(service(&clock), Request::from_parts(parts, counted(5, &read))).await;
        assert!(answer.status >= 400);
        assert_eq!(read.load(Ordering::SeqCst), 0, "{name}");
    }
    let read = Arc::new(AtomicUsize::new(0));
    let (parts, _) = signed(&clock, "POST", "/api/orders", "").into_parts();
    clock.advance(Duration::from_secs(61));
    ask(service(&clock), Request::from_parts(parts, counted(5, &read))).await;
    assert_eq!(read.load(Ordering::SeqCst), 0, "outside the window");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_too_large_and_ends_the_connection() {
    let clock = clock();
    let read = Arc::new(AtomicUsize::new(0));
    let (parts, _) = signed(&clock, "POST", "/api/orders", "").into_parts();
    let answer = ask(service(&clock), Request::from_parts(parts.clone(), counted(50, &read))).await;
    check(&answer, 413, r#"{"error":"The request body is too large.","code":"body_too_large"}"#);
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(read.load(Ordering::SeqCst), 11, "stops at the first byte beyond the limit");

    let announced = Body::from(Bytes::from(vec![0; 101]));
    let answer = ask(service(&clock), Request::from_parts(parts, announced)).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn a_large_body_is_verified_to_its_last_byte() {
    let clock = clock();
    for length in [64 * 1024, 64 * 1024 + 1, 300_000] {
        let mut body = "x".repeat(length);
        let signed = signed_with(SECRET, &clock, "POST", "/x", &body);
        let (parts, ()) = signed.body(()).unwrap().into_parts();
        let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        assert_eq!(ask(gateway(&clock), request).await.text(), body);
        body.replace_range(length - 1.., "y");
        let request = Request::from_parts(parts, Body::from(body));
        check(&ask(gateway(&clock), request).await, 401, INVALID);
    }
}

#[tokio::test]
async fn a_plain_tower_service_stands_behind_the_same_door() {
    let clock = clock();
    let plain = service_fn(|request: Request<Body>| async move {
        let caller = request.extensions().get::<Caller>().unwrap().name().to_string();
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(caller))))
    });
    let door = TrustService::layer(verifier()).clock(clock.clone()).layer(plain);
    let (parts, _) = signed(&clock, "GET", "/x", "").into_parts();
    let request = Request::from_parts(parts, Full::<Bytes>::default());
    check(&Read::of(door.clone().oneshot(request).await.unwrap()).await, 200, "orders");
    let bare = Request::new(Full::<Bytes>::default());
    check(&Read::of(door.oneshot(bare).await.unwrap()).await, 401, NO_NAME);
}

#[tokio::test]
async fn a_handler_that_asks_for_its_caller_without_the_layer_is_an_internal_error() {
    let app = Router::new().fallback(any(echo));
    let read = ask(app, Request::new(Body::empty())).await;
    check(&read, 500, r#"{"error":"Internal error.","code":"internal"}"#);
}
