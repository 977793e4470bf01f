//! The cases: what is sent, over how many connections, through what.

use crate::payload::{ANSWER, LARGE_LENGTH, LARGE_PATH};

use super::gateway::PLAIN;

/// The case without a load: what connections cost that do nothing.
pub(super) const IDLE_MEMORY: &str = "idle-memory";

/// The case of events that are streamed.
pub(super) const EVENTS: &str = "events";

/// The case of the open loop.
pub(super) const CONSTANT_RATE: &str = "constant-rate";

/// One of those with a closed loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// As `--case` knows it.
    pub(super) name: &'static str,
    /// Connections that the load keeps.
    pub(super) connections: u16,
    /// POST so many bytes; GET otherwise.
    pub(super) post: Option<usize>,
    /// What is asked for.
    pub(super) path: &'static str,
    /// The length of an answer's body.
    pub(super) answer: usize,
    /// What stands between load and backend.
    pub(super) setting: Setting,
}

/// What stands between load and backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// Every proxy with one worker, everything on one core.
    OneWorker,
    /// Every proxy with two workers; proxy, backend and load share two cores.
    TwoWorkers,
    /// One gateway with 10 routes and one with 1,000 of 50 services, on one core beside nginx; each route has its turn.
    ManyRoutes,
}

const GET: Case = Case {
    name: "get",
    connections: 64,
    post: None,
    path: PLAIN,
    answer: ANSWER.len(),
    setting: Setting::OneWorker,
};

/// All of them, in the order in which they run.
pub(super) const CASES: &[Case] = &[
    GET,
    Case { name: "post-1k", post: Some(1024), ..GET },
    Case { name: "answer-64k", path: LARGE_PATH, answer: LARGE_LENGTH, ..GET },
    Case { name: "get-512", connections: 512, ..GET },
    Case { name: "two-workers", setting: Setting::TwoWorkers, ..GET },
    Case { name: "routes", setting: Setting::ManyRoutes, ..GET },
];

/// Every name that `--case` takes.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    CASES.iter().map(|case| case.name).chain([IDLE_MEMORY, EVENTS, CONSTANT_RATE])
}
