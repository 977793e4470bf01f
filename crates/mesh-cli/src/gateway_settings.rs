//! From this node's settings to the gateway's own.

use std::time::Duration;

use mesh_core::route::TableSettings;
use mesh_gateway::{GatewaySettings, IdempotencySettings};

use crate::settings::{SettingError, Settings};

/// The settings of the route table.
pub(crate) fn table(settings: &Settings) -> TableSettings {
    TableSettings {
        services: settings.gateway.services.clone().map(|names| names.into_iter().collect()),
        prefixes: settings.gateway.prefixes.clone(),
        style: settings.gateway.prefix_style,
    }
}

/// The settings of a gateway that runs: with its certificates and keys.
///
/// # Errors
///
/// Every certificate or key that cannot be read.
pub(crate) fn running(settings: &Settings) -> Result<GatewaySettings, Vec<SettingError>> {
    let tls = settings.gateway.tls.read()?;
    Ok(GatewaySettings { tls: tls.listener, upstream_tls: tls.upstream, ..gateway(settings) })
}

/// The settings of a gateway, but for what stands in files of their own.
pub(crate) fn gateway(settings: &Settings) -> GatewaySettings {
    let table = table(settings);
    GatewaySettings {
        configured: settings.services.clone(),
        services: table.services,
        prefixes: table.prefixes,
        prefix_style: table.style,
        snapshot: settings.gateway.snapshot.clone(),
        body_limit: settings.gateway.body_limit,
        trusted_proxies: settings.gateway.trusted_proxies.clone(),
        strip_response_headers: settings.gateway.strip_response_headers.clone(),
        allow_targets: settings.gateway.allow_targets.clone(),
        trace: settings.gateway.trace,
        manifest_ttl: settings.manifest.ttl,
        manifest_grace: settings.manifest.grace,
        timestamp_tolerance: settings.timestamp_tolerance,
        health: settings.health,
        retry: settings.defaults.retry,
        timeout: settings.defaults.timeout,
        deadline: settings.defaults.deadline,
        idempotency: IdempotencySettings {
            ttl: settings.idempotency.ttl,
            lock_timeout: settings.idempotency.lock_timeout,
            max_body: settings.idempotency.max_body,
        },
        connect_timeout: settings.defaults.timeout.min(Duration::from_millis(250)),
        ..GatewaySettings::default()
    }
}
