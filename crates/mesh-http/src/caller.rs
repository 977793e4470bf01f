//! Who calls: the identity that a layer verified. Refuses handlers that stand in front of no such layer.

use std::fmt;

use axum::extract::FromRequestParts;
use http::request::Parts;
use mesh_core::{error::Code, name::ServiceName};

use crate::reject::Refusal;

/// How a caller's name was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Proof {
    /// Signature v1: whoever sent it holds the shared secret. The name itself is not signed: a name, not an identity.
    V1,
}

/// The service that calls, as [`TrustService`](crate::verify::TrustService) verified it.
///
/// In axum an extractor; elsewhere a request extension. A handler that asks for it without the layer answers 500
/// `internal`.
///
/// ```
/// use mesh_http::caller::Caller;
///
/// async fn show(caller: Caller) -> String {
///     format!("hello, {} ({})", caller.name(), caller.proof())
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(show));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    name: ServiceName,
    proof: Proof,
}

impl Caller {
    /// A caller whose name was proven by `proof`: for layers that verify, and for tests.
    #[must_use]
    pub const fn new(name: ServiceName, proof: Proof) -> Self {
        Self { name, proof }
    }

    /// The caller's name.
    #[must_use]
    pub const fn name(&self) -> &ServiceName {
        &self.name
    }

    /// How the name was proven.
    #[must_use]
    pub const fn proof(&self) -> Proof {
        self.proof
    }
}

impl Proof {
    /// The method's short name: `v1`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!(
                path = parts.uri.path(),
                "the handler asks for its Caller, and no TrustService layer stands before it"
            );
            Refusal::of(Code::Internal)
        })
    }
}
