//! What can be wrong with a service's own declaration of its routes. All mistakes are told at once.

use std::fmt;

use http::Method;
use mesh_core::{
    error::{Origin, Retry},
    name::NameError,
    route::{ManifestError, PatternError},
};

/// One mistake in a declaration. The fault of the service's code; never worth a retry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeclarationError {
    /// The service's name is none.
    #[error("the service's name {name:?}: {source}")]
    Name {
        /// The name as declared.
        name: String,
        /// Why it is none.
        source: NameError,
    },
    /// A URI that is no pattern.
    #[error("{method} {uri}: {source}")]
    Uri {
        /// The method of the route.
        method: Method,
        /// The URI as declared.
        uri: String,
        /// Why it is none.
        source: PatternError,
    },
    /// A pattern that gateways know and axum's router does not: literal text and a parameter in one segment.
    #[error("{method} {uri}: axum serves no segment that mixes text and parameters")]
    MixedSegment {
        /// The method of the route.
        method: Method,
        /// The URI as declared.
        uri: String,
    },
    /// Two routes for the same requests.
    #[error("{method} {uri}: {first} has the same requests")]
    Doubled {
        /// The method of both.
        method: Method,
        /// The later URI.
        uri: String,
        /// The earlier URI.
        first: String,
    },
    /// Two routes of one shape that name their parameters differently: axum's router wants one set of names.
    #[error("{method} {uri}: {first} names the same parameters differently")]
    OtherNames {
        /// The method of the later route.
        method: Method,
        /// The later URI.
        uri: String,
        /// The earlier URI.
        first: String,
    },
    /// A metadata key that is one of the route's own fields: `method`, `methods`, `uri`, `name`.
    #[error("{method} {uri}: {key:?} is no metadata key")]
    NotMetadata {
        /// The method of the route.
        method: Method,
        /// The URI as declared.
        uri: String,
        /// The key.
        key: String,
    },
    /// `name` or `meta` before the first route.
    #[error("{0:?} is said before any route")]
    NoRoute(String),
    /// What the manifest's own rules refuse: reserved keys, too many routes.
    #[error(transparent)]
    Manifest(ManifestError),
}

impl DeclarationError {
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

/// Every mistake in a declaration; at least one. Displays one per line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclarationErrors(pub Vec<DeclarationError>);

impl fmt::Display for DeclarationErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, error) in self.0.iter().enumerate() {
            if position > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for DeclarationErrors {}
