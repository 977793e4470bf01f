//! An event sink that keeps what it is told.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mesh_core::event::{Event, EventSink};

/// Keeps every event, in order. Share it as `Arc<RecordingSink>`.
#[derive(Debug, Default)]
pub struct RecordingSink(Mutex<Vec<Event>>);

impl RecordingSink {
    /// A sink that was told nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What it was told so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.lock().clone()
    }

    /// What it was told since the last `take`.
    #[must_use]
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for RecordingSink {
    fn emit(&self, event: Event) {
        self.lock().push(event);
    }
}
