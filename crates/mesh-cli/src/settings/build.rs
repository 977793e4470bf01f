//! From checked values to typed settings: the rules that concern several keys.

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, time::Duration};

use mesh_core::{
    health::HealthPolicy,
    name::ServiceName,
    retry::{RetryMethods, RetryPolicy},
    route::PrefixStyle,
    secret::Secret,
    service::{Protocol, RequestBodies, Service},
    signature::{Algorithm, Keyring, MultipartPolicy},
};

use mesh_gateway::{AccessLogFormat, TraceSettings};
use mesh_redis::RedisStore;

use super::{
    AccessLog, Defaults, Gateway, Idempotency, Manifest, Origin, Redis, SettingError, Settings,
    overlay::Values,
    schema::SETTINGS,
    tls::Tls,
    value::{self, Raw, Value},
};

/// Typed access to values: what is set, else the schema's default.
pub(super) struct Reader<'v> {
    pub(super) values: &'v Values,
}

impl Reader<'_> {
    fn get(&self, key: &str) -> Option<Value> {
        self.values.get(key).map(|effective| effective.value.clone()).or_else(|| default(key))
    }

    pub(super) fn origin(&self, key: &str) -> Origin {
        self.values.get(key).map_or(Origin::Default, |effective| effective.origin.clone())
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        match self.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn texts(&self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some(Value::Texts(texts)) => texts,
            _ => Vec::new(),
        }
    }

    fn name(&self, key: &str) -> Option<ServiceName> {
        match self.get(key) {
            Some(Value::Name(name)) => Some(name),
            _ => None,
        }
    }

    fn duration(&self, key: &str) -> Option<Duration> {
        match self.get(key) {
            Some(Value::Duration(duration)) => Some(duration),
            _ => None,
        }
    }

    fn count(&self, key: &str) -> Option<u64> {
        match self.get(key) {
            Some(Value::Count(count)) => Some(count),
            _ => None,
        }
    }

    fn share(&self, key: &str) -> Option<f64> {
        match self.get(key) {
            Some(Value::Share(share)) => Some(share),
            _ => None,
        }
    }

    fn address(&self, key: &str) -> Option<SocketAddr> {
        match self.get(key) {
            Some(Value::Address(address)) => Some(address),
            _ => None,
        }
    }

    fn error(&self, key: &str, message: impl Into<String>) -> SettingError {
        SettingError::new(self.origin(key), Some(key.to_owned()), message.into())
    }
}

/// The schema's default for `key`, read as the file would be.
pub(crate) fn default(key: &str) -> Option<Value> {
    let setting = SETTINGS.iter().find(|setting| setting.key == key)?;
    if setting.default.is_empty() {
        return None;
    }
    let raw = match setting.default {
        "[]" => Raw::List(Vec::new()),
        "true" | "false" => Raw::Boolean(setting.default == "true"),
        text => match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(text) => Raw::Text(text.to_owned()),
            None => Raw::from_text(setting.kind, text),
        },
    };
    value::read(setting.kind, raw).ok()
}

/// Builds the settings; mistakes go to `errors`. `None` when a value that everything needs is missing.
pub(crate) fn settings(
    values: &Values,
    file: Option<PathBuf>,
    errors: &mut Vec<SettingError>,
) -> Option<Settings> {
    let reader = Reader { values };
    let services = services(&reader, errors);
    let name = reader.name("name")?;
    let manifest = manifest(&reader, &name, &services, errors)?;
    Some(Settings {
        keyring: keyring(&reader),
        timestamp_tolerance: reader.duration("timestamp_tolerance")?,
        defaults: defaults(&reader, &services, errors)?,
        redis: redis(&reader, errors),
        health: health(&reader, errors),
        manifest,
        idempotency: idempotency(&reader, errors)?,
        gateway: gateway(&reader, errors)?,
        name,
        services,
        file,
    })
}

fn keyring(reader: &Reader<'_>) -> Result<Keyring, Vec<SettingError>> {
    let mut errors = Vec::new();
    let mut secret = |key: &str, text: String| match Secret::try_new(text) {
        Ok(secret) => Some(secret),
        Err(error) => {
            let place = match reader.origin(key) {
                Origin::Default => ", to be set as `secret` in mesh.toml or as SERVICE_SECRET",
                _ => "",
            };
            errors.push(reader.error(key, format!("{error}; `mesh keygen` makes a good one{place}")));
            None
        }
    };
    let active = secret("secret", reader.text("secret").unwrap_or_default());
    let previous = reader
        .texts("previous_secrets")
        .into_iter()
        .filter_map(|text| secret("previous_secrets", text))
        .collect();
    let algorithm: Algorithm =
        reader.text("algorithm").and_then(|text| text.parse().ok()).unwrap_or_default();
    match active {
        Some(active) if errors.is_empty() => Ok(Keyring { algorithm, active, previous }),
        _ => Err(errors),
    }
}

