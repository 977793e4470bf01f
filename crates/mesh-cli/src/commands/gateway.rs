//! `mesh gateway`: an edge node, until it is told to end.

use mesh_gateway::{
    Gateway,
    server::{Listening, Running, ServeError, serve},
};
use tokio::signal::unix::{SignalKind, signal};

use super::client;
use crate::{
    exit::{Exit, Failure},
    gateway_settings,
    output::Output,
    settings::Settings,
    stores::Stores,
};

pub(crate) fn run(settings: &Settings, output: &Output) -> Result<Exit, Failure> {
    let keyring = settings.keyring.clone().map_err(Failure::settings)?;
    let stores = Stores::from_settings(settings)?;
    let gateway = Gateway::builder(settings.name.clone(), keyring, stores.manifests, stores.health)
        .settings(gateway_settings::gateway(settings))
        .build()
        .map_err(|error| Failure::usage(error.to_string()))?;
    let listening = Listening {
        public: settings.gateway.listen,
        admin: Some(settings.gateway.admin_listen),
        workers: settings.gateway.workers,
    };
    let running = serve(&gateway, listening).map_err(|error| not_served(&error))?;
    announce(&running, output);
    client::runtime()?.block_on(told_to_end())?;
    output.message("ending: requests under way may finish");
    running.shutdown();
    Ok(Exit::Ok)
}

/// An address in use is a matter of settings.
pub(crate) fn not_served(error: &ServeError) -> Failure {
    Failure::usage(error.to_string())
}

fn announce(running: &Running, output: &Output) {
    output.message(format_args!("listening on http://{}", running.public()));
    if let Some(admin) = running.admin() {
        output.message(format_args!("admin on http://{admin}"));
    }
}

/// Waits for SIGTERM or SIGINT.
///
/// # Errors
///
/// When the system gives no signal handler.
pub(crate) async fn told_to_end() -> Result<(), Failure> {
    let handler =
        |kind| signal(kind).map_err(|error| Failure::unreachable(format!("no signal handler: {error}")));
    let (mut terminate, mut interrupt) =
        (handler(SignalKind::terminate())?, handler(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
