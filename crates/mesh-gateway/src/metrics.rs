//! What the gateway counts: in atomics that requests reach without a lock.

mod collector;
mod duration;
mod refusals;
mod route;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use mesh_core::{error::Code, name::ServiceName, route::table::Entry};

pub(crate) use collector::encode;
pub(crate) use route::RouteMetrics;

/// Which route a figure belongs to.
type RouteKey = (ServiceName, String, String);

/// All figures of one gateway.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    routes: Mutex<BTreeMap<RouteKey, Arc<RouteMetrics>>>,
    refusals: refusals::Refusals,
    store_is_down: AtomicBool,
    broken_bodies: AtomicU64,
    unsigned_bodies: AtomicU64,
}

impl Metrics {
    /// The figures of a route; the same ones for the same route of a later snapshot.
    pub(crate) fn route(&self, entry: &Entry) -> Arc<RouteMetrics> {
        let key =
            (entry.service.clone(), entry.route.method.as_str().to_owned(), entry.uri.as_str().to_owned());
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(routes.entry(key).or_default())
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, code: Code) {
        self.refusals.count(code);
    }

    /// Notes whether the store answered last.
    pub(crate) fn store_answers(&self, answers: bool) {
        self.store_is_down.store(!answers, Ordering::Relaxed);
    }

    /// Whether the store answered when it was last asked.
    pub(crate) fn store_is_up(&self) -> bool {
        !self.store_is_down.load(Ordering::Relaxed)
    }

    /// Counts an answer that broke off while it was passed on.
    pub(crate) fn body_broke(&self) {
        self.broken_bodies.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts attempts whose signature left a multipart body out.
    pub(crate) fn left_bodies_out(&self, attempts: usize) {
        self.unsigned_bodies.fetch_add(attempts as u64, Ordering::Relaxed);
    }

    fn unsigned_bodies(&self) -> u64 {
        self.unsigned_bodies.load(Ordering::Relaxed)
    }

    fn broken_bodies(&self) -> u64 {
        self.broken_bodies.load(Ordering::Relaxed)
    }

    fn routes(&self) -> Vec<(RouteKey, Arc<RouteMetrics>)> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.iter().map(|(key, metrics)| (key.clone(), Arc::clone(metrics))).collect()
    }
}
