//! Everything a request needs to know, immutable and replaced whole: one load per request.

mod build;
mod own;
mod route;
mod state;

use std::{collections::BTreeMap, sync::Arc};

use mesh_core::{
    clock::Tick,
    name::ServiceName,
    route::{Manifest, RouteTable, table::Entry},
};

use crate::{overrides::RouteService, reloadable::Reloadable};
pub(crate) use build::build;
pub(crate) use own::{Held, Latest, Own, Retired};
pub(crate) use route::{Ranked, RouteRef};
pub(crate) use state::{RouteState, ServiceState};

/// What the gateway serves at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The settings and keys that apply.
    pub(crate) reloadable: Arc<Reloadable>,
    /// Where requests go.
    pub(crate) table: RouteTable,
    /// The manifests that the table was built from, by service name.
    pub(crate) manifests: Vec<Arc<Manifest>>,
    /// What is known of each service that is configured or has a manifest.
    pub(crate) services: BTreeMap<ServiceName, Arc<ServiceState>>,
    /// Documents that are not served, and why.
    pub(crate) quarantined: BTreeMap<ServiceName, String>,
    /// Whether routes were ever loaded, from the store or from disk.
    pub(crate) ready: bool,
    /// When it was built.
    pub(crate) built: Tick,
    /// Overrides in code for routes that no manifest declares, in words.
    pub(crate) idle: Vec<String>,
    /// What is known of routes, by their rank in the table.
    pub(crate) routes: Vec<Ranked>,
    /// How they are served: routes that are served alike share one.
    pub(crate) states: Vec<RouteState>,
}

impl Snapshot {
    /// What stands in the way of requests, by route.
    pub(crate) fn stacks(&self) -> impl Iterator<Item = (&Entry, &RouteService)> {
        self.table.ranking().iter().zip(&self.routes).filter_map(|(entry, ranked)| {
            let state = self.states.get(ranked.state as usize)?;
            Some((&**entry, state.stack.as_ref()?))
        })
    }
}
