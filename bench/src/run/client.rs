//! What a call costs a service that calls: `mesh-client` beside plain reqwest and hyper-util, before the same backend.

mod report;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::process::{Cores, SECRET, backend};
use super::{procfs, publish};
use crate::caller::{Contender, Outcome};
use crate::{clock, output};
use report::{ClientDocument, Turn};

/// The command, as the documents name it.
const COMMAND: &str = "client";

/// All of them; the order is reversed in every second round.
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
    let call = |place: &super::process::Backend,
                contender: Contender,
                rest: &[&str]|
     -> anyhow::Result<Outcome> {
        let mut call = cores.ourselves("call")?;
        let (_, word, name) =
            CONTENDERS.iter().find(|(other, ..)| *other == contender).context("no contender")?;
        call.args(["--by", word, "--target", &place.address.to_string(), "--path", super::gateway::PLAIN]);
        let output = call.args(["--secret", SECRET]).args(rest).output().context("cannot start a client")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "void: {name} ended with {}:\n{said}", output.status);
        let outcome: Outcome =
            serde_json::from_slice(&output.stdout).context("a client printed something else")?;
        ensure!(outcome.wrong == 0, "void: {} answers to {name} were wrong", outcome.wrong);
        Ok(outcome)
    };
    for (contender, ..) in CONTENDERS {
        call(&plain, contender, &["--seconds", "0", "--calls", "100"])?;
        call(&plain, contender, &["--seconds", "0", "--calls", "100", "--post", "1024"])?;
    }
    // Who signs, signs well.
    call(&checking, Contender::Mesh, &["--seconds", "0", "--calls", "100"])?;
    call(&checking, Contender::Mesh, &["--seconds", "0", "--calls", "100", "--post", "1024"])?;

    let mut rounds = Vec::new();
    for round in 0..arguments.rounds {
        let mut order = CONTENDERS;
        if round % 2 == 1 {
            order.reverse();
        }
        let turns = order.map(|(contender, _, name)| {
            let outcome = call(&plain, contender, &["--seconds", &arguments.seconds.to_string()])?;
            Ok(Turn::new(name, &outcome))
        });
        let turns = turns.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        let costs: Vec<_> =
            turns.iter().map(|turn| format!("{} {:.2} µs", turn.client, turn.cpu_us)).collect();
        output::progress(&format!(
            "client: round {} of {}: {}",
            round + 1,
            arguments.rounds,
            costs.join(", ")
        ));
        rounds.push(turns);
    }

    let (date, machine) = (clock::date()?, procfs::machine()?);
    let names = CONTENDERS.map(|(_, _, name)| name);
    let document = ClientDocument::new(date, machine, core, arguments.seconds, &names, rounds);
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
