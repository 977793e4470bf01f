//! What one worker has of its own, and what stays of it when it is gone.

use std::sync::Arc;

use mesh_core::clock::Clock;

use super::{Cells, Metrics};
use crate::{
    snapshot::{Latest, Own, Snapshot},
    transport::Pool,
};

/// A worker's figures, connections and hold on the snapshot. What it counted is kept when it is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) cells: Arc<Cells>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) snapshot: Own<Snapshot>,
    metrics: Arc<Metrics>,
}

impl Worker {
    /// A worker that `metrics` sums up.
    pub(crate) fn begin(
        metrics: &Arc<Metrics>,
        clock: &Arc<dyn Clock>,
        latest: &Latest<Snapshot>,
    ) -> Arc<Self> {
        let pool = Arc::new(Pool::new(Arc::clone(clock)));
        let worker =
            Self { cells: Arc::default(), pool, snapshot: Own::new(latest), metrics: Arc::clone(metrics) };
        metrics.joined(&worker.cells, &worker.pool);
        Arc::new(worker)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.metrics.left(&self.cells);
    }
}
