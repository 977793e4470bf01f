//! Connections to instances that wait for their next request: the one used last goes first.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mesh_core::clock::{Clock, Tick};

use super::http2::Connections;
use crate::socket::Connection;

/// Shorter than the idle timeouts of common servers is not possible; shorter than most is enough, because a
/// connection that its server closed is seen as closed before it is used.
const IDLE_LIMIT: Duration = Duration::from_secs(30);
/// Idle connections that one worker keeps for one instance: as many as there are requests at once in all but the
/// largest crowds. Of a crowd that comes again those beyond it are opened anew each time.
const MOST_IDLE: usize = 1_024;

/// An instance that closes connections sooner than this after their last answer does so without regard to idleness.
const SOON: Duration = Duration::from_secs(1);
/// For so long after that, a request that may not be repeated gets a connection of its own.
const WARY: Duration = Duration::from_secs(10);
/// For so long after the last connection to it was opened, the figures of an instance are kept.
pub(super) const COUNTED: Duration = Duration::from_secs(3_600);

/// The connections of one worker: those with HTTP/1.1 that are idle, and all with HTTP/2.
#[derive(Debug)]
pub(crate) struct Pool {
    clock: Arc<dyn Clock>,
    pub(super) http2: Connections,
    instances: Mutex<BTreeMap<Arc<str>, Instance>>,
    /// Idle connections that are kept for one instance.
    most_idle: usize,
}

#[derive(Debug, Default)]
struct Instance {
    /// The one used last stands last.
    idle: VecDeque<Idle>,
    /// When it was last seen to have closed a connection that was just used, without having said so.
    closed_one: Option<Tick>,
    figures: PoolFigures,
    /// When a connection was opened last.
    opened_last: Tick,
}

/// What the metrics say of the connections to one instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PoolFigures {
    pub(crate) idle: i64,
    pub(crate) opened: u64,
    pub(crate) reused: u64,
}

#[derive(Debug)]
struct Idle {
    connection: Box<Connection>,
    since: Tick,
}

impl Idle {
    /// Whether it waited for as long as its instance or we let it.
    fn is_over(&self, now: Tick) -> bool {
        let limit = self.connection.idle_limit().map_or(IDLE_LIMIT, |limit| limit.min(IDLE_LIMIT));
        now.since(self.since) >= limit
    }
}

impl Pool {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, http2: Connections::default(), instances: Mutex::default(), most_idle: MOST_IDLE }
    }

    /// The connection to `origin` that was used last and is still open.
    pub(super) fn take(&self, origin: &str, now: Tick) -> Option<Box<Connection>> {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let instance = instances.get_mut(origin)?;
        while let Some(mut candidate) = instance.idle.pop_back() {
            let waited = now.since(candidate.since);
            if waited >= IDLE_LIMIT {
                instance.idle.clear();
                return None;
            }
            if candidate.is_over(now) {
                continue;
            }
            if candidate.connection.is_quiet() {
                instance.figures.reused += 1;
                return Some(candidate.connection);
            }
            if waited < SOON {
                instance.closed_one = Some(now);
            }
        }
        None
    }

    /// Like [`take`](Self::take), for a request that may not be repeated once it was written: only a connection that
    /// was just used, to an instance that is not known to close such ones.
    pub(super) fn take_steady(&self, origin: &str, now: Tick) -> Option<Box<Connection>> {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let instance = instances.get_mut(origin)?;
        let is_wary =
            |instance: &Instance| instance.closed_one.is_some_and(|closed| now.since(closed) < WARY);
        while !is_wary(instance) {
            let mut last = instance.idle.pop_back_if(|last| now.since(last.since) < SOON)?;
            if last.is_over(now) {
                continue;
            }
            if last.connection.is_surely_quiet() {
                instance.figures.reused += 1;
                return Some(last.connection);
            }
            instance.closed_one = Some(now);
        }
        None
    }

    /// A connection to `origin` was opened: it is now one of this pool.
    pub(super) fn opened(&self, origin: &str, connection: &mut Connection, now: Tick) {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = instances.entry(origin.into());
        connection.origin = Some(Arc::clone(entry.key()));
        let instance = entry.or_default();
        instance.figures.opened += 1;
        instance.opened_last = now;
    }

    /// The figures of each instance, by origin; those that speak both protocols twice.
    pub(crate) fn figures(&self) -> Vec<(Arc<str>, PoolFigures)> {
        let instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = |instance: &Instance| PoolFigures {
            idle: i64::try_from(instance.idle.len()).unwrap_or(i64::MAX),
            ..instance.figures
        };
        let http1 = instances.iter().map(|(origin, instance)| (Arc::clone(origin), figures(instance)));
        http1.chain(self.http2.figures()).collect()
    }

    /// A connection to `origin` turned out to be closed when it was to be used again.
    pub(super) fn was_closed(&self, origin: &str, now: Tick) {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        instances.entry(origin.into()).or_default().closed_one = Some(now);
    }

    /// Takes a connection back after its answer was read to the end.
    pub(super) fn take_back(&self, connection: Box<Connection>) {
        self.give_back(connection, self.clock.monotonic());
    }

    fn give_back(&self, connection: Box<Connection>, now: Tick) {
        let Some(origin) = &connection.origin else { return };
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let instance = match instances.get_mut(origin) {
            Some(instance) => instance,
            None => instances.entry(Arc::clone(origin)).or_default(),
        };
        if connection.idle_limit() == Some(Duration::ZERO) {
            return;
        }
        // The one that waited longest goes: it is of least use, and of none to a request that may not be repeated.
        if instance.idle.len() >= self.most_idle {
            instance.idle.pop_front();
        }
        instance.idle.push_back(Idle { connection, since: now });
    }

    /// Closes connections that waited too long, and takes the memory of those that wait. Called now and then, so that
    /// instances that are gone leave nothing.
    pub(crate) fn sweep(&self, now: Tick) {
        self.http2.sweep(now);
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        instances.retain(|_, instance| {
            instance.idle.retain_mut(|idle| !idle.is_over(now) && idle.connection.is_quiet());
            for idle in instance.idle.iter_mut().filter(|idle| now.since(idle.since) >= SOON) {
                idle.connection.rest();
            }
            let is_wary = instance.closed_one.is_some_and(|closed| now.since(closed) < WARY);
            !instance.idle.is_empty() || is_wary || now.since(instance.opened_last) < COUNTED
        });
    }
}
