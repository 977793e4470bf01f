//! When a call is tried again, and how long it waits before.

pub mod backoff;
pub mod policy;

pub use policy::{RetryMethods, RetryPolicy, RetryPolicyError, is_idempotent};

use std::time::Duration;

/// What became of one attempt, as far as the rules care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer below 500: it is the call's answer.
    Answered,
    /// An answer of 500 and above.
    ServerError {
        /// How long the service asks to be left alone, where it is a 503 that says so.
        retry_after: Option<Duration>,
    },
    /// The attempt failed and not one byte of the request reached the instance.
    NotSent(Failure),
    /// The attempt failed after (part of) the request was written.
    Lost(Failure),
}

/// How an attempt failed without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// No connection: refused, unreachable, name not found, TLS.
    Connect,
    /// The attempt's limit passed.
    Timeout,
    /// The connection broke.
    Reset,
    /// The answer broke off before its end.
    Truncated,
    /// What came back is no HTTP answer.
    Malformed,
    /// There is somebody, who does not speak the protocol that the settings say.
    Protocol,
}

impl Failure {
    /// The word in lists of attempts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::Protocol => "protocol",
        }
    }
}
