//! Hands a client's connection over to a tunnel, once the client was told of the switch.

use std::sync::{Arc, Mutex, PoisonError};

use http::Extensions;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
};

/// A connection that is no longer HTTP.
pub(crate) type Switched = Box<dyn Duplex>;

/// Bytes both ways.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Where a client's connection comes from: in the extensions of a request that asks for a switch.
#[derive(Clone, Debug)]
pub(crate) struct ClientSwitch(From);

#[derive(Clone, Debug)]
enum From {
    Own(Arc<Mutex<Option<Receiver>>>),
    /// The server in which the gateway is embedded.
    Embedding(OnUpgrade),
}

#[derive(Debug)]
struct Receiver(oneshot::Receiver<Handed>);

/// The connection's end of it.
#[derive(Debug)]
pub(crate) struct ServerSwitch(oneshot::Sender<Handed>);

/// A connection on its way.
struct Handed(Switched);

impl std::fmt::Debug for Handed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Handed")
    }
}

/// Both ends of a switch.
pub(crate) fn channel() -> (ServerSwitch, ClientSwitch) {
    let (sender, receiver) = oneshot::channel();
    (ServerSwitch(sender), ClientSwitch(From::Own(Arc::new(Mutex::new(Some(Receiver(receiver)))))))
}

impl ServerSwitch {
    /// Hands the connection over: the client was told.
    pub(crate) fn send(self, connection: impl Duplex + 'static) {
        if self.0.send(Handed(Box::new(connection))).is_err() {
            tracing::debug!("a tunnel was gone before its client");
        }
    }
}

impl ClientSwitch {
    /// That of a request with these extensions, if its connection can switch.
    pub(crate) fn of(extensions: &Extensions) -> Option<Self> {
        let embedding = || extensions.get::<OnUpgrade>().cloned().map(From::Embedding).map(Self);
        extensions.get::<Self>().cloned().or_else(embedding)
    }

    /// The connection, once the client was told; none: the client was gone before.
    pub(crate) async fn switched(self) -> Option<Switched> {
        match self.0 {
            From::Own(receiver) => {
                let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner).take()?;
                receiver.0.await.ok().map(|handed| handed.0)
            }
            From::Embedding(upgrade) => {
                let upgraded = upgrade.await.ok()?;
                Some(Box::new(TokioIo::new(upgraded)))
            }
        }
    }
}
