//! A gateway that runs, and how it ends.

use std::{net::SocketAddr, sync::atomic::Ordering, thread::JoinHandle};

use tokio_util::sync::CancellationToken;

use crate::gateway::Gateway;

/// A gateway that runs in its own threads. Dropping it stops it without waiting for requests under way.
#[derive(Debug)]
pub struct Running {
    gateway: Gateway,
    public: SocketAddr,
    admin: Option<SocketAddr>,
    stop_taking: CancellationToken,
    stop_everything: CancellationToken,
    pub(super) workers: Vec<JoinHandle<()>>,
    pub(super) control: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) fn new(
        gateway: &Gateway,
        public: SocketAddr,
        admin: Option<SocketAddr>,
        stop_taking: CancellationToken,
        stop_everything: CancellationToken,
    ) -> Self {
        Self {
            gateway: gateway.clone(),
            public,
            admin,
            stop_taking,
            stop_everything,
            workers: Vec::new(),
            control: None,
        }
    }

    /// Where requests are taken; the real port, where 0 was asked for.
    #[must_use]
    pub const fn public(&self) -> SocketAddr {
        self.public
    }

    /// Where the admin listener is.
    #[must_use]
    pub const fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// The gateway itself.
    #[must_use]
    pub const fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Ends it well: says so on the admin listener (ready is 503), takes no more connections, lets requests under way
    /// finish within the drain limit, then ends the threads. Blocks the calling thread until then.
    pub fn shutdown(mut self) {
        self.gateway.shared().draining.store(true, Ordering::Relaxed);
        self.stop_taking.cancel();
        self.workers.drain(..).for_each(end);
        self.stop_everything.cancel();
        self.control.take().into_iter().for_each(end);
        if let Some(log) = &self.gateway.shared().access_log {
            log.flush();
        }
    }
}

fn end(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread of the gateway had panicked");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop_taking.cancel();
        self.stop_everything.cancel();
    }
}
