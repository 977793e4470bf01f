//! What a connection is doing, and for how long it may.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use mesh_core::clock::{Clock, Tick};

use crate::settings::Limits;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// It was opened, and has said nothing.
    Fresh,
    /// It waits for its next request.
    Idle,
    /// A request's head is arriving.
    Head,
    /// A request is being answered.
    Busy,
    /// The answer was handed over, and is on its way out.
    Sent,
    /// It was too slow: it gets its 408, and ends.
    Expired,
    /// The gateway said its last word.
    Closing,
    /// It speaks HTTP/2, and has phases of its own.
    Http2,
    /// It is no longer HTTP.
    Switched,
}

/// How long a connection may linger after the gateway's last word.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// How long a connection without a request is kept after the gateway began to end.
pub(super) const LAST_CALL: Duration = Duration::from_millis(500);

/// The phase of one connection, shared between its socket, its requests and its alarm.
#[derive(Debug)]
pub(super) struct Progress {
    phase: AtomicU8,
    since: AtomicU64,
    lingers: AtomicBool,
    breaks: AtomicBool,
    clock: Arc<dyn Clock>,
}

/// What the alarm finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Nothing; look again after this long.
    Not(Duration),
    /// It waited for a request for too long.
    Idle,
    /// The head did not end in time.
    Head,
}

impl Progress {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let since = AtomicU64::new(clock.monotonic().0);
        Arc::new(Self {
            phase: AtomicU8::new(Phase::Fresh as u8),
            since,
            lingers: AtomicBool::new(false),
            breaks: AtomicBool::new(false),
            clock,
        })
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Fresh,
            1 => Phase::Idle,
            2 => Phase::Head,
            3 => Phase::Busy,
            4 => Phase::Sent,
            5 => Phase::Expired,
            7 => Phase::Http2,
            8 => Phase::Switched,
            _ => Phase::Closing,
        }
    }

    /// Bytes arrived. Answers whether they are the first of a request.
    pub(super) fn received(&self) -> bool {
        let begins = matches!(self.phase(), Phase::Fresh | Phase::Idle);
        if begins {
            self.enter(Phase::Head);
        }
        begins
    }

    /// A request's head is complete.
    pub(super) fn begun(&self) {
        self.phase.store(Phase::Busy as u8, Ordering::Relaxed);
    }

    /// The last byte of the answer was handed over.
    pub(super) fn answered(&self) {
        if self.phase() != Phase::Switched {
            self.phase.store(Phase::Sent as u8, Ordering::Relaxed);
        }
    }

    /// What follows the answer is another protocol.
    pub(super) fn switched(&self) {
        self.phase.store(Phase::Switched as u8, Ordering::Relaxed);
    }

    /// Everything handed over is out.
    pub(super) fn flushed(&self) {
        if self.phase() == Phase::Sent {
            self.enter(Phase::Idle);
        }
    }

    pub(super) fn expire(&self) {
        self.enter(Phase::Expired);
    }

    /// The gateway said its last word.
    pub(super) fn closing(&self) {
        self.enter(Phase::Closing);
    }

    /// The connection speaks HTTP/2.
    pub(super) fn switch_to_http2(&self) {
        self.enter(Phase::Http2);
    }

    /// The client may still be sending what nobody reads: it is to see the answer before the connection breaks.
    pub(super) fn linger(&self) {
        self.lingers.store(true, Ordering::Relaxed);
    }

    pub(super) fn lingers(&self) -> bool {
        self.lingers.load(Ordering::Relaxed)
    }

    /// The answer broke off, and only a reset tells the client: its end would be the end of the connection.
    pub(super) fn break_off(&self) {
        self.breaks.store(true, Ordering::Relaxed);
    }

    pub(super) fn breaks(&self) -> bool {
        self.breaks.load(Ordering::Relaxed)
    }

    /// What is overdue now; `is_stopped`: the gateway takes the last requests.
    pub(super) fn overdue(&self, limits: &Limits, is_stopped: bool) -> Overdue {
        let longest = if is_stopped { LAST_CALL } else { Duration::MAX };
        let for_so_long = self.clock.monotonic().since(Tick(self.since.load(Ordering::Relaxed)));
        let (limit, overdue) = match self.phase() {
            Phase::Fresh => (limits.head_timeout.min(longest), Overdue::Idle),
            Phase::Idle => (limits.idle_timeout.min(longest), Overdue::Idle),
            Phase::Head => (limits.head_timeout, Overdue::Head),
            Phase::Closing => (LINGER, Overdue::Idle),
            Phase::Busy | Phase::Sent | Phase::Expired | Phase::Http2 | Phase::Switched => {
                return Overdue::Not(limits.head_timeout.min(longest));
            }
        };
        if for_so_long >= limit { overdue } else { Overdue::Not(limit.saturating_sub(for_so_long)) }
    }

    fn enter(&self, phase: Phase) {
        self.since.store(self.clock.monotonic().0, Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }
}
