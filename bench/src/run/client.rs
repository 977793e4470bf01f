//! What a call costs a service that calls: `mesh-client` beside plain reqwest and hyper-util, before the same backend.

mod report;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::slice;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::patience::Patience;
use super::process::{Backend, Cores, SECRET, backend};
use super::slices::{Sliced, side_by_side};
use super::{procfs, publish};
use crate::caller::{Contender, Outcome};
use crate::{clock, output};
use report::{ClientDocument, Turn};

/// The command, as the documents name it.
const COMMAND: &str = "client";

/// All of them, with the words of the command line and of the report.
const CONTENDERS: [(Contender, &str, &str); 3] = [
    (Contender::Reqwest, "reqwest", report::REQWEST),
    (Contender::HyperUtil, "hyper-util", "hyper-util"),
    (Contender::Mesh, "mesh", report::MESH),
];

/// What the run is told.
#[derive(Debug, clap::Args)]
pub(crate) struct ClientArguments {
    /// Rounds, in each of which every client has its turn.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long a turn is.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// The run is made again in which the machine was busy, while so many minutes since the start last; the last attempt counts.
    #[arg(long, value_name = "MINUTES", default_value_t = 0)]
    patience: u16,
    /// The core for clients and backend; by default the first that this process may use.
    #[arg(long, value_name = "NUMBER")]
    core: Option<u32>,
    /// The same numbers as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The table into performance.md of this folder, with the JSON beside it.
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
}

/// Measures, prints the tables, and answers with the exit code: 0, 2 or 4 (see the command's help).
///
/// # Errors
///
/// When the run is void: something did not start, or an answer was wrong.
pub(crate) fn run_clients(arguments: &ClientArguments) -> anyhow::Result<u8> {
    let patience = Patience::of_minutes(arguments.patience);
    let turn = Duration::try_from_secs_f64(arguments.seconds).context("--seconds is no length of time")?;
    ensure!(turn >= Duration::from_millis(100), "--seconds below 0.1: a tick of the CPU's account is 0.01 s");
    let core = arguments.core.map_or_else(|| procfs::cores().map(|cores| cores[0]), Ok)?;
    let Some(cores) = Cores::new(vec![core])? else {
        output::problem("mesh-bench: taskset and prlimit are missing: install Debian's package util-linux");
        return Ok(2);
    };
    let folder = tempfile::Builder::new().prefix("mesh-bench-").tempdir()?;
    let plain = backend(&cores, folder.path(), false)?;
    let checking = backend(&cores, folder.path(), true)?;
    for (contender, ..) in CONTENDERS {
        call(&cores, &plain, contender, &[])?;
        call(&cores, &plain, contender, &["--post", "1024"])?;
    }
    // Who signs, signs well.
    call(&cores, &checking, Contender::Mesh, &[])?;
    call(&cores, &checking, Contender::Mesh, &["--post", "1024"])?;

    let attempt = |_| {
        let rounds = rounds(&cores, &plain, arguments.rounds, turn)?;
        let (date, machine) = (clock::date()?, procfs::machine()?);
        let names = CONTENDERS.map(|(_, _, name)| name);
        Ok(ClientDocument::new(date, machine, core, arguments.seconds, &names, rounds))
    };
    let mut document = attempt(0)?;
    let measured = slice::from_mut(&mut document);
    let times = patience.again(&[COMMAND], measured, attempt, |document| document.verdict)?;
    document.attempts += times.into_iter().sum::<u32>();
    let tables = document.render();
    output::line(&tables)?;
    let json = serde_json::to_string_pretty(&document)? + "\n";
    if let Some(file) = &arguments.json {
        fs::write(file, &json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(folder) = &arguments.write {
        publish::section(folder, COMMAND, &tables, &json)?;
    }
    Ok(document.verdict.exit_code())
}

/// All rounds: in each the clients' turns run side by side, cut into slices.
fn rounds(cores: &Cores, place: &Backend, number: u16, turn: Duration) -> anyhow::Result<Vec<Vec<Turn>>> {
    let mut rounds = Vec::new();
    for round in 0..number {
        let begun =
            CONTENDERS.map(|(contender, _, name)| Sliced::begin(name, command(cores, place, contender)?));
        let mut turns = begun.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        side_by_side(&mut turns, round, turn, Sliced::slice)?;
        let turns = turns.into_iter().map(|sliced| {
            let name = sliced.name;
            Ok(Turn::new(name, &outcome(name, &sliced.end()?)?))
        });
        let turns = turns.collect::<anyhow::Result<Vec<_>>>()?;
        let costs: Vec<_> =
            turns.iter().map(|turn| format!("{} {:.2} µs", turn.client, turn.cpu_us)).collect();
        output::progress(&format!("{COMMAND}: round {} of {number}: {}", round + 1, costs.join(", ")));
        rounds.push(turns);
    }
    Ok(rounds)
}

fn command(cores: &Cores, place: &Backend, contender: Contender) -> anyhow::Result<Command> {
    let (_, word, _) = named(contender)?;
    let mut call = cores.ourselves("call")?;
    call.args(["--by", word, "--target", &place.address.to_string(), "--path", super::gateway::PLAIN]);
    call.args(["--secret", SECRET]).stderr(Stdio::inherit());
    Ok(call)
}

/// A hundred calls, all of which must be good.
fn call(cores: &Cores, place: &Backend, contender: Contender, rest: &[&str]) -> anyhow::Result<()> {
    let (_, _, name) = named(contender)?;
    let mut call = command(cores, place, contender)?;
    let output = call.args(["--seconds", "0", "--calls", "100"]).args(rest).output();
    let output = output.with_context(|| format!("cannot start {name}"))?;
    ensure!(output.status.success(), "void: {name} ended with {}", output.status);
    outcome(name, &output.stdout).map(drop)
}

fn named(contender: Contender) -> anyhow::Result<(Contender, &'static str, &'static str)> {
    CONTENDERS.into_iter().find(|(other, ..)| *other == contender).context("no contender")
}

/// What a client printed, if all answers were good.
fn outcome(name: &str, said: &[u8]) -> anyhow::Result<Outcome> {
    let outcome: Outcome = serde_json::from_slice(said).context("a client printed something else")?;
    ensure!(outcome.wrong == 0, "void: {} answers to {name} were wrong", outcome.wrong);
    Ok(outcome)
}
