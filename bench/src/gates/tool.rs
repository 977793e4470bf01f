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

/// What the gateway's allocator, mimalloc, is asked through.
const ALLOCATOR: &[&str] = &["mi_malloc_aligned", "mi_zalloc_aligned", "mi_realloc_aligned"];

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
    /// Of the load: enough for events to come together, and not so many that a slow gateway's requests pass their limits.
    connections: u16,
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
        connections: 16,
        few: 200,
        many: 1200,
    },
    Tool {
        name: "allocations_per_get",
        program: "valgrind",
        arguments: &["--tool=callgrind", "--quiet", "--compress-strings=no", "--callgrind-out-file="],
        read: allocations,
        connections: 16,
        few: 200,
        many: 1200,
    },
    // -D: strace is the child, so that the process id is the gateway's.
    Tool {
        name: SYSCALLS,
        program: "strace",
        arguments: &["-D", "-f", "-c", "--summary-columns=calls,name", "--output="],
        read: strace,
        connections: 64,
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
    pub(super) fn count(&self, place: &BenchPlace, program: &Path, requests: u64) -> anyhow::Result<Count> {
        let report = place.folder().join(format!("{}.{requests}", self.name));
        let mut through = vec![program.display().to_string()];
        through.extend(self.arguments.iter().map(|argument| (*argument).to_owned()));
        if let Some(last) = through.last_mut() {
            last.push_str(&report.display().to_string());
        }
        let requests = place.gateway_under(&through, self.connections, requests)?;
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

/// The calls of the allocator, from anywhere: a line `cfn=NAME` and behind it one `calls=123 ...`.
fn allocations(report: &str) -> Option<u64> {
    callgrind(report)?;
    let mut is_allocator = false;
    let mut sum = 0;
    for line in report.lines() {
        if let Some(name) = line.strip_prefix("cfn=") {
            is_allocator = ALLOCATOR.contains(&name);
        } else if let Some(calls) = line.strip_prefix("calls=").filter(|_| is_allocator) {
            sum += calls.split(' ').next()?.parse::<u64>().ok()?;
        }
    }
    Some(sum)
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
        let calls = "fn=a\ncfn=mi_malloc_aligned\ncalls=40 7\n1 9\ncfn=b\ncalls=5 7\ncfn=mi_realloc_aligned\ncalls=2 7\n";
        assert_eq!(allocations(&format!("{calls}totals: 9\n")), Some(42));
        assert_eq!(allocations(calls), None);
        assert_eq!(strace("    calls syscall\n       12 read\n"), None);
    }
}
