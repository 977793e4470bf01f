//! Which status each refusal of the gateway has, and what it looks like on the wire.

mod table;

use std::borrow::Cow;

use bytes::Bytes;
use http::{
    HeaderValue, Method, Response,
    header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER},
};
use mesh_core::error::Code;
use serde::Serialize;

use crate::body::Body;
pub(crate) use table::{closes, status};

/// An answer that the gateway makes itself.
///
/// Shape: `{"error": "<text>", "code": "<code>"}`, `application/json`, `Cache-Control: no-store` (docs/refusals.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    text: Cow<'static, str>,
    allow: Option<String>,
    retry_after: Option<u64>,
}

/// The body of a refusal; the error stands first.
#[derive(Serialize)]
struct Document<'a> {
    error: &'a str,
    code: &'a str,
}

impl Refusal {
    pub(crate) fn new(code: Code, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), allow: None, retry_after: None }
    }

    pub(crate) fn allowing(mut self, methods: &[Method]) -> Self {
        self.allow = Some(allow(methods));
        self
    }

    /// Seconds after which it is worth trying again.
    pub(crate) const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let document = Document { error: &self.text, code: self.code.as_str() };
        let mut response = json(self.code, serde_json::to_string(&document).unwrap_or_default());
        if let Some(value) = self.allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
            response.headers_mut().insert(ALLOW, value);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// A refusal whose document has another shape than [`Refusal`]'s (the package's 422). Its code stands in the
/// extensions, for the metrics.
pub(crate) fn json(code: Code, document: String) -> Response<Body> {
    let mut response = Response::new(Body::full(Bytes::from(document)));
    *response.status_mut() = status(code);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if closes(code) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response.extensions_mut().insert(code);
    response
}

/// The value of `Allow`.
pub(crate) fn allow(methods: &[Method]) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_json_that_nobody_stores() {
        let response = Refusal::new(Code::UpstreamUnavailable, "no instance").retry_after(1).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        assert!(!response.headers().contains_key(CONNECTION));
    }

    #[test]
    fn a_known_path_with_another_method_says_which() {
        let refusal = Refusal::new(Code::MethodNotAllowed, "x").allowing(&[Method::GET, Method::HEAD]);
        assert_eq!(refusal.into_response().headers()[ALLOW], "GET, HEAD");
    }

    #[test]
    fn a_body_that_is_too_large_ends_the_connection() {
        let response = Refusal::new(Code::BodyTooLarge, "x").into_response();
        assert_eq!(response.headers()[CONNECTION], "close");
    }
}
