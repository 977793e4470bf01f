//! Where commands read state: the admin listener of a gateway, the store that gateways read, or files alone.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, sync::Arc};

use http::Method;
use mesh_core::{
    clock::{Clock as _, SystemClock},
    health::{HealthPolicy, HealthRecord},
    name::ServiceName,
    route::{Manifest, RouteTable},
    service::{BaseUrl, Instance},
    store::StoreError,
};
use mesh_gateway::documents::{self, InstanceRow};
use serde_json::Value;

use super::{admin, client, manifest_file};
use crate::{
    args::From,
    exit::{Exit, Failure},
    gateway_settings,
    settings::Settings,
    stores::Stores,
};

/// What helps when the address of the settings was asked in vain.
const NOBODY_NAMED: &str =
    "a gateway elsewhere is named with --admin URL, the store of gateways with redis.url";

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Document {
    Instances,
    Routes,
    Explain { method: Method, path: String },
}

/// Who is asked.
#[derive(Debug)]
pub(crate) enum State<'s> {
    /// The admin listener, and whether the command named it.
    Admin(BaseUrl, bool),
    Store(&'s Settings, Stores),
    Files(&'s Settings, Vec<Arc<Manifest>>),
}

impl<'s> State<'s> {
    /// The admin listener where `--admin` names one, else the store where `[redis]` is, else `gateway.admin_listen`.
    ///
    /// # Errors
    ///
    /// A URL that is none.
    pub(crate) fn choose(from: &From, settings: &'s Settings) -> Result<Self, Failure> {
        if let Some(url) = &from.admin {
            let url =
                BaseUrl::parse(url).map_err(|error| Failure::usage(format!("--admin {url:?}: {error}")))?;
            return Ok(Self::Admin(url, true));
        }
        if settings.redis.is_some() {
            return Ok(Self::Store(settings, Stores::from_settings(settings)?));
        }
        let mut address = settings.gateway.admin_listen;
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        let url = BaseUrl::parse(&format!("http://{address}"))
            .map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Self::Admin(url, false))
    }

    /// The manifests of `files` alone, where there are some; else as [`choose`](Self::choose) says.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or whose document is no manifest, or one of a service that has another file.
    pub(crate) fn of_files(files: &[PathBuf], from: &From, settings: &'s Settings) -> Result<Self, Failure> {
        if files.is_empty() {
            return Self::choose(from, settings);
        }
        let mut manifests: BTreeMap<ServiceName, Arc<Manifest>> = BTreeMap::new();
        for path in files {
            let shown = path.display();
            let manifest = Manifest::parse(&manifest_file::read(path, &settings.name)?)
                .map_err(|error| Failure::new(Exit::Problem, format!("{shown}: {error}")))?;
            let service = manifest.service.clone();
            if manifests.insert(service.clone(), Arc::new(manifest)).is_some() {
                return Err(Failure::usage(format!(
                    "{shown}: another file is the manifest of {service} already"
                )));
            }
        }
        Ok(Self::Files(settings, manifests.into_values().collect()))
    }

    /// The document, on a runtime of its own.
    ///
    /// # Errors
    ///
    /// Those of [`document`](Self::document).
    pub(crate) fn read(&self, document: &Document) -> Result<Value, Failure> {
        client::runtime()?.block_on(self.document(document))
    }

    /// The document.
    ///
    /// # Errors
    ///
    /// Exit 3 when who is asked does not answer.
    pub(crate) async fn document(&self, document: &Document) -> Result<Value, Failure> {
        match self {
            Self::Admin(url, is_named) => {
                admin::document(url, &target(document)).await.map_err(|mut failure| {
                    if !is_named {
                        failure.lines.push(NOBODY_NAMED.to_owned());
                    }
                    failure
                })
            }
            Self::Store(settings, stores) => from_store(settings, stores, document).await,
            Self::Files(settings, manifests) => {
                let rows = offline(settings, manifests);
                let mut built = build(settings, manifests, &rows, &BTreeMap::new(), document);
                for instance in built.get_mut("instances").and_then(Value::as_array_mut).into_iter().flatten()
                {
                    instance["status"] = "unknown".into();
                }
                Ok(built)
            }
        }
    }
}

