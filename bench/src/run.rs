//! The run: everything started on one core, checked, warmed, measured in turns, reported.

mod case;
mod chart;
mod check;
mod client;
mod document;
mod events;
mod gateway;
mod idle;
mod measure;
mod memory;
mod numbers;
mod patience;
mod peer;
mod place;
mod process;
mod procfs;
mod proxy;
mod publish;
mod rate;
mod report;
mod slices;
mod stand;
mod table;
mod targets;
mod train;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};

pub(crate) use client::{ClientArguments, run_clients};
pub(crate) use memory::{MemoryArguments, run_memory};
pub(crate) use place::{BenchPlace, bench_place};
pub(crate) use process::find;
pub(crate) use procfs::{machine, own_cpu_time};
pub(crate) use publish::section;
pub(crate) use table::table;
pub(crate) use train::{TrainArguments, run_training};

use crate::{clock, output};
use case::{CASES, CONSTANT_RATE, EVENTS, IDLE_MEMORY, Setting};
use document::{Document, Idle};
use events::EventReport;
use patience::Patience;
use peer::haproxy;
use peer::nginx::{self, Nginx};
use process::Cores;
use report::CaseReport;
use stand::{Binaries, Stand};

/// What the run is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The gateway's binary.
    #[arg(long, value_name = "FILE")]
    mesh: PathBuf,
    /// How it was built, for the report.
    #[arg(long, value_name = "WORDS", default_value = "as given")]
    built: String,
    /// The binary of another gateway, e.g. one built before a change: measured beside the gateway in every case but `events`.
    #[arg(long, value_name = "FILE")]
    beside: Option<PathBuf>,
    /// Only this case; may stand several times.
    #[arg(long = "case", value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(case::names()))]
    cases: Vec<String>,
    /// Rounds of each case, in each of which every proxy has its turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long a turn is.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// The core for everything; by default the first that this process may use. Two workers take the next one as well.
    #[arg(long, value_name = "NUMBER")]
    core: Option<u32>,
    /// Cases in which the machine was busy are measured again, in turn, while so many minutes since the start last; the last
    /// attempt counts.
    #[arg(long, value_name = "MINUTES", default_value_t = 0)]
    patience: u16,
    /// The same numbers as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The tables into performance.md of this folder, with a chart and the JSON beside it.
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
}

impl Arguments {
    fn wants(&self, case: &str) -> bool {
        self.cases.is_empty() || self.cases.iter().any(|name| name == case)
    }
}

/// Measures, prints the tables, and answers with the exit code: 0, 2, 3 or 4 (see the command's help).
///
/// # Errors
///
/// When the run is void: something did not start, or an answer was wrong.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let patience = Patience::of_minutes(arguments.patience);
    let turn = Duration::try_from_secs_f64(arguments.seconds).context("--seconds is no length of time")?;
    ensure!(turn >= Duration::from_millis(100), "--seconds below 0.1: a tick of the CPU's account is 0.01 s");
    let mut numbers = procfs::cores()?;
    if let Some(core) = arguments.core {
        numbers.retain(|number| *number != core);
        numbers.insert(0, core);
    }
    let Some(cores) = Cores::new(vec![numbers[0]])? else {
        output::problem("mesh-bench: taskset and prlimit are missing: install Debian's package util-linux");
        return Ok(2);
    };
    let folder = tempfile::Builder::new().prefix("mesh-bench-").tempdir()?;
    stand::make_readable(folder.path())?;
    let binaries = Binaries { mesh: &arguments.mesh, beside: arguments.beside.as_deref() };
    let start = |cores: &Cores, setting| Stand::start(cores, folder.path(), binaries, setting);

    let mut document = Document {
        date: clock::date()?,
        machine: procfs::machine()?,
        core: numbers[0],
        rounds: arguments.rounds,
        seconds: arguments.seconds,
        versions: vec![
            (nginx::NAME, Nginx::version()?),
            (haproxy::NAME, haproxy::version()?),
            (gateway::NAME, Some(arguments.built.clone())),
        ],
        mesh: Idle { rss_kib: 0, ready_ms: 0.0 },
        cases: Vec::new(),
        idle_memory: Vec::new(),
        events: None,
        constant_rate: Vec::new(),
    };

    // Before anything else: memory that a load has left would hide what connections need.
    if arguments.wants(IDLE_MEMORY) {
        let stand = start(&cores, Setting::OneWorker)?;
        document.mesh = stand.idle;
        document.idle_memory = idle::measure(&stand, folder.path())?;
    }
    let wanted: Vec<_> = [EVENTS]
        .into_iter()
        .chain(CASES.iter().map(|case| case.name))
        .filter(|name| arguments.wants(name))
        .collect();
    let attempt = |place: usize| {
        let Some(case) = CASES.iter().find(|case| case.name == wanted[place]) else {
            return Ok(Outcome::Events(events::measure(&cores, folder.path(), &arguments.mesh)?));
        };
        let expected = binaries.expected(case.setting);
        let cores = match case.setting {
            Setting::TwoWorkers if numbers.len() < 2 => {
                return Ok(Outcome::Case(CaseReport::new(case.name, &expected, Vec::new())));
            }
            Setting::TwoWorkers => cores.with(numbers[..2].to_vec()),
            Setting::OneWorker | Setting::ManyRoutes => cores.clone(),
        };
        let stand = || start(&cores, case.setting);
        let rounds = measure::rounds(stand, case, arguments.rounds, turn)?;
        Ok(Outcome::Case(CaseReport::new(case.name, &expected, rounds)))
    };
    let mut outcomes = (0..wanted.len()).map(attempt).collect::<anyhow::Result<Vec<_>>>()?;
    let verdict = |outcome: &Outcome| match outcome {
        Outcome::Case(report) => report.verdict,
        Outcome::Events(report) => report.verdict,
    };
    let times = patience.again(&wanted, &mut outcomes, attempt, verdict)?;
    for (outcome, again) in outcomes.into_iter().zip(times) {
        match outcome {
            Outcome::Case(mut report) => {
                report.attempts += again;
                document.cases.push(report);
            }
            Outcome::Events(mut report) => {
                report.attempts += again;
                document.events = Some(report);
            }
        }
    }
    if arguments.wants(CONSTANT_RATE) {
        let stand = start(&cores, Setting::OneWorker)?;
        document.constant_rate = rate::measure(&stand, &CASES[0], arguments.rounds, turn)?;
    }

    output::line(&table::render(&document))?;
    if let Some(file) = &arguments.json {
        fs::write(file, serde_json::to_string_pretty(&document)? + "\n")
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(folder) = &arguments.write {
        publish::write(&document, folder)?;
    }
    Ok(document.verdict().exit_code())
}

/// Of one of those that are measured again while the machine is busy.
enum Outcome {
    Case(CaseReport),
    Events(EventReport),
}
