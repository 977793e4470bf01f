//! One counter for each code.

use std::sync::atomic::{AtomicU64, Ordering};

use mesh_core::error::Code;

/// Counters in the order of [`Code::ALL`].
#[derive(Debug)]
pub(super) struct Refusals(Vec<AtomicU64>);

impl Default for Refusals {
    fn default() -> Self {
        Self(Code::ALL.iter().map(|_| AtomicU64::new(0)).collect())
    }
}

impl Refusals {
    pub(super) fn count(&self, code: Code) {
        if let Some(counter) = self.0.get(code as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes over what another counted.
    pub(super) fn take_over(&self, gone: &Self) {
        for (new, old) in self.0.iter().zip(&gone.0) {
            new.fetch_add(old.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// Codes that were answered at least once, and how often.
    pub(super) fn counted(&self) -> impl Iterator<Item = (Code, u64)> + '_ {
        let counts = self.0.iter().map(|counter| counter.load(Ordering::Relaxed));
        Code::ALL.iter().copied().zip(counts).filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_its_place_among_all() {
        for (place, code) in Code::ALL.iter().enumerate() {
            assert_eq!(*code as usize, place, "{code}");
        }
    }

    #[test]
    fn only_what_happened_is_listed() {
        let refusals = Refusals::default();
        refusals.count(Code::RouteNotFound);
        refusals.count(Code::RouteNotFound);
        assert_eq!(refusals.counted().collect::<Vec<_>>(), [(Code::RouteNotFound, 2)]);
    }
}
