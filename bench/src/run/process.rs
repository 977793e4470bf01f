//! Processes on cores of their own choice, which end with the run.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::procfs;
use crate::clock;

/// The secret of everything on this machine's loopback while the run lasts.
pub(super) const SECRET: &str = "a secret for the benchmark's own loopback";

/// How long anything may take to start.
pub(super) const START: Duration = Duration::from_secs(60);

/// Where Debian's packages and local builds put programs.
const FOLDERS: &[&str] = &["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// The program of this name, `None` when it is not installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}

/// A port of the loopback that was free a moment ago.
pub(super) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// More sockets than any case needs.
const FILES: u64 = 16384;

/// The cores that something runs on.
#[derive(Clone, Debug)]
pub(super) struct Cores {
    taskset: PathBuf,
    prlimit: PathBuf,
    numbers: Vec<u32>,
    files: u64,
}

impl Cores {
    /// By their numbers, through taskset; `None` when that is missing.
    ///
    /// # Errors
    ///
    /// When this process may not have enough open files.
    pub(super) fn new(numbers: Vec<u32>) -> anyhow::Result<Option<Self>> {
        let (Some(taskset), Some(prlimit)) = (find("taskset"), find("prlimit")) else { return Ok(None) };
        let files = procfs::most_files()?.min(FILES);
        ensure!(
            files >= 4096,
            "no more than {files} files may be open: raise the hard limit to 4096 or more"
        );
        Ok(Some(Self { taskset, prlimit, numbers, files }))
    }

    /// The same with other cores.
    pub(super) fn with(&self, numbers: Vec<u32>) -> Self {
        Self { numbers, ..self.clone() }
    }

    /// `program` on these cores and no other; prlimit and taskset become it, so that the process id is its own.
    pub(super) fn command(&self, program: &Path) -> Command {
        let numbers: Vec<_> = self.numbers.iter().map(u32::to_string).collect();
        let mut command = Command::new(&self.prlimit);
        command.arg(format!("--nofile={}:", self.files)).arg(&self.taskset).arg("-c").arg(numbers.join(","));
        command.arg(program).stdin(Stdio::null());
        command
    }

    /// This very binary in another role.
    pub(super) fn ourselves(&self, role: &str) -> anyhow::Result<Command> {
        let mut command = self.command(&std::env::current_exe()?);
        command.arg(role);
        Ok(command)
    }
}

/// A process that is killed when this value goes.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    name: &'static str,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, with stderr in a file of `folder`.
    pub(super) fn spawn(mut command: Command, folder: &Path, name: &'static str) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        command.stderr(File::create(&log)?);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, name, log })
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until something comes of `attempt`; that the process ends, or that nothing comes of it in [`START`], is an error.
    pub(super) fn wait_for<T>(&mut self, mut attempt: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
        let child = &mut self.child;
        let found = clock::wait_for(START, || match attempt() {
            Some(found) => Ok(Some(found)),
            None => match child.try_wait()? {
                Some(status) => bail!("ended with {status}"),
                None => Ok(None),
            },
        });
        match found {
            Ok(Some(found)) => Ok(found),
            Ok(None) => bail!("{} did not start within {} s:\n{}", self.name, START.as_secs(), self.said()),
            Err(error) => bail!("{} did not start: {error:#}:\n{}", self.name, self.said()),
        }
    }

    /// What it says first, on a stdout that is a pipe; empty when it says nothing.
    pub(super) fn first_line(&mut self) -> anyhow::Result<String> {
        let stdout = self.child.stdout.take().context("no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(line)
    }

    /// How it ended by itself within `cap`; `None`: it did not.
    pub(super) fn end_within(&mut self, cap: Duration) -> Option<ExitStatus> {
        clock::wait_for(cap, || Ok(self.child.try_wait()?)).ok().flatten()
    }

    /// Its stderr so far.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended before; then there is nothing to kill and its status is already known.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A backend, and where it listens.
#[derive(Debug)]
pub(super) struct Backend {
    _process: Process,
    /// Where.
    pub(super) address: SocketAddr,
}

/// Starts a backend, one that checks signatures or one that does not.
pub(super) fn backend(cores: &Cores, folder: &Path, check: bool) -> anyhow::Result<Backend> {
    let mut command = cores.ourselves("backend")?;
    command.args(["--listen", "127.0.0.1:0", "--secret", SECRET]);
    if check {
        command.arg("--check");
    }
    let name = if check { "checking backend" } else { "backend" };
    let (_process, address) = listening(command, folder, name)?;
    Ok(Backend { _process, address })
}

/// Starts a role of this binary that says where it listens.
pub(super) fn listening(
    mut command: Command,
    folder: &Path,
    name: &'static str,
) -> anyhow::Result<(Process, SocketAddr)> {
    command.stdout(Stdio::piped());
    let mut process = Process::spawn(command, folder, name)?;
    let line = process.first_line()?;
    let address = line.trim().parse();
    let address =
        address.with_context(|| format!("{name} did not say where it listens:\n{}", process.said()))?;
    Ok((process, address))
}
