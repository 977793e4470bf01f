//! Which status, shape and text each refusal of this crate has: the one table (docs/refusals.md).

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, StatusCode, Version,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER},
};
use mesh_core::error::Code;
use serde::Serialize;

/// Under which name a refusal's text stands in its JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"error": "<text>", "code": "<code>"}`
    Error,
    /// `{"message": "<text>", "code": "<code>"}`: where the package has it so.
    Message,
}

/// A row of the table: how one refusal is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For machines.
    pub code: Code,
    /// The status of the answer.
    pub status: StatusCode,
    /// Where the text stands.
    pub shape: Shape,
    /// For people; the package's where it has one.
    pub text: &'static str,
    /// Seconds in `Retry-After`, where trying again may help.
    pub retry_after: Option<u32>,
    /// Whether the connection ends with the answer.
    pub close: bool,
}

impl Refusal {
    /// The row of `code`. A code that this crate never gives has the row of [`Code::Internal`].
    #[must_use]
    pub const fn of(code: Code) -> Self {
        use Code as C;
        use StatusCode as S;
        match code {
            C::SignatureMissing => Self::error(code, S::UNAUTHORIZED, "Missing signature headers."),
            C::SignatureInvalid => Self::error(code, S::UNAUTHORIZED, "Invalid signature or timestamp."),
            C::SignatureServiceMissing => Self::error(code, S::UNAUTHORIZED, "Missing service name header."),
            C::BadIdentityHeader => {
                Self::error(code, S::BAD_REQUEST, "An identity header is doubled or not visible ASCII.")
            }
            C::BodyTooLarge => {
                Self::error(code, S::PAYLOAD_TOO_LARGE, "The request body is too large.").closing()
            }
            C::BadFraming => Self::error(code, S::BAD_REQUEST, "The request body broke off.").closing(),
            C::IdempotencyKeyMissing => {
                Self::error(code, S::BAD_REQUEST, "This request needs an idempotency key.")
            }
            C::IdempotencyKeyMalformed => {
                Self::error(code, S::BAD_REQUEST, "The idempotency key is empty, too long or malformed.")
            }
            C::IdempotencyInFlight => {
                Self::message(code, S::CONFLICT, "Request is already being processed.").retry_after(1)
            }
            C::IdempotencyKeyReused => Self::message(
                code,
                S::UNPROCESSABLE_ENTITY,
                "The idempotency key was used for another request.",
            ),
            C::IdempotencyNotReplayable => {
                Self::error(code, S::CONFLICT, "The request was processed, and its answer was not kept.")
            }
            C::IdempotencyUnreadable => Self::message(code, S::INTERNAL_SERVER_ERROR, "Invalid cache state"),
            C::IdempotencyStoreUnavailable => {
                Self::error(code, S::SERVICE_UNAVAILABLE, "The idempotency store is unavailable.")
                    .retry_after(1)
            }
            C::IdempotencyNoCaller => {
                Self::error(code, S::INTERNAL_SERVER_ERROR, "No verified caller: the layers' order is wrong.")
            }
            _ => Self::error(C::Internal, S::INTERNAL_SERVER_ERROR, "Internal error."),
        }
    }

    const fn error(code: Code, status: StatusCode, text: &'static str) -> Self {
        Self { code, status, shape: Shape::Error, text, retry_after: None, close: false }
    }

    const fn message(code: Code, status: StatusCode, text: &'static str) -> Self {
        Self { shape: Shape::Message, ..Self::error(code, status, text) }
    }

    const fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    const fn closing(self) -> Self {
        Self { close: true, ..self }
    }

    /// The answer to a request of `version`. `Connection: close` is said where it means something: not in HTTP/2.
    #[must_use]
    pub fn answer(self, version: Version) -> Response {
        let mut response = answer(self.status, self.shape, self.code, self.text);
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.close && version < Version::HTTP_2 {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.answer(Version::HTTP_11)
    }
}

/// A refusal's answer: compact JSON, never cached; `code` also stands in the extensions, for metrics. `text` reaches the client: no secrets, no values of headers.
#[must_use]
pub fn answer(status: StatusCode, shape: Shape, code: Code, text: &str) -> Response {
    #[derive(Serialize)]
    struct Content<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
        code: &'a str,
    }
    let (error, message) = match shape {
        Shape::Error => (Some(text), None),
        Shape::Message => (None, Some(text)),
    };
    let content = serde_json::to_vec(&Content { error, message, code: code.as_str() }).unwrap_or_default();
    let mut response = Response::new(Body::from(content));
    *response.status_mut() = status;
    response.extensions_mut().insert(code);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
