//! What the gateway holds in memory: with connections that wait, with connections that are busy, with large bodies both ways.
//!
//! Each row is a gateway of its own with one worker. Its memory is read from /proc; the peak is the kernel's own (VmHWM).

mod bulk;
mod report;
mod streamed;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::gateway::{Further, Gateway, NAME, PLAIN, Routes};
use super::peer::Place;
use super::process::{Backend, Cores, Process, backend};
use super::proxy::Proxy;
use super::{procfs, publish};
use crate::load::Outcome;
use crate::{clock, output};
use bulk::Bulk;
use report::{MIB, MemoryDocument, Row};

/// The command, as the documents name it.
const COMMAND: &str = "memory";

/// Connections that wait, and connections that are busy.
const IDLE: u16 = 1000;
const BUSY: u16 = 512;

/// A body limit for the upload that is taken.
const LIMIT_MIB: u64 = 64;

/// What a service is told whose requests' bodies are passed on as they come, within an attempt's limit.
const STREAMED: &str = "protocol = \"http2\"\nrequest_bodies = \"streamed\"\ntimeout = 60\n";

/// What the run is told.
#[derive(Debug, clap::Args)]
pub(crate) struct MemoryArguments {
    /// The gateway's binary.
    #[arg(long, value_name = "FILE")]
    mesh: PathBuf,
    /// How it was built, for the report.
    #[arg(long, value_name = "WORDS", default_value = "as given")]
    built: String,
    /// How large large bodies are.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..))]
    mib: u64,
    /// How long connections are busy.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// The same numbers as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The table into performance.md of this folder, with the JSON beside it.
    #[arg(long, value_name = "FOLDER")]
    write: Option<PathBuf>,
}

/// Where gateways start.
struct Rows<'a> {
    cores: &'a Cores,
    folder: &'a std::path::Path,
    mesh: &'a std::path::Path,
    plain: &'a Backend,
    checking: &'a Backend,
    rows: Vec<Row>,
}

/// Measures, prints the table, and answers with the exit code: 0, 1 where a bound is exceeded, 2.
///
/// # Errors
///
/// When the run is void: something did not start, or an answer was wrong.
pub(crate) fn run_memory(arguments: &MemoryArguments) -> anyhow::Result<u8> {
    Duration::try_from_secs_f64(arguments.seconds).context("--seconds is no length of time")?;
    let Some(cores) = Cores::new(procfs::cores()?)? else {
        output::problem("mesh-bench: taskset and prlimit are missing: install Debian's package util-linux");
        return Ok(2);
    };
    let folder = tempfile::Builder::new().prefix("mesh-bench-").tempdir()?;
    let plain = backend(&cores, folder.path(), false)?;
    let checking = backend(&cores, folder.path(), true)?;
    let bulk = Bulk::start(arguments.mib * MIB)?;
    let (mesh, folder) = (arguments.mesh.as_path(), folder.path());
    let mut rows = Rows { cores: &cores, folder, mesh, plain: &plain, checking: &checking, rows: Vec::new() };

    let usual = Further::default();
    rows.add("started, with 10 routes", 16, usual, rows.plain.address, |_, _| Ok(()))?;
    rows.add("1,000 idle connections", 48, usual, rows.plain.address, |rows, gateway| {
        let mut hold = rows.cores.ourselves("hold")?;
        hold.args(["--target", &gateway.address().to_string(), "--path", PLAIN]);
        hold.args(["--connections", &IDLE.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut hold = Process::spawn(hold, rows.folder, "hold")?;
        let line = hold.first_line()?;
        ensure!(line.trim() == IDLE.to_string(), "void: {}", hold.said());
        Ok(hold)
    })?;
    rows.add("512 busy connections", 64, usual, rows.plain.address, |rows, gateway| {
        let mut load = rows.cores.ourselves("load")?;
        load.args(["--target", &gateway.address().to_string(), "--path", PLAIN]);
        load.args(["--connections", &BUSY.to_string(), "--seconds", &arguments.seconds.to_string()]);
        let output = load.output().context("cannot start the load")?;
        let outcome: Outcome =
            serde_json::from_slice(&output.stdout).context("the load printed no outcome")?;
        ensure!(outcome.errors == 0 && outcome.requests > 0, "void: {outcome:?}");
        Ok(())
    })?;
    let whole = arguments.mib;
    let name = format!("a download of {whole} MiB");
    rows.add(&name, 32, usual, bulk.address, |_, gateway| bulk::download(gateway.address(), whole * MIB))?;
    let name = format!("an upload of {whole} MiB, above the limit: refused with 413");
    rows.add(&name, 32, usual, bulk.address, |_, gateway| bulk::upload(gateway.address(), whole * MIB, 413))?;
    let name = format!("an upload of {LIMIT_MIB} MiB, where the limit is that: held once, to be signed");
    let limit = format!("body_limit = \"{LIMIT_MIB}MiB\"\n");
    let limited = Further { gateway: &limit, ..usual };
    rows.add(&name, 32 + LIMIT_MIB, limited, bulk.address, |_, gateway| {
        bulk::upload(gateway.address(), LIMIT_MIB * MIB, 200)
    })?;
    let name = format!("an upload of {whole} MiB, to a service whose bodies are streamed (HTTP/2)");
    let streamed = Further { service: STREAMED, ..usual };
    rows.add(&name, 32, streamed, streamed::start(whole * MIB)?, |_, gateway| {
        bulk::upload(gateway.address(), whole * MIB, 200)
    })?;

    let document = MemoryDocument {
        date: clock::date()?,
        machine: procfs::machine()?,
        built: arguments.built.clone(),
        rows: rows.rows,
    };
    let table = document.render();
    output::line(&table)?;
    let json = serde_json::to_string_pretty(&document)? + "\n";
    if let Some(file) = &arguments.json {
        fs::write(file, &json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(folder) = &arguments.write {
        publish::section(folder, COMMAND, &table, &json)?;
    }
    Ok(u8::from(!document.is_bounded()))
}

impl Rows<'_> {
    /// A gateway, what it goes through, and its memory meanwhile; what `happens` gives lasts until that was read.
    fn add<T>(
        &mut self,
        name: &str,
        bound_mib: u64,
        further: Further<'_>,
        plain: SocketAddr,
        happens: impl FnOnce(&Self, &Gateway) -> anyhow::Result<T>,
    ) -> anyhow::Result<()> {
        let Self { cores, folder, checking, .. } = *self;
        let place = Place { cores, folder, workers: 1, plain, checking: checking.address };
        let gateway = Gateway::start_with(&place, self.mesh, NAME, Routes::Few, &[], further)?;
        let process = gateway.process();
        procfs::forget_peak(process)?;
        let before_kib = procfs::rss_kib(process)?;
        let lasting = happens(self, &gateway).with_context(|| format!("void: {name}"))?;
        let row = Row {
            name: name.to_owned(),
            before_kib,
            peak_kib: procfs::peak_kib(process)?,
            after_kib: procfs::rss_kib(process)?,
            after_pss_kib: procfs::pss_kib(process)?,
            bound_mib,
        };
        drop(lasting);
        output::progress(&format!("memory: {name}: {} KiB at most", row.peak_kib));
        self.rows.push(row);
        Ok(())
    }
}
