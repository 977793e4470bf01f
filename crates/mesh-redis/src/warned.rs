//! What was warned of already: a bad value is read again every second, and one line about it is enough.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

/// Beyond this many everything is forgotten, and warned of once more.
const MAX_REMEMBERED: usize = 1_024;

#[derive(Debug, Default)]
pub(crate) struct Warned(Mutex<HashSet<String>>);

impl Warned {
    /// Whether `of` was not warned of before.
    pub(crate) fn first(&self, of: &str) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(of) {
            return false;
        }
        if seen.len() >= MAX_REMEMBERED {
            seen.clear();
        }
        seen.insert(of.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_warned_of_once_and_memory_is_bounded() {
        let warned = Warned::default();
        assert!(warned.first("a"));
        assert!(!warned.first("a"));
        for n in 0..MAX_REMEMBERED {
            warned.first(&n.to_string());
        }
        assert!(warned.0.lock().unwrap().len() <= MAX_REMEMBERED);
        assert!(warned.first("a"));
    }
}
