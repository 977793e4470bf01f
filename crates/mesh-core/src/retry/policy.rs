//! The numbers that steer retries, and which requests may be repeated once they were written.

use std::time::Duration;

use http::Method;

/// Which requests may be tried again after they (may) have reached an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RetryMethods {
    /// Idempotent methods (RFC 9110 §9.2.2) and calls with an explicit key.
    #[default]
    Idempotent,
    /// All: the package's behaviour. An unsafe request may run twice.
    All,
}

/// The numbers that steer retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryPolicy {
    /// Further attempts per instance.
    pub retries: u32,
    /// The bound of the first delay; it doubles with each further attempt at one instance.
    pub retry_delay: Duration,
    /// Which requests are repeated after they were written.
    pub methods: RetryMethods,
}

/// Why numbers are no policy. The fault of the settings or of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetryPolicyError {
    /// More retries than any peer can bear.
    #[error("retries is at most 10")]
    TooManyRetries,
}

impl RetryPolicy {
    /// A policy of at most 10 retries.
    ///
    /// # Errors
    ///
    /// When `retries` is above 10.
    pub const fn try_new(
        retries: u32,
        retry_delay: Duration,
        methods: RetryMethods,
    ) -> Result<Self, RetryPolicyError> {
        if retries > 10 {
            return Err(RetryPolicyError::TooManyRetries);
        }
        Ok(Self { retries, retry_delay, methods })
    }

    /// Whether a call may be repeated after it was written: by its method, or by an explicit key.
    #[must_use]
    pub fn may_repeat(&self, method: &Method, has_explicit_key: bool) -> bool {
        self.methods == RetryMethods::All || has_explicit_key || is_idempotent(method)
    }
}

impl Default for RetryPolicy {
    /// The package's numbers: 2 retries, 100 ms; only idempotent requests are repeated (docs/wire.md, Client).
    fn default() -> Self {
        Self { retries: 2, retry_delay: Duration::from_millis(100), methods: RetryMethods::Idempotent }
    }
}

/// Whether RFC 9110 §9.2.2 calls the method idempotent.
#[must_use]
pub fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
    )
}
