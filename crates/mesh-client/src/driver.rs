//! Carries out one call: asks the machine in `mesh_core::call` what to do, and does it.
//!
//! Knows no HTTP library: attempts go through a [`Transport`].

use std::{future::Future, sync::Arc, time::Duration};

use http::Method;
use mesh_core::{
    call::Ending,
    clock::{Clock, Tick},
    entropy::Entropy,
    event::EventSink,
    health::{HealthPolicy, view::ServiceView},
    retry::{Outcome, RetryPolicy},
    service::{BaseUrl, Instance},
};

use crate::report::Reporter;

/// Sends one attempt. Implementations sign each attempt afresh and never follow redirects.
pub trait Transport {
    /// What an answer is: a buffered response, or one whose body is still under way.
    type Response;

    /// Sends the request to `attempt.instance` and waits for an answer no longer than `attempt.limit`.
    fn send(&self, attempt: Attempt<'_>) -> impl Future<Output = Sent<Self::Response>>;
}

/// One attempt to be made.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Where to.
    pub instance: &'a Instance,
    /// How long it may take.
    pub limit: Duration,
    /// 1 for the call's first attempt.
    pub number: u32,
    /// When the call ends.
    pub deadline: Tick,
}

/// What came of an attempt.
#[derive(Debug)]
pub struct Sent<R> {
    /// For the rules.
    pub outcome: Outcome,
    /// The answer's status, when there was an answer.
    pub status: Option<u16>,
    /// The answer, 5xx too.
    pub response: Option<R>,
    /// What went wrong, for people; empty for an answer.
    pub message: String,
}

/// One attempt that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// The instance.
    pub url: BaseUrl,
    /// The answer's status, or none.
    pub status: Option<u16>,
    /// `ok`, `status 503`, or the failure's word (`connect`, `timeout`, …) and message.
    pub outcome: String,
    /// How long it took.
    pub elapsed: Duration,
}

/// The numbers and facts of one call.
#[derive(Clone, Debug)]
pub struct CallFacts {
    /// The method on the wire.
    pub method: Method,
    /// The path on the wire without query, for events.
    pub path: String,
    /// Retries, delay, methods.
    pub policy: RetryPolicy,
    /// Whether it may be repeated after it was written ([`RetryPolicy::may_repeat`], and the body is still held).
    pub may_repeat: bool,
    /// The limit of one attempt.
    pub attempt_timeout: Duration,
    /// When the whole call ends.
    pub deadline: Tick,
}

/// How a call went.
#[derive(Debug)]
pub struct Report<R> {
    /// How it ended.
    pub ending: Ending,
    /// The last answer, where the ending carries one.
    pub response: Option<R>,
    /// Which instance gave it: an index into the view.
    pub instance: Option<usize>,
    /// Every attempt, in order.
    pub attempts: Vec<AttemptRecord>,
}

/// Carries out calls. One per process or worker; cheap to clone.
#[derive(Clone, Debug)]
pub struct Driver {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    sink: Arc<dyn EventSink>,
    policy: HealthPolicy,
    reporter: Reporter,
}

impl Driver {
    /// A driver; health changes go to `reporter` after the answer.
    #[must_use]
    pub const fn new(
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        sink: Arc<dyn EventSink>,
        policy: HealthPolicy,
        reporter: Reporter,
    ) -> Self {
        Self { clock, entropy, sink, policy, reporter }
    }

    /// Makes attempts at the instances of `view` until the call is over. Never waits for a store.
    ///
    /// Judges health once per instance and call: local view first, then the reporter, after the last attempt.
    pub async fn drive<T: Transport>(
        &self,
        view: &ServiceView,
        facts: &CallFacts,
        transport: &T,
    ) -> Report<T::Response> {
        let _ =
            (view, facts, transport, &self.clock, &self.entropy, &self.sink, &self.policy, &self.reporter);
        todo!()
    }

    /// Tells that an answer that counted as good broke off while its body was streamed.
    pub fn body_failed(&self, view: &ServiceView, instance: usize, message: &str) {
        let _ = (view, instance, message);
        todo!()
    }
}