fn services(reader: &Reader<'_>, errors: &mut Vec<SettingError>) -> Vec<Service> {
    let keys: BTreeSet<&str> = reader
        .values
        .keys()
        .filter_map(|key| key.strip_prefix("services.")?.rsplit_once('.').map(|(name, _)| name))
        .collect();
    keys.into_iter()
        .filter_map(|name| {
            let key = |part: &str| format!("services.{name}.{part}");
            let base_urls = match reader.get(&key("base_urls")) {
                Some(Value::Urls(urls)) => urls,
                _ => Vec::new(),
            };
            let mut service = match ServiceName::parse(name) {
                Ok(parsed) => Service::new(parsed, base_urls),
                Err(error) => {
                    errors.push(reader.error(&key("base_urls"), error.to_string()));
                    return None;
                }
            };
            service.timeout = reader.duration(&key("timeout"));
            service.retries = reader.count(&key("retries")).and_then(|count| u32::try_from(count).ok());
            if reader.text(&key("multipart")).as_deref() == Some("php") {
                service.multipart = MultipartPolicy::Php;
            }
            if reader.text(&key("protocol")).as_deref() == Some("http2") {
                service.protocol = Protocol::Http2;
            }
            if reader.text(&key("request_bodies")).as_deref() == Some("streamed") {
                service.request_bodies = RequestBodies::Streamed;
                if !service.streams_requests() {
                    let says = "bodies are streamed over HTTP/2 alone: set protocol = \"http2\" too";
                    errors.push(reader.error(&key("request_bodies"), says));
                }
            }
            if service.timeout == Some(Duration::ZERO) {
                errors.push(reader.error(&key("timeout"), "a timeout is longer than zero"));
            }
            Some(service)
        })
        .collect()
}

fn defaults(reader: &Reader<'_>, services: &[Service], errors: &mut Vec<SettingError>) -> Option<Defaults> {
    let timeout = reader.duration("defaults.timeout")?;
    if timeout.is_zero() {
        errors.push(reader.error("defaults.timeout", "a timeout is longer than zero"));
    }
    let deadline = reader.duration("defaults.deadline");
    let longest =
        services.iter().filter_map(|service| service.timeout).chain([timeout]).max().unwrap_or(timeout);
    if deadline.is_some_and(|deadline| deadline < longest) {
        errors.push(reader.error(
            "defaults.deadline",
            format!("the deadline of a call is not shorter than one attempt ({} s)", longest.as_secs_f64()),
        ));
    }
    let methods = match reader.text("defaults.retry_methods").as_deref() {
        Some("all") => RetryMethods::All,
        _ => RetryMethods::Idempotent,
    };
    let retries = reader.count("defaults.retries").and_then(|count| u32::try_from(count).ok())?;
    let delay = reader.duration("defaults.retry_delay")?;
    let retry = match RetryPolicy::try_new(retries, delay, methods) {
        Ok(retry) => retry,
        Err(error) => {
            errors.push(reader.error("defaults.retries", error.to_string()));
            RetryPolicy::default()
        }
    };
    Some(Defaults { timeout, retry, deadline, max_response: reader.count("defaults.max_response")? })
}

fn redis(reader: &Reader<'_>, errors: &mut Vec<SettingError>) -> Option<Redis> {
    let (url, prefix) = (reader.text("redis.url")?, reader.text("redis.prefix").unwrap_or_default());
    if let Err(error) = RedisStore::connect(&url, &prefix) {
        errors.push(reader.error("redis.url", error.to_string()));
    }
    Some(Redis { url, prefix })
}

fn health(reader: &Reader<'_>, errors: &mut Vec<SettingError>) -> HealthPolicy {
    let threshold = reader.count("health.failure_threshold").and_then(|count| u32::try_from(count).ok());
    let recovery = reader.duration("health.recovery_timeout");
    match HealthPolicy::try_new(threshold.unwrap_or_default(), recovery.unwrap_or_default()) {
        Ok(policy) => policy,
        Err(error) => {
            let key = match error {
                mesh_core::health::HealthPolicyError::ZeroThreshold => "health.failure_threshold",
                _ => "health.recovery_timeout",
            };
            errors.push(reader.error(key, error.to_string()));
            HealthPolicy::default()
        }
    }
}

