//! The tools, Debian's valgrind and strace: how each is put around a process, and where it says what it counted.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::clock;
use crate::run::BenchPlace;

/// The gate of system calls.
pub(super) const SYSCALLS: &str = "syscalls_per_get";

/// How long after its process a tool may write its report.
const REPORT: Duration = Duration::from_secs(10);

/// One gate.
pub(super) struct Tool {
    /// As the file of numbers names it.
    pub(super) name: &'static str,
    /// The program, and its package's name.
    pub(super) program: &'static str,
    /// Its arguments; the last one takes the report's file.
    arguments: &'static [&'static str],
    /// What was counted, from its report; `None` when that is not whole yet.
    read: fn(&str) -> Option<u64>,
    /// Requests of the first and of the second count.
    pub(super) few: u64,
    pub(super) many: u64,
}

/// All of them.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "user_instructions_per_get",
        program: "valgrind",
        arguments: &["--tool=callgrind", "--quiet", "--callgrind-out-file="],
        read: callgrind,
        few: 200,
        many: 1200,
    },
    Tool {
        name: "allocations_per_get",
        program: "valgrind",
        arguments: &["--leak-check=no", "--undef-value-errors=no", "--log-file="],
        read: memcheck,
        few: 200,
        many: 1200,
    },
    // -D: strace is the child, so that the process id is the gateway's.
    Tool {
        name: SYSCALLS,
        program: "strace",
        arguments: &["-D", "-f", "-c", "--summary-columns=calls,name", "--output="],
        read: strace,
        few: 1000,
        many: 5000,
    },
];

/// What a tool counted over a whole process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    /// That were answered.
    pub(super) requests: u64,
    /// In the unit of the gate.
    pub(super) counted: u64,
}

impl Tool {
    /// A gateway from its start to its end, with so many requests between.
    pub(super) fn count(
        &self,
        place: &BenchPlace,
        program: &Path,
        connections: u16,
        requests: u64,
    ) -> anyhow::Result<Count> {
        let report = place.folder().join(format!("{}.{requests}", self.name));
        let mut through = vec![program.display().to_string()];
        through.extend(self.arguments.iter().map(|argument| (*argument).to_owned()));
        if let Some(last) = through.last_mut() {
            last.push_str(&report.display().to_string());
        }
        let requests = place.gateway_under(&through, connections, requests)?;
        let read = || Ok(fs::read_to_string(&report).ok().and_then(|text| (self.read)(&text)));
        let counted = clock::wait_for(REPORT, read)?;
        let counted =
            counted.with_context(|| format!("{} left no report in {}", self.program, report.display()))?;
        ensure!(counted > 0, "{} counted nothing", self.program);
        Ok(Count { requests, counted })
    }
}

/// The line `summary: 123`, or `totals: 123`.
fn callgrind(report: &str) -> Option<u64> {
    let line = report.lines().rev().find_map(|line| line.strip_prefix("totals:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The line `total heap usage: 1,234 allocs, ...`.
fn memcheck(report: &str) -> Option<u64> {
    let (_, rest) = report.split_once("total heap usage: ")?;
    rest.split(" allocs").next()?.replace(',', "").parse().ok()
}

/// The line `123 total`.
fn strace(report: &str) -> Option<u64> {
    report.lines().find_map(|line| line.trim().strip_suffix("total")?.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_and_halves_of_them_are_not() {
        assert_eq!(callgrind("fn=(1)\n1 2\n\ntotals: 4242\n"), Some(4242));
        assert_eq!(callgrind("fn=(1)\n1 2\n"), None);
        let heap =
            "==1== HEAP SUMMARY:\n==1==   total heap usage: 12,345 allocs, 12,000 frees, 9 bytes allocated\n";
        assert_eq!(memcheck(heap), Some(12345));
        assert_eq!(memcheck("==1== HEAP"), None);
        assert_eq!(
            strace("    calls syscall\n--------- ----\n       12 read\n--------- ----\n       42 total\n"),
            Some(42)
        );
        assert_eq!(strace("    calls syscall\n       12 read\n"), None);
    }
}
