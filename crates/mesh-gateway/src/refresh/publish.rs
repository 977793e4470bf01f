//! Replaces the snapshot, and now and then writes it to disk.

use std::{path::Path, sync::Arc, time::Duration};

use mesh_core::{clock::Tick, route::remembered::Remembered};

use super::snapshot_file;
use crate::{
    gateway::Shared,
    reloadable::Reloadable,
    snapshot::{self, Retired, Snapshot},
};

/// A change is written at once, but not more often than this.
const WRITE_PAUSE: Duration = Duration::from_secs(1);
/// Expiries are written again after this long, changed or not.
const WRITE_EXPIRIES: Duration = Duration::from_secs(30);

/// Replaces the snapshot.
pub(super) struct Publisher {
    shared: Arc<Shared>,
    reloadable: Arc<Reloadable>,
    is_dirty: bool,
    was_refused: bool,
    written: Option<Tick>,
    retired: Retired<Snapshot>,
}

impl Publisher {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let reloadable = Arc::clone(&shared.snapshot.load().reloadable);
        Self {
            shared,
            reloadable,
            is_dirty: false,
            was_refused: false,
            written: None,
            retired: Retired::default(),
        }
    }

    /// What applies now.
    pub(super) fn reloadable(&self) -> &Reloadable {
        &self.reloadable
    }

    /// Other settings and keys apply from now on.
    pub(super) fn reload(&mut self, reloadable: Arc<Reloadable>, remembered: &Remembered, now: Tick) {
        self.reloadable = reloadable;
        let is_ready = self.shared.snapshot.load().ready;
        self.replace(remembered, is_ready, now);
    }

    /// After a read of the store: builds a new snapshot only if something changed, or none was ever loaded.
    pub(super) async fn loaded(&mut self, remembered: &Remembered, changed: bool, now: Tick) {
        if changed || !self.shared.snapshot.load().ready {
            self.publish(remembered, now);
        }
        self.retired.let_go();
        self.write(remembered, now).await;
    }

    /// Builds and replaces.
    pub(super) fn publish(&mut self, remembered: &Remembered, now: Tick) {
        self.replace(remembered, true, now);
    }

    fn replace(&mut self, remembered: &Remembered, is_ready: bool, now: Tick) {
        let shared = &self.shared;
        let previous = Arc::clone(&shared.snapshot.load());
        let (reloadable, overrides, metrics) = (&self.reloadable, &shared.overrides, &shared.metrics);
        let next =
            snapshot::build(reloadable, overrides, remembered, Some(&previous), metrics, is_ready, now);
        for (service, reason) in &next.quarantined {
            if previous.quarantined.get(service) != Some(reason) {
                tracing::warn!(%service, reason, "a manifest is not served");
            }
        }
        if is_ready && (next.idle != previous.idle || !previous.ready) {
            for idle in &next.idle {
                tracing::warn!(idle, "layers, a handler or a prefix stand for what no manifest declares");
            }
        }
        tracing::info!(
            routes = next.table.entries().len(),
            manifests = next.manifests.len(),
            refused = next.table.refused().len(),
            "routes replaced"
        );
        shared.snapshot.store(Arc::new(next));
        self.retired.keep(previous);
        self.is_dirty = true;
    }

    async fn write(&mut self, remembered: &Remembered, now: Tick) {
        let Some(path) = self.reloadable.settings.snapshot.clone() else { return };
        let age = self.written.map(|written| now.since(written));
        let is_due = match age {
            None => self.is_dirty,
            Some(age) => (self.is_dirty && age >= WRITE_PAUSE) || age >= WRITE_EXPIRIES,
        };
        if !is_due {
            return;
        }
        self.is_dirty = false;
        self.written = Some(now);
        let text = snapshot_file::text(remembered, now, self.shared.clock.unix());
        let written = tokio::task::spawn_blocking(move || (snapshot_file::write(&path, &text), path)).await;
        if let Ok((result, path)) = written {
            self.note(result, &path);
        }
    }

    fn note(&mut self, result: std::io::Result<()>, path: &Path) {
        match result {
            Ok(()) => self.was_refused = false,
            Err(error) if !self.was_refused => {
                self.was_refused = true;
                tracing::warn!(path = %path.display(), %error, "the last good routes cannot be written");
            }
            Err(_) => {}
        }
    }
}
