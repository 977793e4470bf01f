//! A route as a request finds it.

use std::{ops::Deref, sync::Arc};

use mesh_core::route::table::Entry;

use super::{Held, RouteState, Snapshot};

/// What a route has of its own: eight of them are a line of a cache. With many routes each line is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranked {
    /// How it is served: a place among the snapshot's `states`.
    pub(super) state: u32,
    /// Its number in the metrics.
    pub(super) number: u32,
}

/// A route of a snapshot, which it keeps: for the time until a request is answered. What lasts as long as a body keeps
/// what it needs of it. Has what its [`RouteState`] has.
#[derive(Clone, Debug)]
pub(crate) struct RouteRef {
    snapshot: Arc<Held<Snapshot>>,
    rank: usize,
    ranked: Ranked,
}

impl RouteRef {
    /// The route of this rank, if there is one.
    pub(crate) fn of(snapshot: &Arc<Held<Snapshot>>, rank: usize) -> Option<Self> {
        let ranked = *snapshot.routes.get(rank)?;
        Some(Self { snapshot: Arc::clone(snapshot), rank, ranked })
    }

    /// The route as its manifest declares it and as the gateway serves it. A line or two of its own: the straight way
    /// does without.
    pub(crate) fn entry(&self) -> &Arc<Entry> {
        &self.snapshot.table.ranking()[self.rank]
    }

    /// Its number in the metrics.
    pub(crate) const fn number(&self) -> usize {
        self.ranked.number as usize
    }
}

impl Deref for RouteRef {
    type Target = RouteState;

    fn deref(&self) -> &RouteState {
        &self.snapshot.states[self.ranked.state as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_route_has_of_its_own_takes_eight_bytes() {
        assert_eq!(size_of::<Ranked>(), 8);
    }
}
