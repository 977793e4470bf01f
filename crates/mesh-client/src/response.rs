//! An answer that was read to its end.

mod dot;
mod streaming;

use std::{borrow::Cow, fmt, sync::OnceLock};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use mesh_core::name::ServiceName;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::streaming::StreamingResponse;
pub(crate) use self::streaming::Watch;
use crate::{driver::AttemptRecord, error::CallError};

/// An answer below 500 (or the 5xx that [`CallError::Unavailable`] carries), body and all.
pub struct ServiceResponse {
    service: ServiceName,
    answer: http::Response<Bytes>,
    attempts: Vec<AttemptRecord>,
    /// The body as JSON, read when first asked for; absent when it is none.
    value: OnceLock<Option<Value>>,
}

impl ServiceResponse {
    pub(crate) const fn new(
        service: ServiceName,
        answer: http::Response<Bytes>,
        attempts: Vec<AttemptRecord>,
    ) -> Self {
        Self { service, answer, attempts, value: OnceLock::new() }
    }

    /// The service that answered.
    #[must_use]
    pub const fn service(&self) -> &ServiceName {
        &self.service
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.answer.status()
    }

    /// Whether the status lies in 200 to 299.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.status().is_success()
    }

    /// Whether it does not.
    #[must_use]
    pub fn failed(&self) -> bool {
        !self.ok()
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// [`CallError::Decode`] when the body is not a `T` in JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(self.answer.body())
            .map_err(|source| CallError::Decode { service: self.service.clone(), source })
    }

    /// What lies at `key` in the JSON body, in dot notation: `data.id`, `items.0.name`, `items.*.name`
    /// (a list of what is found in each item; null where an item has it not). The body is read once.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        let value = self.value.get_or_init(|| serde_json::from_slice(self.answer.body()).ok());
        value.as_ref().and_then(|value| dot::get(value, key))
    }

    /// What lies at `key`, or `default` when nothing does.
    #[must_use]
    pub fn get_or(&self, key: &str, default: impl Into<Value>) -> Value {
        self.get(key).unwrap_or_else(|| default.into())
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.answer.body())
    }

    /// The body as it came.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        self.answer.body()
    }

    /// The first value of a header; absent when it did not come or is not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// All headers, each line on its own.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.answer.headers()
    }

    /// Every attempt of the call, in order; the last one brought this answer.
    #[must_use]
    pub fn attempts(&self) -> &[AttemptRecord] {
        &self.attempts
    }

    /// The answer itself, unless it failed.
    ///
    /// # Errors
    ///
    /// [`CallError::Request`], which carries the answer, for a status outside 200 to 299.
    pub fn throw(self) -> Result<Self, CallError> {
        if self.ok() { Ok(self) } else { Err(CallError::Request { response: Box::new(self) }) }
    }

    /// The answer in the types of the crate `http`.
    #[must_use]
    pub fn into_http(self) -> http::Response<Bytes> {
        self.answer
    }
}

impl fmt::Debug for ServiceResponse {
    /// Without header values and body: they are not ours to print.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServiceResponse")
            .field("service", &self.service)
            .field("status", &self.status())
            .field("body_bytes", &self.answer.body().len())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
