//! How workers hold what is shared and replaced whole: each on its own, so that no two cores write to one counter for
//! each request.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::{ArcSwap, Guard};

/// What is shared and replaced whole.
#[derive(Debug)]
pub(crate) struct Latest<T> {
    value: ArcSwap<T>,
    /// How often it was replaced: once more after each time, so that who sees a number sees what it stands for, or what
    /// came later.
    replaced: AtomicU64,
}

/// The same as one worker holds it.
#[derive(Debug)]
pub(crate) struct Own<T>(ArcSwap<Held<T>>);

/// One worker's share of what all hold.
#[derive(Debug)]
pub(crate) struct Held<T> {
    value: Arc<T>,
    replaced: u64,
}

/// What was replaced, for as long as somebody uses it: requests shall not be who frees it.
#[derive(Debug)]
pub(crate) struct Retired<T>(Vec<Arc<T>>);

impl<T> Default for Retired<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Retired<T> {
    pub(crate) fn keep(&mut self, replaced: Arc<T>) {
        self.0.push(replaced);
    }

    /// Frees what nobody uses any more.
    pub(crate) fn let_go(&mut self) {
        self.0.retain(|retired| Arc::strong_count(retired) > 1);
    }
}

impl<T> Latest<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: ArcSwap::from_pointee(value), replaced: AtomicU64::new(0) }
    }

    pub(crate) fn load(&self) -> Guard<Arc<T>> {
        self.value.load()
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        self.value.store(value);
        self.replaced.fetch_add(1, Ordering::Release);
    }

    fn held(&self) -> Held<T> {
        let replaced = self.replaced.load(Ordering::Acquire);
        Held { value: self.value.load_full(), replaced }
    }
}

impl<T> Own<T> {
    pub(crate) fn new(latest: &Latest<T>) -> Self {
        Self(ArcSwap::from_pointee(latest.held()))
    }

    /// What `latest` holds now.
    pub(crate) fn load(&self, latest: &Latest<T>) -> Guard<Arc<Held<T>>> {
        let own = self.0.load();
        if own.replaced == latest.replaced.load(Ordering::Acquire) {
            return own;
        }
        self.0.store(Arc::new(latest.held()));
        self.0.load()
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_replaced_is_kept_while_it_is_used_and_freed_by_its_keeper() {
        let (used, unused) = (Arc::new(1), Arc::new(2));
        let freed = [&used, &unused].map(Arc::downgrade);
        let mut retired = Retired::default();
        retired.keep(Arc::clone(&used));
        retired.keep(unused);
        retired.let_go();
        assert_eq!([freed[0].upgrade().is_some(), freed[1].upgrade().is_some()], [true, false]);
        drop(used);
        assert!(freed[0].upgrade().is_some(), "not by who used it");
        retired.let_go();
        assert!(freed[0].upgrade().is_none());
    }

    #[test]
    fn a_worker_sees_what_was_stored_last_and_keeps_what_it_uses() {
        let latest = Latest::new(1);
        let own = Own::new(&latest);
        let first = Arc::clone(&own.load(&latest));
        assert!(Arc::ptr_eq(&first, &own.load(&latest)), "nothing is made anew");
        latest.store(Arc::new(2));
        assert_eq!((***own.load(&latest), **first), (2, 1));
        let counts = (Arc::strong_count(&first), Arc::strong_count(&first.value));
        assert_eq!(counts, (1, 1), "only who used it keeps it");
    }
}
