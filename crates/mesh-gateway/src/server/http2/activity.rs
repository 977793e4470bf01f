//! How many requests are open on one connection, and for how long there were none.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use mesh_core::clock::{Clock, Tick};

use crate::{server::phase::LAST_CALL, settings::Limits};

/// What the requests of one connection do.
#[derive(Debug)]
pub(super) struct Activity {
    open: AtomicUsize,
    /// Whether there ever was a request.
    has_begun: AtomicBool,
    /// When the connection began or the last request ended.
    since: AtomicU64,
    clock: Arc<dyn Clock>,
}

/// A request that is open until this is dropped.
#[derive(Debug)]
pub(super) struct Open(Arc<Activity>);

/// What is to be done with the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing; look again after this long.
    Wait(Duration),
    /// Tell the client that it ends.
    End,
    /// End it at once.
    Cut,
}

impl Activity {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let since = AtomicU64::new(clock.monotonic().0);
        Arc::new(Self { open: AtomicUsize::new(0), has_begun: AtomicBool::new(false), since, clock })
    }

    /// A request begins.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        self.has_begun.store(true, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    /// What is due now; `is_ending`: the client was told that the connection ends.
    pub(super) fn judge(&self, limits: &Limits, is_ending: bool) -> Verdict {
        if self.open.load(Ordering::Relaxed) > 0 {
            return Verdict::Wait(if is_ending { LAST_CALL } else { limits.head_timeout });
        }
        let (limit, due) = match (is_ending, self.has_begun.load(Ordering::Relaxed)) {
            (true, _) => (LAST_CALL, Verdict::Cut),
            (false, false) => (limits.head_timeout, Verdict::Cut),
            (false, true) => (limits.idle_timeout, Verdict::End),
        };
        let idle = self.clock.monotonic().since(Tick(self.since.load(Ordering::Relaxed)));
        if idle >= limit { due } else { Verdict::Wait(limit.saturating_sub(idle)) }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.since.store(self.0.clock.monotonic().0, Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
