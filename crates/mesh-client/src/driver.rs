//! Carries out one call: asks the machine in `mesh_core::call` what to do, and does it.
//!
//! Knows no HTTP library: attempts go through a [`Transport`].

mod pending;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, future::Future, mem, sync::Arc, time::Duration};

use http::Method;
use mesh_core::{
    call::{Call, CallPlan, Ending, Step},
    clock::{Clock, Tick},
    entropy::Entropy,
    event::{Event, EventSink},
    health::{
        HealthPolicy,
        verdict::ToCome,
        view::{InstanceView, ServiceView},
    },
    name::ServiceName,
    retry::{Failure, Outcome, RetryPolicy},
    service::{BaseUrl, Instance},
};

pub use crate::attempt::retry_after;
use crate::report::{Reporter, emit_change};
pub use pending::Pending;

/// Sends one attempt. Implementations sign each attempt afresh and never follow redirects.
pub trait Transport {
    /// What an answer is: a buffered response, or one whose body is still under way.
    type Response;

    /// The method and the path on the wire without query, for events.
    fn request(&self) -> (&Method, &str);

    /// What is still to come of an answer below 500 that [`send`](Self::send) gave.
    fn to_come(&self, response: &Self::Response) -> ToCome;

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
    /// When it begins: now.
    pub begun: Tick,
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
pub struct AttemptRecord<U = BaseUrl> {
    /// The instance; borrowed from the view by [`Driver::drive`].
    pub url: U,
    /// The answer's status, or none.
    pub status: Option<u16>,
    /// `ok`, `status 503`, or the failure's word (`connect`, `timeout`, …) and message.
    pub outcome: Cow<'static, str>,
    /// How it failed without an answer.
    pub failure: Option<Failure>,
    /// How long it took.
    pub elapsed: Duration,
}

impl AttemptRecord<&BaseUrl> {
    fn into_owned(self) -> AttemptRecord {
        let Self { url, status, outcome, failure, elapsed } = self;
        AttemptRecord { url: url.clone(), status, outcome, failure, elapsed }
    }
}

impl<U> AttemptRecord<U> {
    /// Whether it counts as a failure: no answer, or one of 500 and above.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failure.is_some() || self.status.is_none_or(|status| status >= 500)
    }
}

/// The numbers of one call.
#[derive(Clone, Copy, Debug)]
pub struct CallFacts {
    /// Retries, delay, methods.
    pub policy: RetryPolicy,
    /// Whether it may be repeated after it was written ([`RetryPolicy::may_repeat`], and the body is still held).
    pub may_repeat: bool,
    /// The limit of one attempt.
    pub attempt_timeout: Duration,
    /// When it begins: now.
    pub begun: Tick,
    /// When the whole call ends.
    pub deadline: Tick,
}

/// How a call went.
#[derive(Debug)]
pub struct Report<R, U = BaseUrl> {
    /// How it ended.
    pub ending: Ending,
    /// The last answer, where the ending carries one.
    pub response: Option<R>,
    /// Which instance gave it: an index into the view.
    pub instance: Option<usize>,
    /// Every attempt, in order.
    pub attempts: Vec<AttemptRecord<U>>,
    /// When it ended.
    pub ended: Tick,
    /// The success of that instance, where it waits for the answer's body ([`ToCome::decides`]): whoever reads the
    /// body says when it has come.
    pub pending: Option<Pending>,
}

