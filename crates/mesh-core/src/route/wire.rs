//! The manifest as a JSON document: read from the package's and later ones, written as ours.
//!
//! Refuses more than 1 MiB, more than 5,000 routes, depth over 64, doubled JSON keys, reserved metadata keys.

use std::collections::BTreeMap;

use super::Manifest;
use crate::error::{Code, Origin, Retry};

/// Source: docs/refusals.md, Manifests.
pub const MAX_MANIFEST_BYTES: usize = 1024 * 1024;

/// Why a document is no manifest. The fault of who sent it; never worth a retry as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not JSON at all, doubled keys, or nested too deep. Carries where and why.
    #[error("the manifest is not JSON: {0}")]
    NotJson(String),
    /// More than 1 MiB or more than 5,000 routes.
    #[error("the manifest is larger than {0}")]
    TooLarge(&'static str),
    /// Missing fields or wrong types, by field (`routes.0.uri`), in the package's words
    /// (`The service field is required.`).
    #[error("{}", summary(.0))]
    Invalid(BTreeMap<String, Vec<String>>),
    /// A metadata key that begins with `_`.
    #[error("route {route} has the reserved metadata key {key:?}")]
    ReservedKey {
        /// Position in `routes`.
        route: usize,
        /// The key.
        key: String,
    },
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
            Self::Invalid(_) => Code::ManifestInvalid,
            Self::ReservedKey { .. } => Code::ManifestReservedKey,
            Self::InvalidRoute { .. } => Code::ManifestInvalidRoute,
        }
    }
}

/// The package's summary of several errors: the first, and how many more there are
/// (`The service field is required. (and 2 more errors)`).
#[must_use]
pub fn summary(errors: &BTreeMap<String, Vec<String>>) -> String {
    let _ = errors;
    todo!()
}

impl Manifest {
    /// Reads a manifest document: ours, the package's, and later package versions' (`methods`, `base_url`, `timeout`).
    /// Excluded metadata keys are dropped; HEAD entries are dropped; everything else is checked.
    ///
    /// # Errors
    ///
    /// See [`ManifestError`].
    pub fn parse(document: &[u8]) -> Result<Self, ManifestError> {
        let _ = document;
        todo!()
    }

    /// The document as we write it: compact JSON, `service`, `routes`, `timestamp`, then `version` and `base_urls`
    /// where there are any.
    #[must_use]
    pub fn to_json(&self) -> String {
        todo!()
    }
}
