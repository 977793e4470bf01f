//! Whether a manifest that arrives may take its place (docs/wire.md, Manifest document).

use std::{collections::HashMap, net::IpAddr, time::Duration};

use super::{Manifest, RouteTable, timestamp};
use crate::{
    error::{Code, Origin, Retry},
    name::ServiceName,
    service::BaseUrl,
};

mod cidr;

pub use cidr::{Cidr, CidrError};

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
            Self::NotOwner => Code::ManifestNotOwner,
            Self::RouteConflict { .. } => Code::ManifestRouteConflict,
            Self::TargetForbidden(_) => Code::ManifestTargetForbidden,
            Self::Stale => Code::ManifestStale,
        }
    }
}

/// Whether the manifest is the caller's own.
///
/// # Errors
///
/// [`RegistrationError::NotOwner`].
pub fn check_owner(manifest: &Manifest, caller: &ServiceName) -> Result<(), RegistrationError> {
    if manifest.service == *caller { Ok(()) } else { Err(RegistrationError::NotOwner) }
}

/// Whether the announced base URLs may be called: each host is an IP address (a name could lead elsewhere later) that
/// lies in one of `allowed`. Odd spellings of addresses (`2130706433`, `0x7f.1`, `127.1`) are names here.
///
/// # Errors
///
/// [`RegistrationError::TargetForbidden`] with the first that may not.
pub fn check_targets(manifest: &Manifest, allowed: &[Cidr]) -> Result<(), RegistrationError> {
    let is_allowed = |url: &&BaseUrl| {
        address(url).is_some_and(|address| allowed.iter().any(|block| block.contains(address)))
    };
    match manifest.base_urls.iter().find(|url| !is_allowed(url)) {
        Some(url) => Err(RegistrationError::TargetForbidden(url.as_str().to_owned())),
        None => Ok(()),
    }
}

/// The address that the URL's host is, if it is one.
fn address(url: &BaseUrl) -> Option<IpAddr> {
    let authority = url.authority();
    match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0.parse().map(IpAddr::V6).ok(),
        None => authority.split(':').next()?.parse().map(IpAddr::V4).ok(),
    }
}

/// Whether `next` may replace `stored` (docs/refusals.md, row 97): not when both carry a version and the new one
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
    let lower = next.version.zip(stored.version).is_some_and(|(next, stored)| next < stored);
    let times = timestamp::parse(&next.timestamp).zip(timestamp::parse(&stored.timestamp));
    let tolerance = i64::try_from(tolerance.as_millis()).unwrap_or(i64::MAX);
    let older = times.is_some_and(|(next, stored)| stored.saturating_sub(next) > tolerance);
    if lower || older { Err(RegistrationError::Stale) } else { Ok(()) }
}

/// Whether any route of `manifest` would fall on a route that another service of `table` owns: the same method and the
/// same gateway pattern, names of parameters ignored. A manifest that is in the table already is compared with the
/// other services only, and one of a service that the table leaves out falls on nobody's.
///
/// # Errors
///
/// [`RegistrationError::RouteConflict`] with the first.
pub fn check_conflicts(manifest: &Manifest, table: &RouteTable) -> Result<(), RegistrationError> {
    if !table.settings().serves(&manifest.service) {
        return Ok(());
    }
    let others = table.entries().iter().filter(|entry| entry.service != manifest.service);
    let owners: HashMap<_, _> =
        others.map(|entry| ((&entry.route.method, entry.uri.shape()), &entry.service)).collect();
    for route in &manifest.routes {
        let Some(uri) = table.settings().gateway_uri(&manifest.service, &route.uri) else { continue };
        if let Some(owner) = owners.get(&(&route.method, uri.shape())) {
            return Err(RegistrationError::RouteConflict {
                method: route.method.to_string(),
                uri: uri.as_str().to_owned(),
                owner: (*owner).clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
