//! What is still to be told to the store: one entry per instance, however many reports there were.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mesh_core::{event::EventSink, health::view::InstanceView, service::Instance};

/// More instances than this with news at one time are not remembered.
const MAX_ENTRIES: usize = 4_096;

/// Everything that happened to one instance since the last write.
pub(super) struct Entry {
    pub(super) view: Arc<InstanceView>,
    pub(super) sink: Arc<dyn EventSink>,
    /// A success came first: the record goes before the failures are added.
    pub(super) cleared: bool,
    /// Failures since.
    pub(super) failures: u32,
}

impl Entry {
    pub(super) fn fail(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    pub(super) fn clear(&mut self) {
        self.cleared = true;
        self.failures = 0;
    }
}

/// Entries by instance. The lock is held for a map operation and never across a wait.
#[derive(Default)]
pub(super) struct Pending(Mutex<HashMap<Instance, Entry>>);

impl Pending {
    pub(super) fn note(
        &self,
        view: &Arc<InstanceView>,
        sink: &Arc<dyn EventSink>,
        change: impl FnOnce(&mut Entry),
    ) {
        let mut entries = self.lock();
        if entries.len() < MAX_ENTRIES || entries.contains_key(view.instance()) {
            change(entries.entry(view.instance().clone()).or_insert_with(|| Entry {
                view: Arc::clone(view),
                sink: Arc::clone(sink),
                cleared: false,
                failures: 0,
            }));
        }
    }

    /// Takes everything out.
    pub(super) fn drain(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.lock()).into_values().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Instance, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pending").field("entries", &self.lock().len()).finish()
    }
}