fn manifest(
    reader: &Reader<'_>,
    name: &ServiceName,
    services: &[Service],
    errors: &mut Vec<SettingError>,
) -> Option<Manifest> {
    let gateway = reader.name("manifest.gateway");
    if let Some(gateway) = &gateway {
        if gateway == name {
            errors.push(reader.error("manifest.gateway", "names this service itself"));
        } else if !services.iter().any(|service| service.name == *gateway) {
            errors.push(
                reader.error("manifest.gateway", format!("{:?} is not in [services]", gateway.as_str())),
            );
        }
    }
    let ttl = at_least_one_second(reader, "manifest.ttl", errors)?;
    let base_urls = match reader.get("manifest.base_urls") {
        Some(Value::Urls(urls)) => urls,
        _ => Vec::new(),
    };
    Some(Manifest {
        ttl,
        grace: reader.duration("manifest.grace")?,
        prefix: reader.text("manifest.prefix")?,
        gateway,
        base_urls,
    })
}

fn idempotency(reader: &Reader<'_>, errors: &mut Vec<SettingError>) -> Option<Idempotency> {
    Some(Idempotency {
        ttl: at_least_one_second(reader, "idempotency.ttl", errors)?,
        lock_timeout: at_least_one_second(reader, "idempotency.lock_timeout", errors)?,
        max_body: reader.count("idempotency.max_body")?,
    })
}

fn at_least_one_second(reader: &Reader<'_>, key: &str, errors: &mut Vec<SettingError>) -> Option<Duration> {
    let duration = reader.duration(key)?;
    if duration < Duration::from_secs(1) {
        errors.push(reader.error(key, "is at least 1 second"));
    }
    Some(duration)
}

fn gateway(reader: &Reader<'_>, errors: &mut Vec<SettingError>) -> Option<Gateway> {
    let mut prefixes = std::collections::BTreeMap::new();
    for (key, effective) in reader.values {
        let (Some(service), Value::Text(prefix)) = (key.strip_prefix("gateway.prefixes."), &effective.value)
        else {
            continue;
        };
        let is_plain = prefix.split('/').filter(|part| !part.is_empty()).all(|part| {
            part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
                && part != "."
                && part != ".."
        });
        match ServiceName::parse(service) {
            Ok(name) if is_plain => {
                prefixes.insert(name, prefix.trim_matches('/').to_owned());
            }
            Ok(_) => errors
                .push(reader.error(key, "a prefix is made of letters, digits, '-', '.', '_', '~' and '/'")),
            Err(error) => errors.push(reader.error(key, error.to_string())),
        }
    }
    Some(Gateway {
        listen: reader.address("gateway.listen")?,
        admin_listen: reader.address("gateway.admin_listen")?,
        names_admin: reader.values.contains_key("gateway.admin_listen"),
        workers: reader.count("gateway.workers").and_then(|count| usize::try_from(count).ok())?,
        services: match reader.get("gateway.services") {
            Some(Value::Names(names)) => Some(names),
            _ => None,
        },
        snapshot: reader.text("gateway.snapshot").filter(|path| !path.is_empty()).map(PathBuf::from),
        prefix_style: match reader.text("gateway.prefix_style").as_deref() {
            Some("front") => PrefixStyle::Front,
            _ => PrefixStyle::AfterFirst,
        },
        prefixes,
        body_limit: reader.count("gateway.body_limit")?,
        trusted_proxies: cidrs(reader, "gateway.trusted_proxies"),
        strip_response_headers: match reader.get("gateway.strip_response_headers") {
            Some(Value::HeaderNames(names)) => names,
            _ => Vec::new(),
        },
        allow_targets: cidrs(reader, "gateway.allow_targets"),
        tls: Tls::of(reader, errors),
        trace: TraceSettings {
            create: reader.get("gateway.trace.create") == Some(Value::Flag(true)),
            sample: reader.share("gateway.trace.sample")?,
        },
        access_log: access_log(reader),
    })
}

fn access_log(reader: &Reader<'_>) -> Option<AccessLog> {
    let format = match reader.text("gateway.access_log.format")?.as_str() {
        "json" => AccessLogFormat::Json,
        _ => AccessLogFormat::Text,
    };
    Some(AccessLog {
        format,
        sample: reader.share("gateway.access_log.sample")?,
        target: reader.text("gateway.access_log.target")?,
    })
}

fn cidrs(reader: &Reader<'_>, key: &str) -> Vec<mesh_core::route::registration::Cidr> {
    match reader.get(key) {
        Some(Value::Cidrs(blocks)) => blocks,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_in_the_schema_has_its_kind() {
        for setting in SETTINGS.iter().filter(|setting| !setting.default.is_empty()) {
            assert!(default(setting.key).is_some(), "{}", setting.key);
        }
    }
}
