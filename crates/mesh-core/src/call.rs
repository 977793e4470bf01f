//! One call as a machine without hands: it says what to do next, and is told what came of it.
//!
//! Refuses to know time, chance, sockets and statuses: all are arguments.

use std::{collections::VecDeque, time::Duration};

use crate::{
    clock::Tick,
    retry::{Failure, Outcome, RetryPolicy},
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
    /// The deadline passed before an attempt could be made or repeated.
    DeadlineExceeded,
    /// There was no instance to try.
    NoInstance,
}

/// The machine of one call.
#[derive(Debug)]
pub struct Call {
    plan: CallPlan,
    queue: VecDeque<Turn>,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    instance: usize,
    attempts_made: u32,
}

impl Call {
    /// A call that has not begun.
    #[must_use]
    pub fn new(plan: CallPlan) -> Self {
        let _ = plan;
        todo!()
    }

    /// What to do at `now`. `random`, uniform over `u64`, is used when the answer is a wait.
    pub fn next(&mut self, now: Tick, random: u64) -> Step {
        let _ = (now, random, &self.plan, &self.queue);
        todo!()
    }

    /// Tells what came of the last attempt, which ended at `now`.
    pub fn on_outcome(&mut self, outcome: Outcome, now: Tick) {
        let _ = (outcome, now);
        todo!()
    }

    /// What the attempts say about health, at most one verdict for each instance that was tried: `true`, it
    /// answered below 500 last; `false`, its last attempt failed (5xx counts as a failure, as in the package).
    #[must_use]
    pub fn verdicts(&self) -> Vec<(usize, bool)> {
        todo!()
    }
}
