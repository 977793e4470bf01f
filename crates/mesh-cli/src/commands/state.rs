//! Where commands read state: the admin listener of a gateway, or the store that gateways read.

use std::{net::IpAddr, sync::Arc};

use http::Method;
use mesh_core::{
    clock::{Clock as _, SystemClock},
    name::ServiceName,
    route::{Manifest, RouteTable},
    service::{BaseUrl, Instance},
    store::StoreError,
};
use mesh_gateway::documents::{self, InstanceRow};
use serde_json::Value;

use super::{admin, client};
use crate::{args::From, exit::Failure, gateway_settings, settings::Settings, stores::Stores};

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
    Admin(BaseUrl),
    Store(&'s Settings),
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
            return Ok(Self::Admin(url));
        }
        if settings.redis.is_some() {
            return Ok(Self::Store(settings));
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
        Ok(Self::Admin(url))
    }

    /// Reads the document.
    ///
    /// # Errors
    ///
    /// Exit 3 when nobody answers.
    pub(crate) fn read(&self, document: &Document) -> Result<Value, Failure> {
        client::runtime()?.block_on(async {
            match self {
                Self::Admin(url) => admin::document(url, &target(document)).await,
                Self::Store(settings) => from_store(settings, document).await,
            }
        })
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

async fn from_store(settings: &Settings, document: &Document) -> Result<Value, Failure> {
    let unreachable = |error: StoreError| Failure::unreachable(error.to_string());
    let stores = Stores::from_settings(settings)?;
    let stored = stores.manifests.all().await.map_err(unreachable)?;
    let mut manifests = Vec::new();
    for stored in &stored {
        match Manifest::parse(&stored.document) {
            Ok(manifest) if manifest.service == stored.service => manifests.push(Arc::new(manifest)),
            Ok(manifest) => {
                tracing::warn!("the manifest of {} says it is {}'s", stored.service, manifest.service)
            }
            Err(error) => tracing::warn!("the manifest of {} is not served: {error}", stored.service),
        }
    }
    let table = RouteTable::build(&manifests, &gateway_settings::table(settings));
    if matches!(document, Document::Routes) {
        return Ok(documents::routes(&table, None));
    }
    let rows = instances(settings, &stores, &manifests).await.map_err(unreachable)?;
    Ok(match document {
        Document::Explain { method, path } => documents::explain(&table, &rows, method, path).document,
        Document::Instances | Document::Routes => documents::health(&rows),
    })
}

/// Every configured instance, and every announced one of services that are not configured.
async fn instances(
    settings: &Settings,
    stores: &Stores,
    manifests: &[Arc<Manifest>],
) -> Result<Vec<InstanceRow>, StoreError> {
    let is_configured = |name: &ServiceName| settings.services.iter().any(|service| service.name == *name);
    let configured = settings.services.iter().map(|service| (&service.name, &service.base_urls));
    let announced = manifests
        .iter()
        .filter(|manifest| !is_configured(&manifest.service))
        .map(|manifest| (&manifest.service, &manifest.base_urls));
    let instances: Vec<Instance> = configured
        .chain(announced)
        .flat_map(|(service, urls)| {
            urls.iter().map(|url| Instance { service: service.clone(), url: url.clone() })
        })
        .collect();
    if instances.is_empty() {
        return Ok(Vec::new());
    }
    let records = stores.health.read(&instances).await?;
    let (now, policy) = (SystemClock.unix(), settings.health);
    Ok(instances
        .into_iter()
        .zip(records)
        .map(|(Instance { service, url }, record)| {
            let failures = record.map_or(0, |record| record.failures);
            let age = record.map_or_else(Default::default, |record| record.age(now, policy.record_ttl()));
            InstanceRow {
                service,
                url,
                failures,
                last_failure: record.map(|record| record.last_failure),
                status: policy.state(failures, age),
            }
        })
        .collect())
}