fn target(document: &Document) -> String {
    match document {
        Document::Instances => "/admin/instances".to_owned(),
        Document::Routes => "/admin/routes".to_owned(),
        Document::Explain { method, path } => {
            let path: String = path
                .bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                        char::from(byte).to_string()
                    }
                    byte => format!("%{byte:02X}"),
                })
                .collect();
            format!("/admin/explain?method={method}&path={path}")
        }
    }
}

async fn from_store(settings: &Settings, stores: &Stores, document: &Document) -> Result<Value, Failure> {
    let unreachable = |error: StoreError| Failure::unreachable(error.to_string());
    let stored = stores.manifests.all().await.map_err(unreachable)?;
    let (mut manifests, mut quarantined) = (Vec::new(), BTreeMap::new());
    for stored in &stored {
        let reason = match Manifest::parse(&stored.document) {
            Ok(manifest) if manifest.service == stored.service => {
                manifests.push(Arc::new(manifest));
                continue;
            }
            Ok(manifest) => {
                format!("it is stored under {} and describes {}", stored.service, manifest.service)
            }
            Err(error) => error.to_string(),
        };
        tracing::warn!("the manifest of {} is not served: {reason}", stored.service);
        quarantined.insert(stored.service.clone(), reason);
    }
    let rows = match document {
        Document::Routes => Vec::new(),
        Document::Instances | Document::Explain { .. } => {
            instances(settings, stores, &manifests).await.map_err(unreachable)?
        }
    };
    Ok(build(settings, &manifests, &rows, &quarantined, document))
}

/// The document of these manifests and instances.
fn build(
    settings: &Settings,
    manifests: &[Arc<Manifest>],
    rows: &[InstanceRow],
    quarantined: &BTreeMap<ServiceName, String>,
    document: &Document,
) -> Value {
    let table = || RouteTable::build(manifests, &gateway_settings::table(settings));
    match document {
        Document::Routes => documents::routes(&table(), None),
        Document::Instances => documents::health(rows),
        Document::Explain { method, path } => {
            let quarantined = quarantined.iter().map(|(service, reason)| (service, reason.as_str()));
            let explained = documents::explain(&table(), rows, method, path)
                .with_quarantined(quarantined)
                .with_policies(&gateway_settings::gateway(settings), manifests);
            explained.document
        }
    }
}

/// Every configured instance, and every announced one of services that are not configured.
fn known(settings: &Settings, manifests: &[Arc<Manifest>]) -> Vec<Instance> {
    let is_configured = |name: &ServiceName| settings.services.iter().any(|service| service.name == *name);
    let configured = settings.services.iter().map(|service| (&service.name, &service.base_urls));
    let announced = manifests
        .iter()
        .filter(|manifest| !is_configured(&manifest.service))
        .map(|manifest| (&manifest.service, &manifest.base_urls));
    configured
        .chain(announced)
        .flat_map(|(service, urls)| {
            urls.iter().map(|url| Instance { service: service.clone(), url: url.clone() })
        })
        .collect()
}

/// The instances without a word on their health.
fn offline(settings: &Settings, manifests: &[Arc<Manifest>]) -> Vec<InstanceRow> {
    known(settings, manifests).into_iter().map(|instance| row(instance, None, settings.health)).collect()
}

async fn instances(
    settings: &Settings,
    stores: &Stores,
    manifests: &[Arc<Manifest>],
) -> Result<Vec<InstanceRow>, StoreError> {
    let instances = known(settings, manifests);
    if instances.is_empty() {
        return Ok(Vec::new());
    }
    let records = stores.health.read(&instances).await?;
    let rows = instances.into_iter().zip(records);
    Ok(rows.map(|(instance, record)| row(instance, record, settings.health)).collect())
}

fn row(instance: Instance, record: Option<HealthRecord>, policy: HealthPolicy) -> InstanceRow {
    let Instance { service, url } = instance;
    let failures = record.map_or(0, |record| record.failures);
    let age =
        record.map_or_else(Default::default, |record| record.age(SystemClock.unix(), policy.record_ttl()));
    let last_failure = record.map(|record| record.last_failure);
    InstanceRow { service, url, failures, last_failure, status: policy.state(failures, age) }
}
