//! What the service reads of mesh.toml; the program `mesh` reads, and checks, all of it.

use std::{collections::BTreeMap, error::Error, fs, time::Duration};

use mesh_core::{
    health::HealthPolicy,
    name::ServiceName,
    secret::Secret,
    service::{BaseUrl, Service},
    signature::{Algorithm, Keyring},
};
use serde::Deserialize;

/// The file.
#[derive(Debug, Deserialize)]
pub(crate) struct Settings {
    name: String,
    secret: String,
    algorithm: String,
    timestamp_tolerance: u64,
    services: BTreeMap<String, Instances>,
    pub(crate) redis: Redis,
    health: Health,
    manifest: Manifest,
    idempotency: Idempotency,
}

#[derive(Debug, Deserialize)]
struct Instances {
    base_urls: Vec<String>,
}

/// The server that PHP and Rust share.
#[derive(Debug, Deserialize)]
pub(crate) struct Redis {
    pub(crate) url: String,
    pub(crate) prefix: String,
}

#[derive(Debug, Deserialize)]
struct Health {
    failure_threshold: u32,
    recovery_timeout: u64,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    ttl: u64,
}

#[derive(Debug, Deserialize)]
struct Idempotency {
    compat: bool,
}

impl Settings {
    pub(crate) fn read(path: &str) -> Result<Self, Box<dyn Error>> {
        Ok(toml::from_str(&fs::read_to_string(path)?)?)
    }

    pub(crate) fn name(&self) -> Result<ServiceName, Box<dyn Error>> {
        Ok(ServiceName::parse(&self.name)?)
    }

    pub(crate) fn keyring(&self) -> Result<Keyring, Box<dyn Error>> {
        let algorithm = self.algorithm.parse::<Algorithm>()?;
        Ok(Keyring { algorithm, ..Keyring::new(Secret::try_new(self.secret.as_str())?) })
    }

    pub(crate) const fn tolerance(&self) -> Duration {
        Duration::from_secs(self.timestamp_tolerance)
    }

    pub(crate) fn services(&self) -> Result<Vec<Service>, Box<dyn Error>> {
        let services = self.services.iter().map(|(name, instances)| {
            let urls = instances.base_urls.iter().map(|url| BaseUrl::parse(url)).collect::<Result<_, _>>()?;
            Ok(Service::new(ServiceName::parse(name)?, urls))
        });
        services.collect()
    }

    pub(crate) fn health(&self) -> Result<HealthPolicy, Box<dyn Error>> {
        let recovery = Duration::from_secs(self.health.recovery_timeout);
        Ok(HealthPolicy::try_new(self.health.failure_threshold, recovery)?)
    }

    pub(crate) const fn manifest_ttl(&self) -> Duration {
        Duration::from_secs(self.manifest.ttl)
    }

    pub(crate) const fn compat(&self) -> bool {
        self.idempotency.compat
    }
}
