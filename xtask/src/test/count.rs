//! Cargo's own test runner ends with the count of its last binary only: this adds them all up.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::output;
use crate::step::{self, Outcome};

/// The sum of the `test result:` lines of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Count {
    /// Adds a line of the runner's output; any other line adds nothing.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let counts = result.split_once(". ").map_or(result, |(_, counts)| counts);
        for part in counts.split("; ") {
            match part.split_once(' ').map(|(number, what)| (number.parse().unwrap_or(0), what)) {
                Some((number, "passed")) => self.passed += number,
                Some((number, "failed")) => self.failed += number,
                Some((number, "ignored" | "filtered out")) => self.skipped += number,
                _ => {}
            }
        }
    }

    /// The counting line, worded as nextest words it.
    fn line(self) -> String {
        let Self { passed, failed, skipped } = self;
        let failures = if failed == 0 { String::new() } else { format!("{failed} failed, ") };
        format!("Summary {} tests run: {passed} passed, {failures}{skipped} skipped", passed + failed)
    }
}

/// Runs `command`, passes its output on as it comes, and ends with the counting line.
pub(super) fn run(mut command: Command) -> anyhow::Result<Outcome> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot run cargo test")?;
    let stdout = child.stdout.take().context("cargo test has no output")?;
    let mut count = Count::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.context("cannot read the output of cargo test")?;
        let line = String::from_utf8_lossy(&line);
        count.add(&line);
        output::line(&line);
    }
    let status = child.wait().context("cannot wait for cargo test")?;
    output::line(&count.line());
    Ok(step::outcome_of(status.code()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_binaries_are_added_up() {
        let mut count = Count::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
        ] {
            count.add(line);
        }
        assert_eq!(count, Count { passed: 7, failed: 2, skipped: 3 });
        assert_eq!(count.line(), "Summary 9 tests run: 7 passed, 2 failed, 3 skipped");
    }

    #[test]
    fn a_run_without_failures_does_not_name_them() {
        let count = Count { passed: 12, failed: 0, skipped: 0 };
        assert_eq!(count.line(), "Summary 12 tests run: 12 passed, 0 skipped");
    }
}
