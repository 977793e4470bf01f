//! A gateway inside somebody else's server: the work beside the requests, on the runtime of whoever asks for it.

use std::sync::{Arc, atomic::Ordering};

use tokio::{
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

use super::Gateway;
use crate::access_log::AccessLog;

/// A gateway whose requests another server takes. Its work beside the requests runs on the runtime that
/// [`Gateway::embed`] was called on, until this is dropped or [`shutdown`](Self::shutdown).
///
/// Without it the gateway answers still, from the routes and the health that it knew last; registrations are answered
/// 503 `store_unavailable` then.
#[must_use = "dropping it ends the work beside the requests"]
#[derive(Debug)]
pub struct Embedded {
    gateway: Gateway,
    work: JoinSet<()>,
}

impl Gateway {
    /// Starts the work beside the requests on the current runtime, of whichever kind: reads routes, takes
    /// registrations, shares health, closes connections to instances that waited too long. Requests are answered 503
    /// `not_ready` until routes were loaded ([`is_ready`](Self::is_ready)).
    ///
    /// Call it once for each [`worker`](Self::worker); what they share runs where it was called first, and only once in
    /// the life of a gateway.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(gateway: mesh_gateway::Gateway) -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, routing::get};
    /// use mesh_gateway::Peer;
    /// use tokio::net::TcpListener;
    ///
    /// let embedded = gateway.embed();
    /// let app = Router::new()
    ///     .route("/own", get(async || "the app's own"))
    ///     .nest("/ops", gateway.admin_router())
    ///     .fallback_service(gateway);
    /// let listener = TcpListener::bind("127.0.0.1:8080").await?;
    /// let signal = async { /* of whichever kind */ };
    /// axum::serve(listener, app.into_make_service_with_connect_info::<Peer>())
    ///     .with_graceful_shutdown(embedded.drain_when(signal))
    ///     .await?;
    /// embedded.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn embed(&self) -> Embedded {
        let mut work = JoinSet::new();
        work.spawn(self.control());
        work.spawn(self.clone().sweep());
        Embedded { gateway: self.clone(), work }
    }
}

impl Embedded {
    /// The gateway itself.
    #[must_use]
    pub const fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Begins the end: ready is 503 from now on, and tunnels are ended (websockets are told 1001). Requests are answered
    /// as before; whoever serves them decides how long.
    pub fn drain(&self) {
        drain(&self.gateway);
    }

    /// Waits for `signal`, then [`drain`](Self::drain)s: what axum's `with_graceful_shutdown` takes.
    pub fn drain_when<F>(&self, signal: F) -> impl Future<Output = ()> + Send + use<F>
    where
        F: Future<Output = ()> + Send,
    {
        let gateway = self.gateway.clone();
        async move {
            signal.await;
            drain(&gateway);
        }
    }

    /// Ends it well, after the server that answered the requests has ended: waits, within the drain limit, for tunnels
    /// and for keyed requests that outlived their clients, ends the work beside the requests, and writes the rest of the
    /// access log.
    pub async fn shutdown(mut self) {
        self.drain();
        let shared = Arc::clone(self.gateway.shared());
        let drain = shared.snapshot.load().reloadable.settings.limits.drain;
        let ended = async {
            self.gateway.tunnels().ended().await;
            shared.idempotency.ended().await;
        };
        if timeout(drain, ended).await.is_err() {
            tracing::warn!("requests or tunnels were cut off at shutdown");
        }
        self.work.shutdown().await;
        let flushed = spawn_blocking(move || shared.access_log.as_ref().map(AccessLog::flush));
        if let Err(error) = flushed.await {
            tracing::warn!(%error, "the rest of the access log may be lost");
        }
    }
}

fn drain(gateway: &Gateway) {
    gateway.shared().draining.store(true, Ordering::Relaxed);
    gateway.tunnels().stop();
}
