//! The run: everything started on one core, checked, warmed, measured in turns, reported.

mod case;
mod check;
mod document;
mod gateway;
mod measure;
mod nginx;
mod numbers;
mod process;
mod procfs;
mod proxy;
mod report;
mod table;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::output;
use case::CASES;
use document::{Document, Idle};
use gateway::Gateway;
use nginx::Nginx;
use process::{Core, backend, find};
use proxy::Proxy;
use report::{CaseReport, Verdict};

/// Long enough for a proxy to have its connections and its memory.
const WARM: Duration = Duration::from_secs(1);

/// What the run is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The gateway's binary.
    #[arg(long, value_name = "FILE")]
    mesh: PathBuf,
    /// Only this case.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(CASES.iter().map(|case| case.name)))]
    case: Option<String>,
    /// Rounds of each case, in each of which every proxy has its turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long a turn is.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// The core for everything; by default the first that this process may use.
    #[arg(long, value_name = "NUMBER")]
    core: Option<u32>,
    /// The same numbers as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures, prints the table, and answers with the exit code: 0, 2, 3 or 4 (see the command's help).
///
/// # Errors
///
/// When the run is void: something did not start, or an answer was wrong.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let Some(taskset) = find("taskset") else {
        output::problem("mesh-bench: taskset is missing: install Debian's package util-linux");
        return Ok(2);
    };
    let turn = Duration::try_from_secs_f64(arguments.seconds).context("--seconds is no length of time")?;
    ensure!(turn >= Duration::from_millis(100), "--seconds below 0.1: a tick of the CPU's account is 0.01 s");
    let core = Core::new(taskset, arguments.core.map_or_else(procfs::first_core, Ok)?);
    let folder = tempfile::Builder::new().prefix("mesh-bench-").tempdir()?;
    // Workers of nginx give up root, and must still reach their files.
    make_readable(folder.path())?;

    let plain = backend(&core, folder.path(), false)?;
    let checking = backend(&core, folder.path(), true)?;
    let gateway = Gateway::start(&core, folder.path(), &arguments.mesh, plain.address, checking.address)?;
    let nginx = Nginx::start(&core, folder.path(), plain.address)?;

    check::gateway(&gateway, checking.address).context("void: the check of correctness failed")?;
    let mut proxies: Vec<&dyn Proxy> = Vec::new();
    if let Some(nginx) = &nginx {
        check::passes_on(nginx.address(), gateway::PLAIN).context("void: nginx does not pass on")?;
        proxies.push(nginx);
    }
    proxies.push(&gateway);

    let mut cases = Vec::new();
    for case in CASES.iter().filter(|case| arguments.case.as_ref().is_none_or(|name| name == case.name)) {
        for proxy in &proxies {
            measure::turn(&core, *proxy, case, WARM.min(turn))?;
        }
        let rounds = measure::rounds(&core, &proxies, case, arguments.rounds, turn)?;
        cases.push(CaseReport::new(case.name, rounds));
    }

    let document = Document {
        core: core.number(),
        seconds: arguments.seconds,
        nginx: nginx.as_ref().map(|nginx| nginx.version.clone()),
        mesh: Idle { rss_kib: gateway.idle_rss_kib, ready_ms: gateway.ready.as_secs_f64() * 1e3 },
        cases,
    };
    output::line(&table::render(&document))?;
    if let Some(file) = &arguments.json {
        fs::write(file, serde_json::to_string_pretty(&document)? + "\n")
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(document.cases.iter().map(|case| case.verdict).max().unwrap_or(Verdict::Measured).exit_code())
}

fn make_readable(folder: &std::path::Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?)
}
