//! A place for counting: backends, and a gateway under a tool for as long as one load lasts.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::gateway::{Gateway, PLAIN, Routes};
use super::peer::Place;
use super::process::{Backend, Cores, backend};
use super::procfs;
use super::proxy::Proxy;
use crate::load::Outcome;

/// What stands there all the time.
#[derive(Debug)]
pub(crate) struct BenchPlace {
    cores: Cores,
    folder: tempfile::TempDir,
    mesh: PathBuf,
    plain: Backend,
    checking: Backend,
}

/// Starts the backends.
///
/// # Errors
///
/// When they do not start, or taskset is missing.
pub(crate) fn bench_place(mesh: &Path) -> anyhow::Result<BenchPlace> {
    let folder = tempfile::Builder::new().prefix("mesh-bench-").tempdir()?;
    let cores =
        Cores::new(procfs::cores()?)?.context("taskset and prlimit are missing: install util-linux")?;
    let plain = backend(&cores, folder.path(), false)?;
    let checking = backend(&cores, folder.path(), true)?;
    Ok(BenchPlace { cores, folder, mesh: mesh.to_owned(), plain, checking })
}

impl BenchPlace {
    /// For the files of the tools.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What a gateway with one worker on `cores` is told.
    fn place<'a>(&'a self, cores: &'a Cores) -> Place<'a> {
        let (plain, checking) = (self.plain.address, self.checking.address);
        Place { cores, folder: self.folder.path(), workers: 1, plain, checking }
    }

    /// Starts the gateway with every route, and where it runs.
    pub(super) fn gateway_with_all_routes(&self) -> anyhow::Result<(Gateway, &Cores)> {
        let gateway = Gateway::start(&self.place(&self.cores), &self.mesh, Routes::Many, &[])?;
        Ok((gateway, &self.cores))
    }

    /// Starts the gateway under a tool, sends at least so many GETs, asks it to end; answers with how many were answered.
    pub(crate) fn gateway_under(
        &self,
        through: &[String],
        connections: u16,
        requests: u64,
    ) -> anyhow::Result<u64> {
        let gateway = Gateway::start(&self.place(&self.cores), &self.mesh, Routes::Few, through)?;
        let mut load = self.cores.ourselves("load")?;
        load.args(["--target", &gateway.address().to_string(), "--path", PLAIN, "--seconds", "0"]);
        load.args(["--connections", &connections.to_string(), "--requests", &requests.to_string()]);
        let output = load.output().context("cannot start the load")?;
        let outcome: Outcome =
            serde_json::from_slice(&output.stdout).context("the load printed something else")?;
        ensure!(outcome.errors == 0, "void: {outcome:?}");
        gateway.stop()?;
        Ok(outcome.requests)
    }

    /// What a GET costs the gateway in user and in system time, in microseconds, over one load of so many seconds on one core.
    pub(crate) fn gateway_times(&self, connections: u16, seconds: f64) -> anyhow::Result<(f64, f64)> {
        let cores = self.cores.with(procfs::cores()?.into_iter().take(1).collect());
        let gateway = Gateway::start(&self.place(&cores), &self.mesh, Routes::Few, &[])?;
        let run = |seconds: f64| -> anyhow::Result<Outcome> {
            let mut load = cores.ourselves("load")?;
            load.args(["--target", &gateway.address().to_string(), "--path", PLAIN]);
            load.args(["--connections", &connections.to_string(), "--seconds", &seconds.to_string()]);
            let output = load.output().context("cannot start the load")?;
            let outcome: Outcome =
                serde_json::from_slice(&output.stdout).context("the load printed something else")?;
            ensure!(outcome.errors == 0 && outcome.requests > 0, "void: {outcome:?}");
            Ok(outcome)
        };
        run(seconds.min(1.0))?;
        let before = procfs::user_and_system(gateway.process())?;
        let requests = run(seconds)?.requests as f64;
        let after = procfs::user_and_system(gateway.process())?;
        let each = |used: std::time::Duration| used.as_secs_f64() * 1e6 / requests;
        Ok((each(after.0 - before.0), each(after.1 - before.1)))
    }
}
