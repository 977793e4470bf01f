//! Runs a gateway in threads of its own: workers that take requests, and one that does everything else.

mod admin;
mod answer;
mod client;
mod connected;
mod connection;
mod floods;
mod handshake;
mod http2;
mod listen;
mod phase;
mod request_body;
mod running;
mod waiting;
mod worker;

use std::{io as std_io, net::SocketAddr, num::NonZeroUsize, thread};

use tokio_util::sync::CancellationToken;

use crate::gateway::Gateway;
pub use running::Running;

/// Where a gateway listens, and with how many workers.
#[derive(Clone, Copy, Debug)]
pub struct Listening {
    /// The street. Port 0: any free one.
    pub public: SocketAddr,
    /// The admin listener; absent: none.
    pub admin: Option<SocketAddr>,
    /// Runtimes that take requests; 0: one for each available core.
    pub workers: usize,
}

/// Why a gateway does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// An address cannot be listened on, e.g. because it is in use.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std_io::Error,
    },
    /// A thread or its runtime could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(std_io::Error),
}

/// Starts the threads. Returns once every listener is bound; requests are answered 503 `not_ready` until routes were
/// loaded ([`Gateway::is_ready`]).
///
/// # Errors
///
/// See [`ServeError`].
pub fn serve(gateway: &Gateway, listening: Listening) -> Result<Running, ServeError> {
    let workers = match listening.workers {
        0 => thread::available_parallelism().map_or(1, NonZeroUsize::get),
        workers => workers,
    };
    let listeners = listen::bind_shared(listening.public, workers)
        .map_err(|source| ServeError::Listen { address: listening.public, source })?;
    let public = listen::local_address(&listeners, listening.public);
    let admin = match listening.admin {
        Some(address) => {
            let bound =
                listen::bind_alone(address).map_err(|source| ServeError::Listen { address, source })?;
            Some(bound)
        }
        None => None,
    };
    let admin_address = admin.as_ref().and_then(|listener| listener.local_addr().ok());
    let (stop_taking, stop_everything) = (CancellationToken::new(), CancellationToken::new());
    let mut running =
        Running::new(gateway, public, admin_address, stop_taking.clone(), stop_everything.clone());
    for (number, listener) in listeners.into_iter().enumerate() {
        let (gateway, stop) = (gateway.worker(), stop_taking.clone());
        let work = move || worker::run(gateway, listener, public.port(), &stop);
        running.workers.push(spawn(format!("mesh-worker-{number}"), work)?);
    }
    let gateway = gateway.clone();
    let work = move || admin::run(&gateway, admin, &stop_everything);
    running.control = Some(spawn("mesh-control".to_owned(), work)?);
    Ok(running)
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>, ServeError> {
    thread::Builder::new().name(name).spawn(work).map_err(ServeError::Thread)
}

/// A runtime on the current thread.
fn runtime() -> std_io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
