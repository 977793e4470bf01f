//! The gates: counts that are the same on every run, where times are not. What a GET costs the gateway in user instructions,
//! in system calls and in allocations, beside the numbers that were committed.
//!
//! Each is counted twice by a tool around the whole process, with few requests and with many: the difference is the requests'.

mod committed;
mod tool;

use std::path::PathBuf;

use anyhow::{Context, ensure};

use crate::output;
use crate::run::bench_place;
use committed::{Committed, Counts};
use tool::TOOLS;

/// What the gates are told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The gateway's binary.
    #[arg(long, value_name = "FILE")]
    mesh: PathBuf,
    /// The profile that it was built with: each has its own numbers.
    #[arg(long, value_name = "NAME")]
    profile: String,
    /// The file with the committed numbers.
    #[arg(long, value_name = "FILE")]
    numbers: PathBuf,
    /// Commit what is counted now.
    #[arg(long)]
    bless: bool,
}

/// Counts, says each number beside the committed one, and answers with 1 when one has grown too much, 2 without a tool.
///
/// # Errors
///
/// When the gateway does not run under a tool, or there is no committed number.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let mut committed = Committed::read(&arguments.numbers)?;
    let mut counts = Counts::new();
    let stand = bench_place(&arguments.mesh)?;
    for tool in TOOLS {
        let Some(program) = crate::run::find(tool.program) else {
            output::problem(&format!("mesh-bench: {0} is missing: apt-get install {0}", tool.program));
            return Ok(2);
        };
        let few = tool.count(&stand, &program, tool.few)?;
        let many = tool.count(&stand, &program, tool.many)?;
        ensure!(
            many.requests > few.requests,
            "{} requests were not more than {}",
            many.requests,
            few.requests
        );
        ensure!(many.counted > few.counted, "{}: {} counted none of the requests", tool.name, tool.program);
        let each = (many.counted as f64 - few.counted as f64) / (many.requests - few.requests) as f64;
        counts.insert(tool.name.to_owned(), (each * 100.0).round() / 100.0);
        output::progress(&format!("gates: {}: {each:.2} ({few:?}, {many:?})", tool.name));
    }
    if arguments.bless {
        committed.profiles.insert(arguments.profile.clone(), counts);
        committed.write(&arguments.numbers)?;
        output::line(&format!("gates: committed to {}", arguments.numbers.display()))?;
        return Ok(0);
    }
    let numbers = committed.profiles.get(&arguments.profile);
    let numbers =
        numbers.with_context(|| format!("no committed numbers of the profile {}", arguments.profile))?;
    let mut failed = false;
    for verdict in committed::compare(&counts, numbers) {
        failed |= !verdict.holds;
        output::line(&verdict.text)?;
    }
    Ok(u8::from(failed))
}
