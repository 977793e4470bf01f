//! Which requests are the same one: the key a caller sends, scoped to caller and service, hashed.

use std::fmt;

use http::HeaderMap;

use crate::{error::Code, name::ServiceName};

/// The key as the caller sent it: `Idempotency-Key` before `X-Request-Id`; 1 to 255 characters without controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey(String);

/// Why a header is no key. The caller's fault; never worth a retry as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Empty, longer than 255 characters, with control bytes, not UTF-8, or two headers.
    #[error("the idempotency key is empty, too long, doubled or has control bytes")]
    Malformed,
}

impl KeyError {
    /// The refusal's code.
    #[must_use]
    pub const fn code(self) -> Code {
        Code::IdempotencyKeyMalformed
    }
}

impl RequestKey {
    /// Reads the key of a request; `None` when it has none.
    ///
    /// # Errors
    ///
    /// [`KeyError::Malformed`].
    pub fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, KeyError> {
        let _ = headers;
        todo!()
    }

    /// The text as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key as stores know it: 64 hex digits, scoped so that nobody is answered with somebody else's response.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key for `request` of `scope` (the verified caller, or `edge` and a hash of the user's credentials) to
    /// `service`. SHA-256 over the three, each with its length, so that no two triples give one text.
    #[must_use]
    pub fn scoped(scope: &str, service: &ServiceName, request: &RequestKey) -> Self {
        let _ = (scope, service, request);
        todo!()
    }

    /// The hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The scope of a user at the gateway's public door: `edge:` + SHA-256 over Authorization and Cookie.
#[must_use]
pub fn edge_scope(headers: &HeaderMap) -> String {
    let _ = headers;
    todo!()
}
