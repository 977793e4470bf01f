//! One call as a machine without hands: it says what to do next, and is told what came of it.
//!
//! Refuses to know time, chance, sockets and statuses: all are arguments.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use crate::{
    clock::Tick,
    retry::{Failure, Outcome, RetryPolicy, backoff::full_jitter},
};

/// What a call needs to know before its first attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPlan {
    /// Indices of instances in the order in which they are tried ([`crate::health::order`]).
    pub order: Vec<usize>,
    /// Numbers that steer retries; `retries` + 1 attempts for each instance.
    pub policy: RetryPolicy,
    /// Whether the request may be repeated after (part of) it was written ([`RetryPolicy::may_repeat`]).
    pub may_repeat: bool,
    /// The limit of one attempt.
    pub attempt_timeout: Duration,
    /// When the whole call ends.
    pub deadline: Tick,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send the request to the instance, and tell what came of it with [`Call::on_outcome`].
    Attempt {
        /// Which instance: an index that stood in [`CallPlan::order`].
        instance: usize,
        /// The attempt's limit: the attempt timeout cut to what is left of the deadline.
        limit: Duration,
    },
    /// Do nothing for this long, then ask again.
    Wait(Duration),
    /// The call is over.
    Done(Ending),
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The last attempt's answer is the call's answer (below 500).
    Answered,
    /// The last attempt was answered with 500 or above; that answer is passed on.
    ServerError,
    /// The last attempt failed without an answer.
    Failed(Failure),
    /// The deadline passed before the first attempt, or in the course of the last one.
    DeadlineExceeded,
    /// There was no instance to try.
    NoInstance,
}

/// The machine of one call (docs/wire.md, Client, "Attempts").
///
/// * Each instance has `retries` + 1 attempts. A 5xx is retried at the same instance after full jitter; when its attempts
///   are used up the next instance's turn comes at once.
/// * An attempt without an answer moves on to the next instance at once; what the failed one has left comes last. A
///   503 with Retry-After does the same, and its instance is not tried again earlier than it asked.
/// * Who comes up again after a failure waits for full jitter first, so that one instance alone is not hammered.
/// * After (part of) the request was written only a call that may be repeated is repeated; before that, and on 503 with
///   Retry-After, which says that nothing was done, every call is.
/// * The last attempt decides how the call ends. A wait that would pass the deadline is not begun: the call ends with
///   what the last attempt gave.
#[derive(Debug)]
pub struct Call {
    plan: CallPlan,
    /// Who may still be tried; the first is next, or under way.
    queue: VecDeque<Turn>,
    /// The limit of the attempt under way.
    under_way: Option<Duration>,
    last: Option<Outcome>,
    ending: Option<Ending>,
    verdicts: Vec<(usize, bool)>,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    instance: usize,
    attempts_made: u32,
    /// Not before this, because the instance asked for it.
    asked_for: Tick,
    /// Not before this, once the wait is drawn.
    ready: Option<Tick>,
}

impl Call {
    /// A call that has not begun.
    #[must_use]
    pub fn new(plan: CallPlan) -> Self {
        let fresh = |&instance| Turn { instance, attempts_made: 0, asked_for: Tick(0), ready: None };
        let queue = plan.order.iter().map(fresh).collect();
        Self { plan, queue, under_way: None, last: None, ending: None, verdicts: Vec::new() }
    }

    /// What to do at `now`. `random`, uniform over `u64`, is used when the answer is a wait.
    ///
    /// Asked again before a wait is over, it answers with the rest of the wait. An attempt whose outcome was never told
    /// counts as lost.
    pub fn next(&mut self, now: Tick, random: u64) -> Step {
        if self.under_way.is_some() {
            self.on_outcome(Outcome::Lost(Failure::Reset), now);
        }
        if let Some(ending) = self.ending {
            return Step::Done(ending);
        }
        let deadline = self.plan.deadline;
        let Some(ready) = self.ready(now, random) else {
            return self.done(now);
        };
        if now >= deadline || ready >= deadline {
            return self.done(now);
        }
        if ready > now {
            return Step::Wait(ready.since(now));
        }
        let limit = self.plan.attempt_timeout.min(deadline.since(now));
        let Some(turn) = self.queue.front_mut() else {
            return self.done(now);
        };
        turn.attempts_made += 1;
        turn.ready = None;
        self.under_way = Some(limit);
        Step::Attempt { instance: turn.instance, limit }
    }

