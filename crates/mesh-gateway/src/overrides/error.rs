//! What can be wrong with overrides that stand in code.

use std::fmt;

use http::Method;
use mesh_core::{
    name::{NameError, ServiceName},
    route::PatternError,
};

/// One mistake in [`GatewayBuilder::routes`](crate::GatewayBuilder::routes) or
/// [`GatewayBuilder::services`](crate::GatewayBuilder::services). The fault of the code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OverrideError {
    /// No service can be called so.
    #[error("{name:?} is no name of a service: {source}")]
    Name {
        /// As it stands in the code.
        name: String,
        /// Why.
        source: NameError,
    },
    /// The prefix cannot stand in a URI.
    #[error("the prefix {prefix:?} of {service}: {source}")]
    Prefix {
        /// The service.
        service: ServiceName,
        /// As it stands in the code.
        prefix: String,
        /// Why.
        source: PatternError,
    },
    /// No manifest can declare this URI.
    #[error("{method} {uri:?} of {service}: {source}")]
    Uri {
        /// The service.
        service: ServiceName,
        /// The route's method.
        method: Method,
        /// As it stands in the code.
        uri: String,
        /// Why.
        source: PatternError,
    },
    /// One route has two handlers.
    #[error("{method} {uri:?} of {service} has two handlers")]
    SecondHandler {
        /// The service.
        service: ServiceName,
        /// The route's method.
        method: Method,
        /// Where the second one stands.
        uri: String,
    },
}

/// Every mistake of one gateway's overrides, in the order of the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideErrors(pub(super) Vec<OverrideError>);

impl OverrideErrors {
    /// The mistakes; at least one.
    pub fn iter(&self) -> impl Iterator<Item = &OverrideError> {
        self.0.iter()
    }
}

impl fmt::Display for OverrideErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, error) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(formatter, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for OverrideErrors {}
