//! Why settings make no client.

use std::error::Error;

use mesh_core::{
    error::{Origin, Retry},
    name::{NameError, ServiceName},
    retry::RetryPolicyError,
    service::BaseUrl,
};

/// Why settings make no client. The fault of the settings; never worth a retry as they are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The client's own name cannot stand in a header.
    #[error("the identity's name: {0}")]
    Identity(#[source] NameError),
    /// Two services of one name.
    #[error("the service [{0}] is configured twice")]
    DoubledService(ServiceName),
    /// A base URL that a URL parser would rewrite.
    #[error("the base URL {0} has a path that cannot travel unchanged")]
    BaseUrl(BaseUrl),
    /// A timeout of zero.
    #[error("a timeout is zero")]
    ZeroTimeout,
    /// The deadline is below the timeout of one attempt.
    #[error("the deadline is below the timeout of one attempt")]
    DeadlineBelowTimeout,
    /// The retries make no policy.
    #[error(transparent)]
    Retries(#[from] RetryPolicyError),
    /// The gateway for manifests is not among the services.
    #[error("the manifest gateway [{0}] is not among the services")]
    UnknownGateway(ServiceName),
    /// No transport was given, and the crate was built without its own.
    #[error("no transport: give one, or turn on the feature reqwest")]
    NoTransport,
    /// The default transport cannot be set up.
    #[error("the transport cannot be set up: {0}")]
    Transport(#[source] Box<dyn Error + Send + Sync>),
    /// There is no tokio runtime to do the background work.
    #[error("a client is built inside a tokio runtime")]
    NoRuntime,
}

impl BuildError {
    /// Whose fault it is.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        Origin::Mesh
    }

    /// Whether to try again.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        Retry::Never
    }
}