    /// Tells what came of the last attempt, which ended at `now`.
    pub fn on_outcome(&mut self, outcome: Outcome, now: Tick) {
        let (Some(limit), Some(mut turn)) = (self.under_way.take(), self.queue.pop_front()) else {
            return;
        };
        self.last = Some(outcome);
        self.judge(turn.instance, outcome, limit);
        let has_attempts_left = turn.attempts_made <= self.plan.policy.retries;
        match outcome {
            Outcome::Answered => _ = self.done(now),
            Outcome::ServerError { retry_after: Some(wait) } => {
                turn.asked_for = now.after(wait);
                self.queue.extend(has_attempts_left.then_some(turn));
            }
            Outcome::NotSent(_) => self.queue.extend(has_attempts_left.then_some(turn)),
            Outcome::ServerError { .. } | Outcome::Lost(_) if !self.plan.may_repeat => _ = self.done(now),
            Outcome::ServerError { .. } if has_attempts_left => self.queue.push_front(turn),
            Outcome::ServerError { .. } => {}
            Outcome::Lost(_) => self.queue.extend(has_attempts_left.then_some(turn)),
        }
    }

    /// What the attempts say about health, at most one verdict for each instance that was tried: `true`, it
    /// answered below 500 last; `false`, its last attempt failed (5xx counts as a failure, as in the package).
    ///
    /// An attempt that the deadline cut to less than half of the attempt timeout, and that timed out, says nothing: the
    /// instance had no fair time, and impatient callers must not eject anyone. Nor does one for which this side lacked
    /// the means ([`Failure::Local`]): no instance had a part in it.
    #[must_use]
    pub fn verdicts(&self) -> &[(usize, bool)] {
        &self.verdicts
    }

    fn judge(&mut self, instance: usize, outcome: Outcome, limit: Duration) {
        if let Outcome::NotSent(failure) | Outcome::Lost(failure) = outcome {
            let had_fair_time = limit >= self.plan.attempt_timeout / 2;
            if !failure.is_of_the_instance() || (failure == Failure::Timeout && !had_fair_time) {
                return;
            }
        }
        let is_good = outcome == Outcome::Answered;
        match self.verdicts.iter_mut().find(|(judged, _)| *judged == instance) {
            Some((_, verdict)) => *verdict = is_good,
            None => self.verdicts.push((instance, is_good)),
        }
    }

    /// Brings the next turn to the front, and answers when it may be taken; none is left: nothing.
    fn ready(&mut self, now: Tick, random: u64) -> Option<Tick> {
        if let Some(ready) = self.queue.front()?.ready {
            return Some(ready);
        }
        // In turn, but for those who asked to be left alone: of these the first whose time comes.
        let next = (0..self.queue.len()).min_by_key(|&index| self.queue[index].asked_for.max(now))?;
        let mut turn = self.queue.remove(next)?;
        let jitter = match turn.attempts_made {
            0 => Duration::ZERO,
            n => full_jitter(self.plan.policy.retry_delay, n, random),
        };
        let ready = turn.asked_for.max(now).after(jitter);
        turn.ready = Some(ready);
        self.queue.push_front(turn);
        Some(ready)
    }

    /// Ends the call at `now` with what the last attempt gave.
    fn done(&mut self, now: Tick) -> Step {
        let is_late = now >= self.plan.deadline;
        let ending = match self.last {
            None if self.plan.order.is_empty() => Ending::NoInstance,
            None => Ending::DeadlineExceeded,
            Some(Outcome::Answered) => Ending::Answered,
            Some(Outcome::ServerError { .. }) => Ending::ServerError,
            Some(Outcome::NotSent(Failure::Timeout) | Outcome::Lost(Failure::Timeout)) if is_late => {
                Ending::DeadlineExceeded
            }
            Some(Outcome::NotSent(failure) | Outcome::Lost(failure)) => Ending::Failed(failure),
        };
        self.ending = Some(ending);
        Step::Done(ending)
    }
}
