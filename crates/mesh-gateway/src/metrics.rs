//! What the gateway counts: each worker in cells of its own, summed up when somebody asks.

mod cells;
mod collector;
mod duration;
mod refusals;
mod route;
mod rows;
mod sum;
mod worker;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use mesh_core::{name::ServiceName, route::table::Entry};

use crate::transport::Pool;
pub(crate) use cells::{Cells, Tally};
pub(crate) use collector::encode;
pub(crate) use worker::Worker;

/// Which route a figure belongs to.
type RouteKey = (ServiceName, String, String);

/// All figures of one gateway.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// The number of each route that was ever served.
    routes: Mutex<BTreeMap<RouteKey, usize>>,
    workers: Mutex<Workers>,
    store_is_down: AtomicBool,
}

/// Whose cells are summed up.
#[derive(Debug, Default)]
struct Workers {
    present: Vec<(Arc<Cells>, Arc<Pool>)>,
    /// What those counted that are gone.
    gone: Arc<Cells>,
}

impl Metrics {
    /// The number of a route; the same one for the same route of a later snapshot.
    pub(crate) fn route(&self, entry: &Entry) -> usize {
        let key =
            (entry.service.clone(), entry.route.method.as_str().to_owned(), entry.uri.as_str().to_owned());
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let next = routes.len();
        *routes.entry(key).or_insert(next)
    }

    /// Notes whether the store answered last.
    pub(crate) fn store_answers(&self, answers: bool) {
        self.store_is_down.store(!answers, Ordering::Relaxed);
    }

    /// Whether the store answered when it was last asked.
    pub(crate) fn store_is_up(&self) -> bool {
        !self.store_is_down.load(Ordering::Relaxed)
    }

    fn joined(&self, cells: &Arc<Cells>, pool: &Arc<Pool>) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.present.push((Arc::clone(cells), Arc::clone(pool)));
    }

    fn left(&self, cells: &Arc<Cells>) {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner).len();
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.gone.take_over(cells, routes);
        workers.present.retain(|(present, _)| !Arc::ptr_eq(present, cells));
    }

    /// Everybody's cells, and the pools of those who are present.
    fn all(&self) -> (Vec<Arc<Cells>>, Vec<Arc<Pool>>) {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut cells, pools): (Vec<_>, Vec<_>) = workers.present.iter().cloned().unzip();
        cells.push(Arc::clone(&workers.gone));
        (cells, pools)
    }

    fn routes(&self) -> Vec<(RouteKey, usize)> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.iter().map(|(key, number)| (key.clone(), *number)).collect()
    }
}
