//! The table of refusals, row by row.

use http_body_util::BodyExt;

use super::*;

#[track_caller]
fn check(code: Code, status: u16, name: &str, text: &'static str, retry_after: Option<u32>, close: bool) {
    let refusal = Refusal::of(code);
    let shape = if name == "error" { Shape::Error } else { Shape::Message };
    let status = StatusCode::from_u16(status).unwrap_or_default();
    assert_eq!(refusal, Refusal { code, status, shape, text, retry_after, close });
}

#[test]
fn every_refusal_of_this_crate_has_its_status_shape_and_text() {
    check(Code::SignatureMissing, 401, "error", "Missing signature headers.", None, false);
    check(Code::SignatureInvalid, 401, "error", "Invalid signature or timestamp.", None, false);
    check(Code::SignatureServiceMissing, 401, "error", "Missing service name header.", None, false);
    check(
        Code::BadIdentityHeader,
        400,
        "error",
        "An identity header is doubled or not visible ASCII.",
        None,
        false,
    );
    check(Code::BodyTooLarge, 413, "error", "The request body is too large.", None, true);
    check(Code::BadFraming, 400, "error", "The request body broke off.", None, true);
    check(Code::IdempotencyKeyMissing, 400, "error", "This request needs an idempotency key.", None, false);
    check(
        Code::IdempotencyKeyMalformed,
        400,
        "error",
        "The idempotency key is empty, too long or malformed.",
        None,
        false,
    );
    check(Code::IdempotencyInFlight, 409, "message", "Request is already being processed.", Some(1), false);
    check(
        Code::IdempotencyKeyReused,
        422,
        "message",
        "The idempotency key was used for another request.",
        None,
        false,
    );
    check(
        Code::IdempotencyNotReplayable,
        409,
        "error",
        "The request was processed, and its answer was not kept.",
        None,
        false,
    );
    check(Code::IdempotencyUnreadable, 500, "message", "Invalid cache state", None, false);
    check(
        Code::IdempotencyStoreUnavailable,
        503,
        "error",
        "The idempotency store is unavailable.",
        Some(1),
        false,
    );
    check(
        Code::IdempotencyNoCaller,
        500,
        "error",
        "No verified caller: the layers' order is wrong.",
        None,
        false,
    );
    check(Code::Internal, 500, "error", "Internal error.", None, false);
}

#[test]
fn a_code_of_another_crate_is_never_given_a_status_by_accident() {
    assert_eq!(Refusal::of(Code::RouteNotFound), Refusal::of(Code::Internal));
}

#[track_caller]
fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap_or("not ASCII"))
}

#[tokio::test]
async fn a_refusal_is_compact_json_that_nobody_caches() {
    let response = Refusal::of(Code::IdempotencyInFlight).into_response();
    assert_eq!(response.status(), 409);
    assert_eq!(header(&response, "content-type"), Some("application/json"));
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    assert_eq!(header(&response, "retry-after"), Some("1"));
    assert_eq!(header(&response, "connection"), None);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, r#"{"message":"Request is already being processed.","code":"idempotency.in_flight"}"#);
}

#[test]
fn a_connection_is_closed_only_where_connections_carry_one_request() {
    let refusal = Refusal::of(Code::BodyTooLarge);
    assert_eq!(header(&refusal.answer(Version::HTTP_11), "connection"), Some("close"));
    assert_eq!(header(&refusal.answer(Version::HTTP_2), "connection"), None);
}
