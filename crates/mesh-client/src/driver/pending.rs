//! A success that counts once the body of the answer has come.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use mesh_core::health::{
    verdict::GOOD_AFTER,
    view::{InstanceView, Probe},
};
use tokio::task::AbortHandle;

use super::Driver;

/// A good answer of an instance with failures on record. They are forgotten when [`good`](Self::good) says that the body
/// has come, or [`GOOD_AFTER`] the head. Dropped before, e.g. because the client went, it judges nobody.
pub struct Pending {
    waiting: Arc<Mutex<Option<Waiting>>>,
    timer: AbortHandle,
}

struct Waiting {
    driver: Driver,
    instance: Arc<InstanceView>,
    /// Held until the verdict: nobody else in the process makes the probe meanwhile.
    _probe: Option<Probe>,
}

impl Pending {
    pub(super) fn new(driver: Driver, instance: Arc<InstanceView>, probe: Option<Probe>) -> Self {
        let waiting = Arc::new(Mutex::new(Some(Waiting { driver, instance, _probe: probe })));
        let late = Arc::clone(&waiting);
        let timer = tokio::spawn(async move {
            tokio::time::sleep(GOOD_AFTER).await;
            succeed(&late);
        });
        Self { waiting, timer: timer.abort_handle() }
    }

    /// The body has come, whole.
    pub fn good(self) {
        succeed(&self.waiting);
    }
}

fn take(waiting: &Mutex<Option<Waiting>>) -> Option<Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn succeed(waiting: &Mutex<Option<Waiting>>) {
    if let Some(waiting) = take(waiting) {
        waiting.driver.judge(&waiting.instance, true, waiting.driver.clock.monotonic());
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.timer.abort();
        drop(take(&self.waiting));
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pending").finish_non_exhaustive()
    }
}
