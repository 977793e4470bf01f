//! A client's connection, counted while it is open.

use std::sync::Arc;

use crate::metrics::{Cells, Tally};

/// Counted until it is dropped.
pub(super) struct Connected(Arc<Cells>);

impl Connected {
    pub(super) fn count(cells: &Arc<Cells>) -> Self {
        cells.count(Tally::Connected);
        Self(Arc::clone(cells))
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.count(Tally::Disconnected);
    }
}
