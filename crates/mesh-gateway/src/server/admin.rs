//! The thread beside the workers: refresh, health and the admin listener, on a runtime of its own.

use std::net::TcpListener as StdListener;

use tokio_util::sync::CancellationToken;

use super::runtime;
use crate::{admin::router, gateway::Gateway};

/// Runs until `stop`.
pub(super) fn run(gateway: &Gateway, listener: Option<StdListener>, stop: &CancellationToken) {
    match runtime() {
        Ok(runtime) => runtime.block_on(async {
            tokio::spawn(gateway.control());
            if let Some(listener) = listener {
                tokio::spawn(serve(gateway.clone(), listener));
            }
            stop.cancelled().await;
        }),
        Err(error) => tracing::error!(%error, "the control thread has no runtime"),
    }
}

async fn serve(gateway: Gateway, listener: StdListener) {
    let served = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => axum::serve(listener, router(&gateway)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::error!(%error, "the admin listener ended");
    }
}
