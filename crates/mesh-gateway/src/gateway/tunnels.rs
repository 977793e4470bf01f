//! The tunnels of one worker: carried beside the requests, and ended at shutdown.

use mesh_core::health::view::Outstanding;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{switch::ClientSwitch, transport::Tunnel};

/// Tunnels that are open. Cheap to clone; clones share everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tunnels {
    open: TaskTracker,
    stop: CancellationToken,
}

impl Tunnels {
    /// Carries `tunnel` once `client` has switched. It counts as `load` of its instance as long as it lasts.
    pub(crate) fn open(&self, tunnel: Tunnel, client: ClientSwitch, load: Outstanding) {
        let stop = self.stop.clone();
        self.open.spawn(async move {
            tunnel.carry(client, stop).await;
            drop(load);
        });
    }

    /// Ends them, and those to come.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
        self.open.close();
    }

    /// Until they have ended.
    pub(crate) async fn ended(&self) {
        self.open.wait().await;
    }
}
