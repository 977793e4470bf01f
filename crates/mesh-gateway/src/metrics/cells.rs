//! What one worker counts: cells of its own, so that no two cores write to one line of memory.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use mesh_client::driver::AttemptRecord;
use mesh_core::{
    error::Code, health::view::ServiceView, name::ServiceName, retry::Failure, service::BaseUrl,
};

use super::{refusals::Refusals, route::RouteCells, rows::Rows};

/// Which instance a figure belongs to.
pub(super) type InstanceKey = (ServiceName, String);

/// The kinds of an instance's failures, in the order of their counts.
pub(super) const KINDS: [&str; 8] =
    ["connect", "timeout", "reset", "truncated", "malformed", "protocol", "local", "status"];

/// What happened at clients' sockets, to bodies and to keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Tally {
    /// A client connected.
    Connected,
    /// A client's connection ended.
    Disconnected,
    /// A connection could not be accepted.
    AcceptFailed,
    /// An answer broke off while it was passed on.
    BodyBroke,
    /// An attempt's signature left the body out.
    BodyUnsigned,
    /// A request was answered from the idempotency store.
    Replayed,
    /// A line of the access log found no room.
    LineDropped,
}

/// How many tallies there are.
const TALLIES: usize = 7;

/// The figures of one worker. Whoever runs on several threads may share one: nothing is lost, only slower.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    routes: Rows<RouteCells>,
    refusals: Refusals,
    tallies: [AtomicU64; TALLIES],
    /// Taken by failures alone.
    failures: Mutex<BTreeMap<InstanceKey, [u64; KINDS.len()]>>,
}

impl Cells {
    /// The figures of the route with this number.
    pub(crate) fn route(&self, number: usize) -> Option<&RouteCells> {
        self.routes.get(number)
    }

    pub(super) fn known_route(&self, number: usize) -> Option<&RouteCells> {
        self.routes.known(number)
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, code: Code) {
        self.refusals.count(code);
    }

    pub(super) const fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Counts one of `what`.
    pub(crate) fn count(&self, what: Tally) {
        self.add(what, 1);
    }

    /// Counts `number` of `what`.
    pub(crate) fn add(&self, what: Tally, number: u64) {
        if let Some(tally) = self.tallies.get(what as usize) {
            tally.fetch_add(number, Ordering::Relaxed);
        }
    }

    pub(super) fn tally(&self, what: Tally) -> u64 {
        self.tallies.get(what as usize).map_or(0, |tally| tally.load(Ordering::Relaxed))
    }

    /// Counts the attempts of a call to a route with these figures, and the failures among them.
    pub(crate) fn attempted(
        &self,
        figures: Option<&RouteCells>,
        view: &ServiceView,
        attempts: &[AttemptRecord<&BaseUrl>],
    ) {
        if let Some(figures) = figures {
            figures.attempted(attempts.len(), different(attempts));
        }
        for attempt in attempts.iter().filter(|attempt| attempt.has_failed()) {
            self.failed(view.name(), attempt.url.as_str(), attempt.failure);
        }
    }

    /// Counts a failure of an instance; without a kind: a status of 500 and above.
    pub(crate) fn failed(&self, service: &ServiceName, url: &str, failure: Option<Failure>) {
        let kind = failure.map_or("status", Failure::as_str);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = failures.entry((service.clone(), url.to_owned())).or_default();
        if let Some(position) = KINDS.iter().position(|known| *known == kind) {
            counts[position] += 1;
        }
    }

    /// Adds the failures to those of others.
    pub(super) fn failures(&self, sum: &mut BTreeMap<InstanceKey, [u64; KINDS.len()]>) {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for (instance, counts) in failures.iter() {
            let sum = sum.entry(instance.clone()).or_default();
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    /// Takes over what a worker counted that is gone; `routes`: how many there are.
    pub(super) fn take_over(&self, gone: &Self, routes: usize) {
        for number in 0..routes {
            if let (Some(old), Some(new)) = (gone.known_route(number), self.route(number)) {
                new.take_over(old);
            }
        }
        self.refusals.take_over(&gone.refusals);
        for (new, old) in self.tallies.iter().zip(&gone.tallies) {
            new.fetch_add(old.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        gone.failures(&mut self.failures.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// How many instances the attempts went to.
fn different(attempts: &[AttemptRecord<&BaseUrl>]) -> usize {
    match attempts {
        [] | [_] => attempts.len(),
        _ => {
            let mut urls: Vec<_> = attempts.iter().map(|attempt| attempt.url).collect();
            urls.sort_unstable();
            urls.dedup();
            urls.len()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> ServiceName {
        ServiceName::parse("pim").unwrap()
    }

    #[test]
    fn what_a_worker_counted_outlives_it() {
        let (kept, gone) = (Cells::default(), Cells::default());
        gone.refused(Code::RouteNotFound);
        gone.add(Tally::Connected, 3);
        gone.failed(&name(), "http://h:1", Some(Failure::Reset));
        gone.failed(&name(), "http://h:1", None);
        gone.route(40).unwrap().attempted(3, 2);
        kept.failed(&name(), "http://h:1", None);
        kept.take_over(&gone, 41);
        assert_eq!(kept.tally(Tally::Connected), 3);
        assert_eq!(kept.known_route(40).unwrap().failovers(), 1);
        assert_eq!(kept.refusals().counted().collect::<Vec<_>>(), [(Code::RouteNotFound, 1)]);
        let mut failures = BTreeMap::new();
        kept.failures(&mut failures);
        assert_eq!(failures[&(name(), "http://h:1".to_owned())], [0, 0, 1, 0, 0, 0, 0, 2]);
    }

    #[test]
    fn every_failure_has_its_kind() {
        for failure in [
            Failure::Connect,
            Failure::Timeout,
            Failure::Reset,
            Failure::Truncated,
            Failure::Malformed,
            Failure::Protocol,
            Failure::Local,
        ] {
            assert!(KINDS.contains(&failure.as_str()), "{failure:?}");
        }
    }
}
