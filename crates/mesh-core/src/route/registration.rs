//! Whether a manifest that arrives may take its place (docs/wire.md, Manifest document).

use std::{net::IpAddr, time::Duration};

use super::{Manifest, RouteTable};
use crate::{error::Code, name::ServiceName};

/// Why a well-formed manifest is refused. The fault of who sent it; never worth a retry as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// The manifest names another service than its caller.
    #[error("a manifest is registered by its own service only")]
    NotOwner,
    /// Another service owns the same method and gateway pattern.
    #[error("{method} {uri} belongs to the service {owner}")]
    RouteConflict {
        /// The method.
        method: String,
        /// The gateway's URI.
        uri: String,
        /// Who keeps the route.
        owner: ServiceName,
    },
    /// An announced base URL that does not lie in the allowed targets.
    #[error("the base URL {0} does not lie in gateway.allow_targets")]
    TargetForbidden(String),
    /// Older than the stored manifest.
    #[error("the manifest is older than the registered one")]
    Stale,
}

impl RegistrationError {
    /// The refusal's code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::NotOwner => Code::ManifestNotOwner,
            Self::RouteConflict { .. } => Code::ManifestRouteConflict,
            Self::TargetForbidden(_) => Code::ManifestTargetForbidden,
            Self::Stale => Code::ManifestStale,
        }
    }
}

/// A block of addresses, e.g. `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    bits: u8,
}

/// A text that is no CIDR block. The fault of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block of addresses is written as 10.0.0.0/8 or fd00::/8")]
pub struct CidrError;

impl Cidr {
    /// Reads `address/bits`, or an address alone.
    ///
    /// # Errors
    ///
    /// When the text is none, or has bits beyond the mask set.
    pub fn parse(text: &str) -> Result<Self, CidrError> {
        let _ = text;
        todo!()
    }

    /// Whether `address` lies in the block; an IPv4-mapped IPv6 address is its IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let _ = (address, self.network, self.bits);
        todo!()
    }
}

/// Whether the announced base URLs may be called: each host is an IP address (a name could lead elsewhere later) that
/// lies in one of `allowed`.
///
/// # Errors
///
/// [`RegistrationError::TargetForbidden`] with the first that may not.
pub fn check_targets(manifest: &Manifest, allowed: &[Cidr]) -> Result<(), RegistrationError> {
    let _ = (manifest, allowed);
    todo!()
}

/// Whether `next` may replace `stored` (docs/refusals.md, Manifests): not when both carry a version and the new one
/// is lower, nor when both timestamps parse (RFC 3339) and the new one is older by more than `tolerance`.
///
/// # Errors
///
/// [`RegistrationError::Stale`].
pub fn check_freshness(
    next: &Manifest,
    stored: &Manifest,
    tolerance: Duration,
) -> Result<(), RegistrationError> {
    let _ = (next, stored, tolerance);
    todo!()
}

/// Whether any route of `manifest` would fall on a route that another service of `table` owns.
///
/// # Errors
///
/// [`RegistrationError::RouteConflict`] with the first.
pub fn check_conflicts(manifest: &Manifest, table: &RouteTable) -> Result<(), RegistrationError> {
    let _ = (manifest, table);
    todo!()
}
