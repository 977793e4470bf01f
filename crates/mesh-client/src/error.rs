//! Why a call has no answer that its caller can use.

use std::fmt::{self, Write as _};

use http::HeaderName;
use mesh_core::{
    error::{Origin, Retry},
    name::{NameError, ServiceName},
    retry::{Failure, RetryPolicyError},
};

use crate::{driver::AttemptRecord, request::target::TargetTextError, response::ServiceResponse};

/// Why a call failed. Its text never holds a secret, a header's value or a body.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No instance answered below 500, or none is configured (then there are no attempts).
    #[error("{}", unavailable(.service, .attempts))]
    Unavailable {
        /// The service that was called.
        service: ServiceName,
        /// Every attempt, in order.
        attempts: Vec<AttemptRecord>,
        /// The last attempt's answer, where it was one (500 and above).
        last: Option<Box<ServiceResponse>>,
    },
    /// [`ServiceResponse::throw`] found a status outside 200 to 299.
    #[error("the service [{}] answered {}", .response.service(), .response.status().as_u16())]
    Request {
        /// The answer.
        response: Box<ServiceResponse>,
    },
    /// The call could not be made as it was written. Nothing was sent.
    #[error("the call cannot be made: {0}")]
    Invalid(#[from] InvalidCall),
    /// The answer is larger than `max_response`.
    #[error("the answer of the service [{service}] is larger than {limit} bytes")]
    TooLarge {
        /// The service that was called.
        service: ServiceName,
        /// The limit in bytes.
        limit: usize,
        /// Every attempt, in order.
        attempts: Vec<AttemptRecord>,
    },
    /// A part of a pool panicked, in a transport or a sink that is not ours. Nothing is known of its request.
    #[error("the call to the service [{service}] panicked")]
    Panicked {
        /// The name that was called.
        service: String,
    },
    /// An answer broke off while its body was streamed.
    #[error("the answer of the service [{service}] broke off: {}: {message}", .failure.as_str())]
    Interrupted {
        /// The service that was called.
        service: ServiceName,
        /// How it broke off.
        failure: Failure,
        /// What happened.
        message: String,
    },
    /// The answer's body is not the JSON that was asked for.
    #[error("the answer of the service [{service}] is not the expected JSON (line {}, column {})", .source.line(), .source.column())]
    Decode {
        /// The service that was called.
        service: ServiceName,
        /// Why. Its text may quote the body.
        source: serde_json::Error,
    },
}

/// What is wrong with a call before it is made. The caller's fault; never worth a retry as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCall {
    /// The service's name is none.
    #[error(transparent)]
    Service(#[from] NameError),
    /// The path or query cannot be a request target.
    #[error(transparent)]
    Target(#[from] TargetTextError),
    /// A header's name is none.
    #[error("a header name is not a token")]
    HeaderName,
    /// A header's value holds CR, LF or another control character.
    #[error("the value of the header {0} has a forbidden character")]
    HeaderValue(HeaderName),
    /// A header that belongs to the connection and not to the caller.
    #[error("the header {0} is the connection's own")]
    ConnectionHeader(HeaderName),
    /// The body cannot be written as JSON.
    #[error("the body cannot be written as JSON")]
    Body(#[source] serde_json::Error),
    /// The retries make no policy.
    #[error(transparent)]
    Retries(#[from] RetryPolicyError),
    /// A timeout of zero.
    #[error("the timeout is zero")]
    ZeroTimeout,
    /// A pool has an earlier part of this name.
    #[error("the name is taken by an earlier part of the pool")]
    DoubledName,
    /// The deadline is below the timeout of one attempt.
    #[error("the deadline is below the timeout of one attempt")]
    DeadlineBelowTimeout,
}

impl CallError {
    /// Whose fault it is.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self {
            Self::Unavailable { attempts, .. } if is_our_own(attempts) => Origin::Mesh,
            Self::Panicked { .. } => Origin::Mesh,
            Self::Request { response } if response.status().is_client_error() => Origin::Caller,
            Self::Invalid(_) => Origin::Caller,
            Self::Unavailable { .. }
            | Self::Request { .. }
            | Self::TooLarge { .. }
            | Self::Interrupted { .. }
            | Self::Decode { .. } => Origin::Upstream,
        }
    }

    /// Whether the same call may succeed if it is made again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unavailable { attempts, .. } if attempts.is_empty() => Retry::Never,
            Self::Unavailable { .. } | Self::Interrupted { .. } => Retry::Same,
            Self::Request { response } if response.status().is_server_error() => Retry::Same,
            Self::Request { .. }
            | Self::Invalid(_)
            | Self::TooLarge { .. }
            | Self::Panicked { .. }
            | Self::Decode { .. } => Retry::Never,
        }
    }

    /// Every attempt that was made, in order.
    #[must_use]
    pub fn attempts(&self) -> &[AttemptRecord] {
        match self {
            Self::Unavailable { attempts, .. } | Self::TooLarge { attempts, .. } => attempts,
            Self::Request { response } => response.attempts(),
            Self::Invalid(_) | Self::Panicked { .. } | Self::Interrupted { .. } | Self::Decode { .. } => &[],
        }
    }
}

/// Whether there was no instance to ask, or in the end no means to ask one.
fn is_our_own(attempts: &[AttemptRecord]) -> bool {
    attempts.last().is_none_or(|last| last.failure.is_some_and(|failure| !failure.is_of_the_instance()))
}

fn unavailable(service: &ServiceName, attempts: &[AttemptRecord]) -> String {
    if attempts.is_empty() {
        return crate::driver::no_instances(service);
    }
    let mut text = format!("the service [{service}] is unavailable");
    for (index, attempt) in attempts.iter().enumerate() {
        let separator = if index == 0 { ':' } else { ';' };
        let written = write!(text, "{separator} {attempt}");
        debug_assert!(written.is_ok(), "a String takes all that is written");
    }
    text
}

impl fmt::Display for AttemptRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} ({} ms)", self.url, self.outcome, self.elapsed.as_millis())
    }
}
