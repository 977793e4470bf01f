//! One proxy's turn in slices: the load keeps its connections while others have theirs.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::case::Case;
use super::measure::{self, Turn};
use super::process::Cores;
use super::procfs;
use super::proxy::Proxy;
use crate::load::{READY, RESTS};

/// A turn that has begun. Its load ends when this value goes: its stdin ends then.
#[derive(Debug)]
pub(super) struct Slices {
    proxy: &'static str,
    process: u32,
    load: Child,
    tell: ChildStdin,
    said: BufReader<ChildStdout>,
    used: Duration,
}

impl Slices {
    /// Starts the load of a case on a proxy, and waits until its connections stand.
    ///
    /// # Errors
    ///
    /// When the load does not start or does not reach the proxy.
    pub(super) fn begin(cores: &Cores, proxy: &dyn Proxy, case: &Case) -> anyhow::Result<Self> {
        let mut load = measure::load(cores, proxy, case)?;
        load.arg("--sliced").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut load = load.spawn().context("cannot start the load")?;
        let (tell, said) = load.stdin.take().zip(load.stdout.take()).context("the load has no pipes")?;
        let said = BufReader::new(said);
        let (name, process) = (proxy.name(), proxy.process());
        let mut slices = Self { proxy: name, process, load, tell, said, used: Duration::ZERO };
        slices.wait_for(READY)?;
        Ok(slices)
    }

    /// Sends for as long as `length`; the CPU time that the proxy uses meanwhile is the turn's.
    ///
    /// # Errors
    ///
    /// When the load has ended, or the proxy has.
    pub(super) fn slice(&mut self, length: Duration) -> anyhow::Result<()> {
        let before = procfs::cpu_time(self.process)?;
        writeln!(self.tell, "{}", length.as_secs_f64()).context("the load has ended")?;
        self.wait_for(RESTS)?;
        self.used += procfs::cpu_time(self.process)? - before;
        Ok(())
    }

    /// What came of all slices.
    ///
    /// # Errors
    ///
    /// When the load failed, or any answer was wrong: the turn, and the run with it, is void.
    pub(super) fn end(self) -> anyhow::Result<Turn> {
        let Self { proxy, mut load, tell, mut said, used, .. } = self;
        drop(tell);
        let mut outcome = Vec::new();
        said.read_to_end(&mut outcome)?;
        let status = load.wait()?;
        ensure!(status.success(), "void: the load on {proxy} ended with {status}");
        Turn::new(proxy, used, &outcome)
    }

    fn wait_for(&mut self, word: &str) -> anyhow::Result<()> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        ensure!(line.trim() == word, "void: the load on {} said {line:?} instead of {word:?}", self.proxy);
        Ok(())
    }
}
