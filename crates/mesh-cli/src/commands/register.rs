//! `mesh register`: builds, checks and registers a manifest, once or again and again.

use std::{sync::Arc, time::Duration};

use mesh_client::{CallError, ServiceClient, register::RegisterError};
use mesh_core::{
    error::Origin,
    name::ServiceName,
    route::{Manifest, wire::MANIFEST_PATH},
    service::{BaseUrl, Service},
};
use serde_json::json;

use super::{client, manifest_file};
use crate::{
    args::Register,
    exit::{Exit, Failure},
    output::Output,
    settings::Settings,
    stores::Stores,
};

/// What a service that is asked for its manifest is called, for the length of one command.
const ASKED: &str = "asked";

pub(crate) fn run(register: &Register, settings: &Settings, output: &Output) -> Result<Exit, Failure> {
    if !register.dry_run {
        settings.keyring.as_ref().map_err(|errors| Failure::settings(errors.clone()))?;
    }
    let every = register.every.map(Duration::from_secs);
    if every.is_some_and(|every| every > settings.manifest.ttl / 2) {
        return Err(Failure::usage(format!(
            "--every is at most half of manifest.ttl ({} s), or routes expire between two registrations",
            settings.manifest.ttl.as_secs()
        )));
    }
    if !register.dry_run && settings.manifest.gateway.is_none() && settings.redis.is_none() {
        return Err(Failure::usage("nowhere to register: set manifest.gateway or redis.url"));
    }
    client::runtime()?.block_on(async {
        let stores = Stores::from_settings(settings)?;
        let manifest = build(register, settings, &stores).await?;
        if register.dry_run {
            report(&manifest, None, output);
            return Ok(Exit::Ok);
        }
        let client = registrar(settings, &stores)?;
        once(&client, &manifest, output).await?;
        match every {
            None => Ok(Exit::Ok),
            Some(every) => again(register, settings, &stores, &client, every).await,
        }
    })
}

/// A client that registers where the settings say.
fn registrar(settings: &Settings, stores: &Stores) -> Result<ServiceClient, Failure> {
    let mut builder = client::builder(settings, stores, settings.services.clone())?;
    builder = match &settings.manifest.gateway {
        Some(gateway) => builder.manifest_gateway(gateway.clone()),
        None => builder.manifest_store(Arc::clone(&stores.manifests)),
    };
    builder.build().map_err(|error| Failure::usage(error.to_string()))
}

async fn once(client: &ServiceClient, manifest: &Manifest, output: &Output) -> Result<(), Failure> {
    let registered = client.register(manifest).await.map_err(|error| refused(&error))?;
    report(manifest, Some(&registered.target.to_string()), output);
    Ok(())
}

/// Registers until the process is ended; a failure is logged and tried again at the next turn.
async fn again(
    register: &Register,
    settings: &Settings,
    stores: &Stores,
    client: &ServiceClient,
    every: Duration,
) -> Result<Exit, Failure> {
    let mut turns = tokio::time::interval(every);
    turns.tick().await;
    loop {
        turns.tick().await;
        let result = match build(register, settings, stores).await {
            Ok(manifest) => client.register(&manifest).await.map(drop).map_err(|error| refused(&error)),
            Err(failure) => Err(failure),
        };
        match result {
            Ok(()) => tracing::info!("registered again"),
            Err(failure) => tracing::warn!(
                "not registered, tried again in {} s: {}",
                every.as_secs(),
                failure.lines.join("; ")
            ),
        }
    }
}

/// The manifest of a file or of a running service, filtered and checked.
async fn build(register: &Register, settings: &Settings, stores: &Stores) -> Result<Manifest, Failure> {
    let document = match (&register.manifest, &register.from) {
        (Some(path), _) => manifest_file::read(path, &settings.name)?,
        (None, Some(url)) => fetch(url, settings, stores).await?,
        (None, None) => match settings.manifest.base_urls.first() {
            Some(first) => {
                fetch(&format!("{}{MANIFEST_PATH}", first.as_str().trim_end_matches('/')), settings, stores)
                    .await?
            }
            None => {
                return Err(Failure::usage(
                    "no manifest: give --manifest FILE or --from URL, or set manifest.base_urls",
                ));
            }
        },
    };
    let mut manifest = Manifest::parse(&document).map_err(|error| {
        Failure::new(
            Exit::Problem,
            match &register.manifest {
                Some(path) => format!("{}: {error}", path.display()),
                None => error.to_string(),
            },
        )
    })?;
    if manifest.base_urls.is_empty() {
        manifest.base_urls.clone_from(&settings.manifest.base_urls);
    }
    Ok(manifest.filtered(&settings.manifest.prefix))
}

/// Asks a running service for its own manifest, signed.
async fn fetch(url: &str, settings: &Settings, stores: &Stores) -> Result<Vec<u8>, Failure> {
    let bad = |reason: String| Failure::usage(format!("--from {url}: {reason}"));
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let path_at = url[after_scheme..].find('/').map_or(url.len(), |at| after_scheme + at);
    let (origin, path) = url.split_at(path_at);
    let base = BaseUrl::parse(origin).map_err(|error| bad(error.to_string()))?;
    let path = if path.trim_matches('/').is_empty() { MANIFEST_PATH } else { path };
    let asked = ServiceName::parse(ASKED).map_err(|error| bad(error.to_string()))?;
    let client = client::builder(settings, stores, vec![Service::new(asked, vec![base])])?
        .build()
        .map_err(|error| Failure::usage(error.to_string()))?;
    let answer = client.service(ASKED).get(path).send().await.and_then(mesh_client::ServiceResponse::throw);
    match answer {
        Ok(response) => Ok(response.bytes().to_vec()),
        Err(CallError::Request { response, .. }) => Err(Failure::new(
            Exit::Problem,
            format!("{url} answered {}: {}", response.status(), response.text()),
        )),
        Err(error) => {
            let why =
                error.attempts().last().map_or_else(|| error.to_string(), |last| last.outcome.to_string());
            Err(Failure::unreachable(format!("cannot reach {url}: {why}")))
        }
    }
}

/// Refused by the gateway is a problem; not reached is another.
fn refused(error: &RegisterError) -> Failure {
    match error {
        RegisterError::Gateway(CallError::Request { response, .. }) => Failure::new(
            Exit::Problem,
            format!("the gateway refused the manifest with {}: {}", response.status(), response.text()),
        ),
        RegisterError::NoTarget => Failure::usage(error.to_string()),
        error if error.origin() == Origin::Caller => Failure::new(Exit::Problem, error.to_string()),
        error => Failure::unreachable(error.to_string()),
    }
}

/// The routes, and that they are registered at `target`; without one, that they are only checked.
fn report(manifest: &Manifest, target: Option<&str>, output: &Output) {
    let count = manifest.routes.len();
    if output.json {
        output.document(&json!({ "service": manifest.service.as_str(), "routes": count, "target": target }));
        return;
    }
    let rows: Vec<_> = manifest
        .routes
        .iter()
        .map(|route| {
            vec![route.method.to_string(), route.uri.to_string(), route.name.clone().unwrap_or_default()]
        })
        .collect();
    output.table(&["Method", "URI", "Name"], &rows);
    match target {
        Some(_) => output.line(format_args!("{count} route(s) registered.")),
        None => output.line(format_args!("{count} route(s) checked, nothing registered.")),
    }
}
