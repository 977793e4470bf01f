//! `mesh gateway`: an edge node, until it is told to end.

mod events;
mod reload;

use std::future::Future;

use mesh_gateway::{
    AccessLog, Gateway,
    server::{Listening, Running, ServeError, serve},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::client;
use crate::{
    exit::{Exit, Failure},
    gateway_settings,
    output::{self, Output},
    settings::{self, Environment, Flags, Settings},
    stores::Stores,
};

pub(crate) fn run(
    settings: &Settings,
    flags: &Flags,
    environment: &Environment,
    output: &Output,
) -> Result<Exit, Failure> {
    raise_open_files();
    let keyring = settings.keyring.clone().map_err(Failure::settings)?;
    let stores = Stores::from_settings(settings)?;
    let mut builder = Gateway::builder(settings.name.clone(), keyring, stores.manifests, stores.health)
        .idempotency(stores.idempotency)
        .settings(gateway_settings::running(settings).map_err(Failure::settings)?)
        .events(events::logged()?);
    if let Some(log) = &settings.gateway.access_log {
        builder = builder.access_log(access_log(log)?);
    }
    let gateway = builder.build().map_err(|error| Failure::usage(error.to_string()))?;
    let listening = Listening {
        public: settings.gateway.listen,
        admin: Some(settings.gateway.admin_listen),
        workers: settings.gateway.workers,
    };
    let running = serve(&gateway, listening).map_err(|error| not_served(&error))?;
    let runtime = client::runtime()?;
    let reload = reload::Reload::new(settings, flags, environment, running.gateway());
    // The handlers stand before the addresses are told: a signal sent from then on is heard.
    runtime.block_on(async {
        let told = told_to_end()?;
        let reloading = reload.run(output)?;
        announce(&running, settings, output);
        tokio::select! {
            () = told => {}
            () = reloading => {}
        }
        Ok(())
    })?;
    output.message("ending: requests under way may finish");
    running.shutdown();
    Ok(Exit::Ok)
}

/// As many open files as this process may allow itself: the usual 1,024 are for programs that use `select`.
fn raise_open_files() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

fn access_log(settings: &settings::AccessLog) -> Result<AccessLog, Failure> {
    let target = &settings.target;
    output::target(target)
        .and_then(|out| AccessLog::start(settings.format, settings.sample, out))
        .map_err(|error| Failure::usage(format!("gateway.access_log.target: {target:?}: {error}")))
}

/// An address in use is a matter of settings.
pub(crate) fn not_served(error: &ServeError) -> Failure {
    Failure::usage(error.to_string())
}

fn announce(running: &Running, settings: &Settings, output: &Output) {
    let scheme = if settings.gateway.tls.is_on() { "https" } else { "http" };
    output.message(format_args!("listening on {scheme}://{}", running.public()));
    if let Some(admin) = running.admin() {
        output.message(format_args!("admin on http://{admin}"));
    }
}

/// Hears SIGTERM and SIGINT from now on; the future ends with the first.
///
/// # Errors
///
/// When the system gives no signal handler.
pub(crate) fn told_to_end() -> Result<impl Future<Output = ()>, Failure> {
    let (mut terminate, mut interrupt) = (heard(SignalKind::terminate())?, heard(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn heard(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::unreachable(format!("no signal handler: {error}")))
}
