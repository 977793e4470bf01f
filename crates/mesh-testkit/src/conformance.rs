//! What every implementation of a port must do: one suite per port, one test per sentence of its contract.
//!
//! ```ignore
//! mod health {
//!     mesh_testkit::health_conformance!(super::memory());
//! }
//! ```
//!
//! makes a test of each sentence. The argument is an expression that gives an [`UnderTest`] with an empty store, and is
//! evaluated anew for each test; it may await.

pub mod health;
pub mod idempotency;
pub mod manifest;

use std::{any::Any, sync::Arc, time::Duration};

use mesh_core::clock::{Clock, SystemClock, Tick};

use crate::ManualClock;

/// How long a suite waits for what must happen.
pub const CAP: Duration = Duration::from_secs(30);

/// How much earlier than it should something may end by the clock of another process, which counts whole milliseconds.
const CLOCK_SLACK: Duration = Duration::from_millis(10);

/// How far time goes between two looks.
const STEP: Duration = Duration::from_millis(10);

/// A store that holds nothing, nobody else uses, and whose time is known.
pub struct UnderTest<S: ?Sized> {
    /// The store.
    pub store: Arc<S>,
    time: Time,
    _kept: Option<Box<dyn Any + Send + Sync>>,
}

enum Time {
    Manual(Arc<ManualClock>),
    System,
}

impl<S: ?Sized> UnderTest<S> {
    /// A store that takes its time from `clock`.
    #[must_use]
    pub fn on_manual_clock(store: Arc<S>, clock: Arc<ManualClock>) -> Self {
        Self { store, time: Time::Manual(clock), _kept: None }
    }

    /// A store for which time really passes.
    #[must_use]
    pub fn on_system_clock(store: Arc<S>) -> Self {
        Self { store, time: Time::System, _kept: None }
    }

    /// Keeps something alive as long as the store is under test, such as a server's process.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any + Send + Sync) -> Self {
        self._kept = Some(Box::new(kept));
        self
    }

    /// Now, as the store's time goes.
    #[must_use]
    pub fn now(&self) -> Tick {
        match &self.time {
            Time::Manual(clock) => clock.monotonic(),
            Time::System => SystemClock.monotonic(),
        }
    }

    /// Lets time pass.
    pub async fn pass(&self, by: Duration) {
        match &self.time {
            Time::Manual(clock) => clock.advance(by),
            Time::System => tokio::time::sleep(by).await,
        }
    }

    /// Lets time pass until `has_ended` holds.
    ///
    /// # Panics
    ///
    /// When it holds earlier than `after` from `since`, or not at last.
    pub async fn ends(&self, after: Duration, since: Tick, has_ended: impl AsyncFn() -> bool) {
        while !has_ended().await {
            assert!(self.now().since(since) < after + CAP, "it did not end");
            self.pass(STEP).await;
        }
        let lasted = self.now().since(since);
        match self.time {
            Time::Manual(_) => assert!(lasted >= after && lasted < after + STEP, "it ended after {lasted:?}"),
            Time::System => assert!(lasted + CLOCK_SLACK >= after, "it ended after {lasted:?}"),
        }
    }
}

/// Makes a test of each sentence of a suite; the suites' own macros call it.
#[macro_export]
macro_rules! conformance_tests {
    ($suite:path, $under_test:expr, $($sentence:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sentence() {
                use $suite as suite;
                suite::$sentence(&$under_test).await;
            }
        )+
    };
}
