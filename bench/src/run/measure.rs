//! Turns under load, in rounds.
//!
//! In a round the proxies' turns run side by side, cut into slices: what else a machine does for a second or two then falls on
//! all of them. A turn by itself would have its neighbours' noise, and a ratio of two of them twice that.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Serialize;

use super::case::{Case, Setting};
use super::process::Cores;
use super::procfs;
use super::proxy::Proxy;
use super::slices::{Sliced, side_by_side};
use super::stand::Stand;
use crate::load::Outcome;
use crate::output;

/// Long enough for a proxy to have its connections and its memory.
const WARM: Duration = Duration::from_millis(500);

/// What one proxy did in one turn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Turn {
    /// Whose turn it was.
    pub(super) proxy: &'static str,
    /// CPU time of its processes for each request, in microseconds: the figure.
    pub(super) cpu_us: f64,
    /// As information.
    pub(super) requests_per_second: f64,
    /// As information.
    pub(super) p50_us: u32,
    /// As information.
    pub(super) p99_us: u32,
}

/// A proxy's turn that has begun.
#[derive(Debug)]
struct UnderLoad {
    process: u32,
    load: Sliced,
    used: Duration,
}

impl UnderLoad {
    fn begin(cores: &Cores, proxy: &dyn Proxy, case: &Case) -> anyhow::Result<Self> {
        let load = Sliced::begin(proxy.name(), load(cores, proxy, case)?)?;
        Ok(Self { process: proxy.process(), load, used: Duration::ZERO })
    }

    /// The CPU time that the proxy uses meanwhile is the turn's.
    fn slice(&mut self, length: Duration) -> anyhow::Result<()> {
        let before = procfs::cpu_time(self.process)?;
        self.load.slice(length)?;
        self.used += procfs::cpu_time(self.process)? - before;
        Ok(())
    }

    fn end(self) -> anyhow::Result<Turn> {
        let Self { load, used, .. } = self;
        Turn::new(load.name, used, &load.end()?)
    }
}

/// So many rounds. Each has proxies of its own, which `start` starts: two processes of one binary can differ by some percent
/// for as long as they live.
///
/// # Errors
///
/// When something does not start, or a turn is void.
pub(super) fn rounds(
    start: impl Fn() -> anyhow::Result<Stand>,
    case: &Case,
    number: u16,
    length: Duration,
) -> anyhow::Result<Vec<Vec<Turn>>> {
    let mut rounds = Vec::new();
    for round in 0..number {
        let stand = start()?;
        warm(&stand, case, length)?;
        let begun = stand.proxies.iter().map(|proxy| UnderLoad::begin(&stand.cores, proxy.as_ref(), case));
        let mut turns = begun.collect::<anyhow::Result<Vec<_>>>()?;
        side_by_side(&mut turns, round, length, UnderLoad::slice)?;
        let turns = turns.into_iter().map(UnderLoad::end).collect::<anyhow::Result<Vec<_>>>()?;
        let costs: Vec<_> =
            turns.iter().map(|turn| format!("{} {:.2} µs", turn.proxy, turn.cpu_us)).collect();
        output::progress(&format!("{}: round {} of {number}: {}", case.name, round + 1, costs.join(", ")));
        rounds.push(turns);
    }
    Ok(rounds)
}

/// Gives all proxies their connections and their memory, with a load that is no longer than a turn.
///
/// # Errors
///
/// When an answer was wrong.
pub(super) fn warm(stand: &Stand, case: &Case, length: Duration) -> anyhow::Result<()> {
    stand
        .proxies
        .iter()
        .try_for_each(|proxy| turn(&stand.cores, proxy.as_ref(), case, WARM.min(length), None).map(drop))
}

/// One proxy under load: in a closed loop, or with so many requests a second.
///
/// # Errors
///
/// When the load fails, or any answer was wrong: the turn, and the run with it, is void.
pub(super) fn turn(
    cores: &Cores,
    proxy: &dyn Proxy,
    case: &Case,
    length: Duration,
    rate: Option<f64>,
) -> anyhow::Result<Turn> {
    let mut load = load(cores, proxy, case)?;
    load.args(["--seconds", &length.as_secs_f64().to_string()]);
    if let Some(rate) = rate {
        load.args(["--rate", &rate.to_string()]);
    }
    let before = procfs::cpu_time(proxy.process())?;
    let output = load.output().context("cannot start the load")?;
    let used = procfs::cpu_time(proxy.process())? - before;

    ensure!(output.status.success(), "void: the load on {} ended with {}", proxy.name(), output.status);
    Turn::new(proxy.name(), used, &output.stdout)
}

impl Turn {
    /// Of the CPU time that was used, and what the load printed.
    ///
    /// # Errors
    ///
    /// When any answer was wrong.
    pub(super) fn new(proxy: &'static str, used: Duration, said: &[u8]) -> anyhow::Result<Self> {
        let outcome: Outcome = serde_json::from_slice(said).context("the load printed something else")?;
        let Outcome { requests, errors, non_2xx, short, broken, .. } = outcome;
        ensure!(
            errors == 0 && requests > 0,
            "void: {proxy}: of {} requests {non_2xx} had another status, {short} another length, {broken} no whole answer",
            requests + errors,
        );
        Ok(Self {
            proxy,
            cpu_us: used.as_secs_f64() * 1e6 / requests as f64,
            requests_per_second: requests as f64 / outcome.seconds,
            p50_us: outcome.p50_us,
            p99_us: outcome.p99_us,
        })
    }
}

/// The load of a case on a proxy, which is still to be told how long it goes on.
///
/// # Errors
///
/// When this program cannot be found again.
pub(super) fn load(cores: &Cores, proxy: &dyn Proxy, case: &Case) -> anyhow::Result<Command> {
    let mut load = cores.ourselves("load")?;
    load.args(["--target", &proxy.address().to_string()]);
    load.args(["--connections", &case.connections.to_string()]);
    load.args(["--answer", &case.answer.to_string()]);
    match proxy.paths() {
        paths @ [_, ..] if case.setting == Setting::ManyRoutes => {
            load.args(paths.iter().flat_map(|path| ["--path", path]));
        }
        _ => {
            load.args(["--path", case.path]);
        }
    }
    if let Some(bytes) = case.post {
        load.args(["--post", &bytes.to_string()]);
    }
    load.stderr(Stdio::inherit());
    Ok(load)
}
