//! The manifest as a JSON document: read from the package's and later ones, written as ours.
//!
//! Refuses more than 1 MiB, more than 5,000 routes, depth over 64, doubled JSON keys, reserved metadata keys.

use crate::{
    error::{Code, Origin, Retry},
    service::BaseUrlError,
};

mod fields;
mod json;
mod read;
mod write;

pub use fields::{FieldErrors, summary};

/// Where a service tells its own manifest, and a gateway takes those of services. Source: docs/wire.md, M8 and M14.
pub const MANIFEST_PATH: &str = "/microservice/manifest";

/// Source: docs/refusals.md, row 95.
pub const MAX_MANIFEST_BYTES: usize = 1024 * 1024;

/// Source: docs/refusals.md, row 95.
pub const MAX_ROUTES: usize = 5_000;

/// Metadata that means something in the package's process only; dropped. Source: docs/wire.md, M5.
const EXCLUDED: &[&str] = &[
    "uses",
    "controller",
    "middleware",
    "as",
    "prefix",
    "namespace",
    "where",
    "domain",
    "excluded_middleware",
    "withoutMiddleware",
];

/// Why a document is no manifest. The fault of who sent it; never worth a retry as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not JSON at all. Carries where and why.
    #[error("the manifest is not JSON: {0}")]
    NotJson(String),
    /// The same key twice in one JSON object.
    #[error("the manifest has the JSON key {0:?} twice")]
    DoubledKey(String),
    /// Nested deeper than 64.
    #[error("the manifest is nested deeper than 64")]
    TooDeep,
    /// More than 1 MiB or more than 5,000 routes.
    #[error("the manifest is larger than {0}")]
    TooLarge(&'static str),
    /// Missing fields or wrong types, by field (`routes.0.uri`), in the package's words
    /// (`The service field is required.`).
    #[error("{0}")]
    Invalid(FieldErrors),
    /// A metadata key that begins with `_`.
    #[error("route {route} has the reserved metadata key {key:?}")]
    ReservedKey {
        /// Position in `routes`.
        route: usize,
        /// The key.
        key: String,
    },
    /// An announced base URL with user information, or of another scheme than http and https.
    #[error("an announced base URL may not be called: {0}")]
    TargetForbidden(BaseUrlError),
    /// A route that cannot be built.
    #[error("route {route} ({uri}): {reason}")]
    InvalidRoute {
        /// Position in `routes`.
        route: usize,
        /// The URI as declared.
        uri: String,
        /// Why.
        reason: String,
    },
}

impl ManifestError {
    /// Whose fault it is.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        Origin::Caller
    }

    /// Whether to try again as it is.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        Retry::Never
    }

    /// The refusal's code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::NotJson(_) => Code::ManifestNotJson,
            Self::TooLarge(_) => Code::ManifestTooLarge,
            Self::Invalid(_) | Self::DoubledKey(_) | Self::TooDeep => Code::ManifestInvalid,
            Self::ReservedKey { .. } => Code::ManifestReservedKey,
            Self::TargetForbidden(_) => Code::ManifestTargetForbidden,
            Self::InvalidRoute { .. } => Code::ManifestInvalidRoute,
        }
    }
}

#[cfg(test)]
mod tests;