impl<R> Report<R, &BaseUrl> {
    /// The same, to outlive the view.
    #[must_use]
    pub fn into_owned(self) -> Report<R> {
        let Self { ending, response, instance, attempts, ended, pending } = self;
        let attempts = attempts.into_iter().map(AttemptRecord::into_owned).collect();
        Report { ending, response, instance, attempts, ended, pending }
    }
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
    /// Judges health once per instance and call: local view first, then the reporter, after the last attempt; a success
    /// that the answer's body decides comes later ([`Report::pending`]). The future
    /// is `Send` when the transport's is; a call whose future is dropped judges nobody.
    pub async fn drive<'v, T: Transport>(
        &self,
        view: &'v ServiceView,
        facts: &CallFacts,
        transport: &T,
    ) -> Report<T::Response, &'v BaseUrl> {
        // Holds the probe, if this call makes one, until the verdicts are in the view.
        let mut now = facts.begun;
        let mut order = view.order(&self.policy, now, facts.may_repeat);
        let mut call = Call::new(CallPlan {
            order: mem::take(&mut order.indices),
            policy: facts.policy,
            may_repeat: facts.may_repeat,
            attempt_timeout: facts.attempt_timeout,
            deadline: facts.deadline,
        });
        let mut attempts = Vec::new();
        let mut latest = None;
        let mut tried: Option<(usize, &InstanceView)> = None;
        // Chance is needed for the waits after failures alone.
        let mut random = 0;
        let ending = loop {
            match call.next(now, random) {
                Step::Attempt { instance, limit } => {
                    let target = &view.instances()[instance];
                    let begun = now;
                    let under_way = target.begin(&self.policy, begun);
                    let number = u32::try_from(attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
                    let attempt = Attempt {
                        instance: target.instance(),
                        limit,
                        begun,
                        number,
                        deadline: facts.deadline,
                    };
                    let sent = transport.send(attempt).await;
                    drop(under_way);
                    now = self.clock.monotonic();
                    call.on_outcome(sent.outcome, now);
                    let record = record(target.instance(), &sent, now.since(begun));
                    if sent.outcome != Outcome::Answered {
                        random = self.entropy.next_u64();
                        self.tell_failed(target.instance(), transport.request(), &record);
                    }
                    attempts.push(record);
                    latest = sent.response;
                    tried = Some((instance, target));
                }
                Step::Wait(delay) => {
                    tokio::time::sleep(delay).await;
                    now = self.clock.monotonic();
                }
                Step::Done(ending) => break ending,
            }
        };
        let mut pending = None;
        for (instance, answered) in call.verdicts() {
            // A success of an instance without a record changes nothing. Asked of the instance itself: by now its view may
            // have left the cache.
            let is_tried = tried.filter(|(index, _)| index == instance);
            if *answered && is_tried.is_some_and(|(_, tried)| tried.failures().0 == 0) {
                continue;
            }
            let judged = &view.instances()[*instance];
            let failures = judged.failures().0;
            let is_last = *answered && is_tried.is_some() && ending == Ending::Answered;
            let to_come = latest.as_ref().filter(|_| is_last && failures > 0);
            if to_come.is_some_and(|answer| transport.to_come(answer).decides(failures)) {
                let probe = order.probe.take_if(|probe| probe.is_of(judged));
                pending = Some(Pending::new(self.clone(), Arc::clone(judged), probe));
            } else {
                self.judge(judged, *answered, now);
            }
        }
        drop(order);
        let carries_answer = matches!(ending, Ending::Answered | Ending::ServerError);
        if !carries_answer {
            self.tell_unavailable(view, ending, &attempts);
        }
        Report {
            ending,
            response: latest.filter(|_| carries_answer),
            instance: tried.map(|(index, _)| index).filter(|_| carries_answer),
            attempts,
            ended: now,
            pending,
        }
    }

    /// Tells that an answer that counted as good broke off while its body was streamed. `request_id` is the call's, for
    /// the log.
    pub fn body_failed(&self, view: &ServiceView, instance: usize, request_id: &str, message: &str) {
        if let Some(failed) = view.instances().get(instance) {
            let Instance { service, url } = failed.instance();
            tracing::debug!(request_id, %service, %url, message, "an answer broke off");
            self.judge(failed, false, self.clock.monotonic());
        }
    }

    fn judge(&self, instance: &Arc<InstanceView>, answered: bool, now: Tick) {
        let change = if answered {
            let (on_record, change) = instance.succeed(&self.policy, now);
            if on_record {
                self.reporter.succeeded(instance, &self.sink);
            }
            change
        } else {
            let change = instance.add_failure(&self.policy, now);
            self.reporter.failed(instance, &self.sink);
            change
        };
        emit_change(self.sink.as_ref(), instance, change);
    }

    fn tell_failed<U>(
        &self,
        instance: &Instance,
        (method, path): (&Method, &str),
        record: &AttemptRecord<U>,
    ) {
        self.sink.emit(Event::ServiceRequestFailed {
            service: instance.service.clone(),
            url: instance.url.clone(),
            method: method.clone(),
            path: path.to_owned(),
            status: record.status,
            message: record.outcome.clone().into_owned(),
        });
    }

    fn tell_unavailable<U>(&self, view: &ServiceView, ending: Ending, attempts: &[AttemptRecord<U>]) {
        let message = match (ending, attempts.last()) {
            (Ending::NoInstance, _) => no_instances(view.name()),
            (Ending::DeadlineExceeded, Some(last)) => format!("deadline exceeded after {}", last.outcome),
            (Ending::DeadlineExceeded, None) => "deadline exceeded".to_owned(),
            (_, Some(last)) => last.outcome.clone().into_owned(),
            (_, None) => "no attempt was made".to_owned(),
        };
        self.sink.emit(Event::ServiceBecameUnavailable { service: view.name().clone(), message });
    }
}

/// The package's text for a service without instances.
pub(crate) fn no_instances(service: &ServiceName) -> String {
    format!("No instances configured for service [{service}].")
}

fn record<'v, R>(instance: &'v Instance, sent: &Sent<R>, elapsed: Duration) -> AttemptRecord<&'v BaseUrl> {
    let failure = match sent.outcome {
        Outcome::NotSent(failure) | Outcome::Lost(failure) => Some(failure),
        Outcome::Answered | Outcome::ServerError { .. } => None,
    };
    AttemptRecord { url: &instance.url, status: sent.status, outcome: describe(sent), failure, elapsed }
}

/// `ok`, `status 503`, or the failure's word and message.
fn describe<R>(sent: &Sent<R>) -> Cow<'static, str> {
    match (sent.outcome, sent.status) {
        (Outcome::Answered, _) => "ok".into(),
        (Outcome::ServerError { .. }, Some(status)) => format!("status {status}").into(),
        (Outcome::ServerError { .. }, None) => "server error".into(),
        (Outcome::NotSent(failure) | Outcome::Lost(failure), _) if sent.message.is_empty() => {
            failure.as_str().into()
        }
        (Outcome::NotSent(failure) | Outcome::Lost(failure), _) => {
            format!("{}: {}", failure.as_str(), sent.message).into()
        }
    }
}
