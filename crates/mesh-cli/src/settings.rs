//! Text from outside, checked: file, environment and flags become the policies that the rules take.
//!
//! Refuses unknown keys and reports every mistake of one run together. Never prints a secret.

mod build;
pub(crate) mod document;
pub(crate) mod effective;
pub(crate) mod env;
mod file;
pub(crate) mod origin;
mod overlay;
pub(crate) mod schema;
mod suggest;
#[cfg(test)]
mod tests;
pub(crate) mod tls;
pub(crate) mod value;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use http::HeaderName;
use mesh_core::{
    health::HealthPolicy,
    name::ServiceName,
    retry::RetryPolicy,
    route::{PrefixStyle, registration::Cidr},
    service::{BaseUrl, Service},
    signature::Keyring,
};
use mesh_gateway::{AccessLogFormat, TraceSettings};

pub(crate) use env::Environment;
pub(crate) use origin::{Origin, SettingError};
pub(crate) use overlay::{read, read_with_rows};

/// What the command line says of settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// `--config`.
    pub(crate) config: Option<PathBuf>,
    /// Values given by flags of a command: key, value, flag.
    pub(crate) values: Vec<(&'static str, String, &'static str)>,
}

/// Every setting, checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) name: ServiceName,
    /// The keyring, or why there is none: only commands that sign or verify need one.
    pub(crate) keyring: Result<Keyring, Vec<SettingError>>,
    pub(crate) timestamp_tolerance: Duration,
    pub(crate) services: Vec<Service>,
    pub(crate) defaults: Defaults,
    pub(crate) redis: Option<Redis>,
    pub(crate) health: HealthPolicy,
    pub(crate) manifest: Manifest,
    pub(crate) idempotency: Idempotency,
    pub(crate) gateway: Gateway,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
}

/// `[defaults]`: how calls are made.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) deadline: Option<Duration>,
    pub(crate) max_response: u64,
}

/// `[redis]`.
#[derive(Clone)]
pub(crate) struct Redis {
    /// May hold a password.
    pub(crate) url: String,
    pub(crate) prefix: String,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Redis").field("url", &"***").field("prefix", &self.prefix).finish()
    }
}

/// `[manifest]`.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) ttl: Duration,
    pub(crate) grace: Duration,
    pub(crate) prefix: String,
    pub(crate) gateway: Option<ServiceName>,
    pub(crate) base_urls: Vec<BaseUrl>,
}

/// `[idempotency]`.
#[derive(Clone, Debug)]
pub(crate) struct Idempotency {
    pub(crate) ttl: Duration,
    pub(crate) lock_timeout: Duration,
    pub(crate) max_body: u64,
}

/// `[gateway]`.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    /// Whether somebody set `admin_listen`.
    pub(crate) names_admin: bool,
    pub(crate) workers: usize,
    pub(crate) services: Option<Vec<ServiceName>>,
    pub(crate) snapshot: Option<PathBuf>,
    pub(crate) prefix_style: PrefixStyle,
    pub(crate) prefixes: BTreeMap<ServiceName, String>,
    pub(crate) body_limit: u64,
    pub(crate) trusted_proxies: Vec<Cidr>,
    pub(crate) strip_response_headers: Vec<HeaderName>,
    pub(crate) allow_targets: Vec<Cidr>,
    pub(crate) tls: tls::Tls,
    pub(crate) trace: TraceSettings,
    pub(crate) access_log: Option<AccessLog>,
}

/// `[gateway.access_log]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AccessLog {
    pub(crate) format: AccessLogFormat,
    pub(crate) sample: f64,
    /// `stdout`, `stderr` or a path.
    pub(crate) target: String,
}
