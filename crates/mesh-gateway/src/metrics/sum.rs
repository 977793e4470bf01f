//! The figures of all workers at one moment.

use std::{collections::BTreeMap, sync::Arc};

use mesh_core::error::Code;

use super::{
    Cells, Metrics, RouteKey, Tally,
    cells::{InstanceKey, KINDS},
    route::RouteSum,
};
use crate::transport::{Pool, PoolFigures};

/// What was counted so far.
pub(super) struct Sum {
    cells: Vec<Arc<Cells>>,
    /// Routes that somebody asked for, in the order of their names.
    pub(super) routes: Vec<(RouteKey, RouteSum)>,
    /// Failures of instances, in the order of [`KINDS`].
    pub(super) failures: BTreeMap<InstanceKey, [u64; KINDS.len()]>,
    /// Connections to instances, by origin.
    pub(super) pools: BTreeMap<Arc<str>, PoolFigures>,
}

impl Sum {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let (cells, pools) = metrics.all();
        let routes = metrics.routes().into_iter().filter_map(|(key, number)| {
            let mut sum = RouteSum::default();
            cells
                .iter()
                .filter_map(|cells| cells.known_route(number))
                .for_each(|route| route.add_to(&mut sum));
            sum.is_asked().then_some((key, sum))
        });
        let routes = routes.collect();
        let mut failures = BTreeMap::new();
        cells.iter().for_each(|cells| cells.failures(&mut failures));
        Self { routes, failures, pools: summed(&pools), cells }
    }

    pub(super) fn tally(&self, what: Tally) -> u64 {
        self.cells.iter().map(|cells| cells.tally(what)).sum()
    }

    /// Codes that were answered at least once, and how often.
    pub(super) fn refusals(&self) -> Vec<(Code, u64)> {
        let mut sums = BTreeMap::new();
        for (code, count) in self.cells.iter().flat_map(|cells| cells.refusals().counted()) {
            *sums.entry(code as usize).or_insert(0) += count;
        }
        Code::ALL.iter().filter_map(|code| Some((*code, *sums.get(&(*code as usize))?))).collect()
    }
}

fn summed(pools: &[Arc<Pool>]) -> BTreeMap<Arc<str>, PoolFigures> {
    let mut sums = BTreeMap::<_, PoolFigures>::new();
    for (origin, figures) in pools.iter().flat_map(|pool| pool.figures()) {
        let sum = sums.entry(origin).or_default();
        sum.idle += figures.idle;
        sum.opened += figures.opened;
        sum.reused += figures.reused;
    }
    sums
}
