//! Where the gateway's instructions go: what a GET costs in each crate, as callgrind counts it, and in the kernel, as the
//! clock says.
//!
//! Counted as the gates are: twice over a whole process, with few requests and with many; the difference is the requests'.

mod callgrind;
mod origin;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Serialize;

use crate::run::{BenchPlace, bench_place, machine, section, table};
use crate::{clock, output};
use callgrind::Costs;

/// The command, as the documents name it.
const COMMAND: &str = "profile";

/// Of the load.
const CONNECTIONS: u16 = 16;
const FEW: u64 = 200;
const MANY: u64 = 2200;

/// How long after its process valgrind may write its report.
const REPORT: Duration = Duration::from_secs(10);

/// What costs less than this part of the whole is one row together.
const SMALL: f64 = 0.005;

/// What the profile is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The gateway's binary: with line tables, code that was inlined counts for the crate that it was written in.
    #[arg(long, value_name = "FILE")]
    mesh: PathBuf,
    /// The profile that it was built with, for the report.
    #[arg(long, value_name = "NAME")]
    profile: String,
    /// How long the load lasts that tells user from system time.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// The same numbers as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The table into performance.md of this folder, with the JSON beside it.
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
}

/// What was counted.
#[derive(Debug, Serialize)]
struct ProfileDocument {
    date: String,
    machine: String,
    profile: String,
    /// User instructions of a GET.
    instructions: f64,
    /// The greatest first.
    crates: Vec<Share>,
    /// CPU time of a GET without valgrind, in microseconds.
    user_us: f64,
    system_us: f64,
}

#[derive(Debug, Serialize)]
struct Share {
    name: String,
    instructions: f64,
}

/// Counts, prints the table, and answers with the exit code: 0, or 2 without valgrind.
///
/// # Errors
///
/// When the gateway does not run under valgrind, or an answer was wrong.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let Some(valgrind) = crate::run::find("valgrind") else {
        output::problem("mesh-bench: valgrind is missing: apt-get install valgrind");
        return Ok(2);
    };
    let place = bench_place(&arguments.mesh)?;
    let (few, few_costs) = count(&place, &valgrind, FEW)?;
    let (many, many_costs) = count(&place, &valgrind, MANY)?;
    ensure!(many > few, "{many} requests were not more than {few}");
    let requests = (many - few) as f64;
    let (user_us, system_us) = place.gateway_times(CONNECTIONS, arguments.seconds)?;
    let crates = shares(&few_costs, &many_costs, requests);
    let document = ProfileDocument {
        date: clock::date()?,
        machine: machine()?,
        profile: arguments.profile.clone(),
        instructions: crates.iter().map(|share| share.instructions).sum(),
        crates,
        user_us,
        system_us,
    };
    let text = document.render();
    output::line(&text)?;
    let json = serde_json::to_string_pretty(&document)? + "\n";
    if let Some(file) = &arguments.json {
        fs::write(file, &json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(folder) = &arguments.write {
        section(folder, COMMAND, &text, &json)?;
    }
    Ok(0)
}

/// A gateway under callgrind from its start to its end: how many requests it answered, and what was spent where.
fn count(place: &BenchPlace, valgrind: &Path, requests: u64) -> anyhow::Result<(u64, Costs)> {
    let report = place.folder().join(format!("profile.{requests}"));
    let out = format!("--callgrind-out-file={}", report.display());
    let flags = ["--tool=callgrind", "--quiet", "--compress-strings=no", "--compress-pos=no", &out];
    let through: Vec<_> =
        [valgrind.display().to_string()].into_iter().chain(flags.map(str::to_owned)).collect();
    let answered = place.gateway_under(&through, CONNECTIONS, requests)?;
    let read = || Ok(fs::read_to_string(&report).ok().and_then(|text| callgrind::costs(&text)));
    let costs = clock::wait_for(REPORT, read)?;
    Ok((answered, costs.with_context(|| format!("valgrind left no report in {}", report.display()))?))
}

/// What each crate costs a request, the greatest first. Start and end of the process cost the same both times.
fn shares(few: &Costs, many: &Costs, requests: f64) -> Vec<Share> {
    let each = |(name, cost): (&String, &u64)| {
        let more = *cost as f64 - few.get(name).copied().unwrap_or_default() as f64;
        (name.clone(), more / requests)
    };
    let all: BTreeMap<String, f64> = many.iter().map(each).collect();
    let whole: f64 = all.values().sum();
    let (large, small): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, cost)| *cost >= whole * SMALL);
    let mut shares: Vec<_> =
        large.into_iter().map(|(name, instructions)| Share { name, instructions }).collect();
    shares.sort_by(|a, b| b.instructions.total_cmp(&a.instructions));
    shares.push(Share {
        name: "all others".to_owned(),
        instructions: small.iter().map(|(_, cost)| cost).sum(),
    });
    shares
}

impl ProfileDocument {
    fn render(&self) -> String {
        let mut rows = table(&["crate", "share", "instructions a GET"]);
        for share in &self.crates {
            let part = share.instructions / self.instructions * 100.0;
            rows.add_row([share.name.clone(), format!("{part:.1} %"), format!("{:.0}", share.instructions)]);
        }
        let whole = format!("{:.0}", self.instructions);
        rows.add_row(["all user code".to_owned(), "100 %".to_owned(), whole]);
        let Self { date, machine, profile, user_us, system_us, .. } = self;
        let kernel = system_us / (user_us + system_us) * 100.0;
        format!(
            "{date}; {machine}; profile {profile}.\n\n{rows}\n\nWithout valgrind: {user_us:.2} µs of user and \
             {system_us:.2} µs of system time a GET; the kernel has {kernel:.0} %."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(costs: &[(&str, u64)]) -> Costs {
        costs.iter().map(|(name, cost)| ((*name).to_owned(), *cost)).collect()
    }

    #[test]
    fn what_both_counts_have_is_no_requests_cost_and_what_is_small_is_one_row() {
        let few = costs(&[("hyper", 1_000), ("toml", 90_000)]);
        let many = costs(&[("hyper", 101_000), ("toml", 90_000), ("ring", 300_000), ("tiny", 100)]);
        let shares = shares(&few, &many, 100.0);
        let found: Vec<_> = shares.iter().map(|share| (share.name.as_str(), share.instructions)).collect();
        assert_eq!(found, [("ring", 3_000.0), ("hyper", 1_000.0), ("all others", 1.0)]);
    }
}
