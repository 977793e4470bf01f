//! Tells the mesh which routes a service has: once, or again and again while it lives.

use std::{fmt, time::Duration};

use bytes::Bytes;
use mesh_core::{
    error::{Origin, Retry},
    event::Event,
    name::ServiceName,
    route::{Manifest, wire::MANIFEST_PATH},
    store::StoreError,
};
use tokio::task::JoinHandle;

use crate::{client::ServiceClient, error::CallError};

/// The first pause after a failed registration; it doubles up to the interval.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// A registration that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Whose routes they are.
    pub service: ServiceName,
    /// How many routes the manifest lists.
    pub routes: usize,
    /// Who took them.
    pub target: RegistrationTarget,
}

/// Who takes manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationTarget {
    /// A gateway, by the name it is configured under.
    Gateway(ServiceName),
    /// The store that gateways read.
    Store,
}

impl fmt::Display for RegistrationTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway(name) => write!(formatter, "{name}"),
            Self::Store => formatter.write_str("store"),
        }
    }
}

/// Why a manifest was not registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// Neither a gateway nor a store is set.
    #[error("no manifest gateway and no manifest store is set")]
    NoTarget,
    /// The gateway refused it ([`CallError::Request`], which carries the reason) or cannot be reached.
    #[error(transparent)]
    Gateway(#[from] CallError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RegisterError {
    /// Whose fault it is.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self {
            Self::NoTarget => Origin::Mesh,
            Self::Gateway(error) => error.origin(),
            Self::Store(error) => error.origin(),
        }
    }

    /// Whether to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::NoTarget => Retry::Never,
            Self::Gateway(error) => error.retry(),
            Self::Store(error) => error.retry(),
        }
    }
}

/// Keeps a manifest registered until it is dropped or stopped.
#[derive(Debug)]
#[must_use = "registration ends when this is dropped"]
pub struct KeepRegistered(JoinHandle<()>);

impl KeepRegistered {
    /// Ends the registration; what is registered stays until its time to live has passed.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for KeepRegistered {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ServiceClient {
    /// Registers `manifest`: at the manifest gateway if one is set, else in the manifest store.
    ///
    /// # Errors
    ///
    /// See [`RegisterError`].
    pub async fn register(&self, manifest: &Manifest) -> Result<Registered, RegisterError> {
        let document = Bytes::from(manifest.to_json());
        let target = &self.inner.manifests;
        let taken_by = if let Some(gateway) = &target.gateway {
            let calls = self.service(gateway.as_str());
            let call = calls.request(http::Method::POST, MANIFEST_PATH).with_body(document);
            call.idempotent().send().await?.throw()?;
            RegistrationTarget::Gateway(gateway.clone())
        } else if let Some(store) = &target.store {
            store.put(&manifest.service, document, target.ttl).await?;
            RegistrationTarget::Store
        } else {
            return Err(RegisterError::NoTarget);
        };
        let (service, routes) = (manifest.service.clone(), manifest.routes.len());
        self.inner.sink.emit(Event::RoutesRegistered { service: service.clone(), routes });
        Ok(Registered { service, routes, target: taken_by })
    }

    /// Registers `manifest` now and then every `every` (up to a tenth sooner, so that many services do not come at once).
    /// A failure is logged and tried again after 1 s, 2 s, 4 s and so on, at most `every`.
    /// The manifest's timestamp is renewed each time: of several instances none is refused as the older one.
    pub fn keep_registered(&self, mut manifest: Manifest, every: Duration) -> KeepRegistered {
        let client = self.clone();
        KeepRegistered(self.inner.runtime.spawn(async move {
            let mut pause = FIRST_PAUSE;
            loop {
                let now = client.inner.clock.unix();
                manifest.timestamp = Manifest::new(manifest.service.clone(), Vec::new(), now).timestamp;
                let next = match client.register(&manifest).await {
                    Ok(_) => {
                        pause = FIRST_PAUSE;
                        every
                    }
                    Err(error) => {
                        tracing::warn!(service = %manifest.service, %error, "routes were not registered");
                        let next = pause.min(every);
                        pause = pause.saturating_mul(2);
                        next
                    }
                };
                tokio::time::sleep(sooner(next, client.inner.entropy.next_u64())).await;
            }
        }))
    }
}

/// `interval`, less up to a tenth of it; at least a millisecond.
fn sooner(interval: Duration, random: u64) -> Duration {
    let part = u32::try_from(random % 1_000).unwrap_or_default();
    (interval - interval / 10_000 * part).max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_shortened_by_less_than_a_tenth() {
        let minute = Duration::from_secs(60);
        for random in [0, 1, 999, 1_000, u64::MAX] {
            let next = sooner(minute, random);
            assert!(next <= minute && next > minute.mul_f64(0.9), "{next:?}");
        }
        assert_eq!(sooner(Duration::ZERO, 5), Duration::from_millis(1));
    }
}
