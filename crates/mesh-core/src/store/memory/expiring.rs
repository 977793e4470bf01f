//! A map whose entries end at a tick: an ended entry is never seen, and is swept out by later writes.

use std::{collections::HashMap, hash::Hash, time::Duration};

use crate::clock::Tick;

/// No sweep is made before this many writes: a small map is cheaper left alone.
const MIN_WRITES_BETWEEN_SWEEPS: usize = 64;

/// Entries that end.
#[derive(Debug)]
pub(super) struct Expiring<K, V> {
    entries: HashMap<K, Entry<V>>,
    writes_until_sweep: usize,
    swept: Option<Tick>,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    ends: Tick,
}

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), writes_until_sweep: MIN_WRITES_BETWEEN_SWEEPS, swept: None }
    }
}

impl<K: Eq + Hash, V> Expiring<K, V> {
    /// The live entry and how long it still lives.
    pub(super) fn get(&self, key: &K, now: Tick) -> Option<(&V, Duration)> {
        let entry = self.entries.get(key)?;
        (now < entry.ends).then(|| (&entry.value, entry.ends.since(now)))
    }

    /// Stores an entry that ends `ttl` from now.
    pub(super) fn insert(&mut self, key: K, value: V, now: Tick, ttl: Duration) {
        self.sweep_now_and_then(now);
        self.entries.insert(key, Entry { value, ends: now.after(ttl) });
    }

    /// Lets a live entry end `ttl` from now; false when there is none that `is_it` recognizes.
    pub(super) fn renew(&mut self, key: &K, now: Tick, ttl: Duration, is_it: impl Fn(&V) -> bool) -> bool {
        match self.entries.get_mut(key) {
            Some(entry) if now < entry.ends && is_it(&entry.value) => {
                entry.ends = now.after(ttl);
                true
            }
            _ => false,
        }
    }

    /// Takes an entry out; the value only if it was live.
    pub(super) fn remove(&mut self, key: &K, now: Tick) -> Option<V> {
        self.entries.remove(key).filter(|entry| now < entry.ends).map(|entry| entry.value)
    }

    /// All live entries, in no order, and how long they still live.
    pub(super) fn iter(&self, now: Tick) -> impl Iterator<Item = (&K, &V, Duration)> {
        self.entries
            .iter()
            .filter(move |(_, entry)| now < entry.ends)
            .map(move |(key, entry)| (key, &entry.value, entry.ends.since(now)))
    }

    /// Takes out what has ended, unless that was done less than `pause` ago.
    pub(super) fn sweep(&mut self, now: Tick, pause: Duration) {
        if self.swept.is_none_or(|swept| now.since(swept) >= pause) {
            self.entries.retain(|_, entry| now < entry.ends);
            self.swept = Some(now);
        }
    }

    /// After a sweep, as many writes as entries were left go by before the next: constant cost per write, and never
    /// more than about twice the entries that were alive at a time.
    fn sweep_now_and_then(&mut self, now: Tick) {
        if self.writes_until_sweep == 0 {
            self.entries.retain(|_, entry| now < entry.ends);
            self.writes_until_sweep = self.entries.len().max(MIN_WRITES_BETWEEN_SWEEPS);
        }
        self.writes_until_sweep -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_nanos(10);

    #[test]
    fn an_entry_ends_exactly_after_its_ttl() {
        let mut map = Expiring::default();
        map.insert("a", 1, Tick(5), TTL);
        assert_eq!(map.get(&"a", Tick(14)), Some((&1, Duration::from_nanos(1))));
        assert_eq!(map.get(&"a", Tick(15)), None);
        assert_eq!(map.iter(Tick(15)).count(), 0);
        assert!(!map.renew(&"a", Tick(15), TTL, |_| true));
        assert_eq!(map.remove(&"a", Tick(15)), None);
    }

    #[test]
    fn a_renewed_entry_lives_on() {
        let mut map = Expiring::default();
        map.insert("a", 1, Tick(0), TTL);
        assert!(!map.renew(&"a", Tick(9), TTL, |value| *value == 2));
        assert!(map.renew(&"a", Tick(9), TTL, |value| *value == 1));
        assert_eq!(map.get(&"a", Tick(18)), Some((&1, Duration::from_nanos(1))));
    }

    #[test]
    fn ended_entries_do_not_pile_up() {
        let mut map = Expiring::default();
        for n in 0..10_000 {
            map.insert(n, (), Tick(n), TTL);
            assert!(map.entries.len() <= 2 * MIN_WRITES_BETWEEN_SWEEPS, "{}", map.entries.len());
        }
    }
}
