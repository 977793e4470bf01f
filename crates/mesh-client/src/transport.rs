//! How one signed request travels: the seam under [`ServiceClient`](crate::ServiceClient).

#[cfg(feature = "reqwest")]
mod failure;
mod head;
#[cfg(feature = "reqwest")]
mod plain;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "reqwest")]
mod scheme;
#[cfg(test)]
#[cfg(feature = "reqwest")]
mod tests;

use std::{fmt::Debug, pin::Pin, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use mesh_core::retry::Failure;

pub use self::head::check_head;
#[cfg(feature = "reqwest")]
pub(crate) use self::scheme::SchemeTransport;

/// The bytes of an answer, as they arrive. An error is the end.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>;

/// Sends one request over HTTP.
///
/// # Contract
///
/// * One request, one attempt: nothing is retried once a byte was written, no redirect is followed, no proxy is used.
/// * The bytes on the wire are those of the request: target, header values and body unchanged.
/// * A body that is shorter than its framing says ends in an error, never cleanly.
/// * The future is dropped when the attempt's limit passes.
#[async_trait]
pub trait HttpTransport: Debug + Send + Sync {
    /// Sends `request`, whose URI is absolute, and returns the answer's head as soon as it is there.
    ///
    /// # Errors
    ///
    /// What failed, and whether any byte of the request may have reached the instance.
    async fn send(
        &self,
        request: http::Request<Bytes>,
        limits: Limits,
    ) -> Result<http::Response<BodyStream>, TransportError>;
}

/// How long an attempt may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the connection: name, TCP, TLS.
    pub connect: Duration,
    /// For everything. The caller of the transport enforces it.
    pub attempt: Duration,
}

/// Why an attempt has no answer, or only a part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", failure.as_str())]
pub struct TransportError {
    /// The kind of failure.
    pub failure: Failure,
    /// Whether a byte of the request may have been written.
    pub sent: bool,
    /// For people: no URL, no header, no body.
    pub message: String,
}

impl TransportError {
    /// A failure before the first byte was written.
    #[must_use]
    pub fn not_sent(failure: Failure, message: impl Into<String>) -> Self {
        Self { failure, sent: false, message: message.into() }
    }

    /// A failure after (part of) the request was written.
    #[must_use]
    pub fn lost(failure: Failure, message: impl Into<String>) -> Self {
        Self { failure, sent: true, message: message.into() }
    }
}
