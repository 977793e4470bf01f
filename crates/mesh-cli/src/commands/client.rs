//! The client that commands call with: the settings' services, policies and store.

use std::sync::Arc;

use mesh_client::{Defaults, Identity, ServiceClient, ServiceClientBuilder};
use mesh_core::service::Service;
use tokio::runtime::Runtime;

use crate::{exit::Failure, settings::Settings, stores::Stores};

/// A runtime for one command.
///
/// # Errors
///
/// When the system gives none.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unreachable(format!("the system gives no runtime: {error}")))
}

/// A client as the settings say; `services` instead of the configured ones where they differ.
///
/// # Errors
///
/// A keyring that is no good.
pub(crate) fn builder(
    settings: &Settings,
    stores: &Stores,
    services: Vec<Service>,
) -> Result<ServiceClientBuilder, Failure> {
    let keyring = settings.keyring.clone().map_err(Failure::settings)?;
    let defaults = Defaults {
        timeout: settings.defaults.timeout,
        retries: settings.defaults.retry.retries,
        retry_delay: settings.defaults.retry.retry_delay,
        retry_methods: settings.defaults.retry.methods,
        deadline: settings.defaults.deadline,
        max_response: usize::try_from(settings.defaults.max_response).unwrap_or(usize::MAX),
    };
    Ok(ServiceClient::builder(Identity::new(settings.name.clone(), keyring))
        .services(services)
        .defaults(defaults)
        .health_policy(settings.health)
        .health_store(Arc::clone(&stores.health))
        .manifest_ttl(settings.manifest.ttl))
}
