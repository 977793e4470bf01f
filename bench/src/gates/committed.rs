//! The committed numbers: a file in the repository, with the command that makes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::tool::SYSCALLS;

/// What may be had above a committed number before a gate fails.
const SLACK: f64 = 1.05;

/// The bound of system calls, whatever is committed: the four calls on sockets, and a part of a poll, which is smaller the more
/// events come together.
const MOST_SYSCALLS: f64 = 4.5;

/// By the name of a gate: the number for one GET.
pub(super) type Counts = BTreeMap<String, f64>;

/// The file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Committed {
    /// What makes it; for people.
    command: String,
    /// By the profile of the gateway's binary.
    pub(super) profiles: BTreeMap<String, Counts>,
}

/// What came of one gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Whether it holds.
    pub(super) holds: bool,
    /// For people.
    pub(super) text: String,
}

impl Committed {
    /// As it stands in the repository.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("cannot understand {}", file.display()))
    }

    /// Puts it back.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// Each number that was counted beside the committed one; one that was never committed does not hold.
pub(super) fn compare(counts: &Counts, committed: &Counts) -> Vec<Verdict> {
    let verdict = |(name, counted): (&String, &f64)| {
        let most = match committed.get(name) {
            Some(_) if name == SYSCALLS => MOST_SYSCALLS,
            Some(number) => number * SLACK,
            None => 0.0,
        };
        let holds = *counted <= most;
        let word = if holds { "holds" } else { "FAILED" };
        let number = committed.get(name).map_or("no number".to_owned(), f64::to_string);
        Verdict {
            holds,
            text: format!("gates: {name}: {counted}, committed {number}, at most {most:.2}: {word}"),
        }
    };
    counts.iter().map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, counted: f64, committed: f64, holds: bool) {
        let counts = |number| Counts::from([(name.to_owned(), number)]);
        assert_eq!(compare(&counts(counted), &counts(committed))[0].holds, holds);
    }

    #[test]
    fn a_number_may_fall_and_may_grow_by_5_percent() {
        check("a", 1.0, 100.0, true);
        check("a", 105.0, 100.0, true);
        check("a", 105.1, 100.0, false);
    }

    #[test]
    fn system_calls_have_a_bound_of_their_own() {
        check(SYSCALLS, 4.5, 4.0, true);
        check(SYSCALLS, 4.6, 4.6, false);
    }

    #[test]
    fn a_number_that_was_never_committed_does_not_hold() {
        assert!(!compare(&Counts::from([("a".to_owned(), 1.0)]), &Counts::new())[0].holds);
    }
}
