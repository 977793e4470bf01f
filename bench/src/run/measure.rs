//! Turns under load, in rounds.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Serialize;

use super::case::{Case, Setting};
use super::process::Cores;
use super::procfs;
use super::proxy::Proxy;
use super::stand::Stand;
use crate::load::Outcome;
use crate::output;

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

/// So many rounds; in every second one the order of the proxies is reversed.
///
/// # Errors
///
/// When a turn is void.
pub(super) fn rounds(
    stand: &Stand,
    case: &Case,
    number: u16,
    length: Duration,
) -> anyhow::Result<Vec<Vec<Turn>>> {
    let mut rounds = Vec::new();
    for round in 0..number {
        let mut order: Vec<_> = stand.proxies.iter().collect();
        if round % 2 == 1 {
            order.reverse();
        }
        let turns = order.iter().map(|proxy| turn(&stand.cores, proxy.as_ref(), case, length, None));
        let turns = turns.collect::<anyhow::Result<Vec<_>>>()?;
        let costs: Vec<_> =
            turns.iter().map(|turn| format!("{} {:.2} µs", turn.proxy, turn.cpu_us)).collect();
        output::progress(&format!("{}: round {} of {number}: {}", case.name, round + 1, costs.join(", ")));
        rounds.push(turns);
    }
    Ok(rounds)
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
    let mut load = cores.ourselves("load")?;
    load.args(["--target", &proxy.address().to_string()]);
    load.args(["--connections", &case.connections.to_string()]);
    load.args(["--seconds", &length.as_secs_f64().to_string()]);
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
    if let Some(rate) = rate {
        load.args(["--rate", &rate.to_string()]);
    }
    let before = procfs::cpu_time(proxy.process())?;
    let output = load.stderr(Stdio::inherit()).output().context("cannot start the load")?;
    let used = procfs::cpu_time(proxy.process())? - before;

    let name = proxy.name();
    ensure!(output.status.success(), "void: the load on {name} ended with {}", output.status);
    let outcome: Outcome =
        serde_json::from_slice(&output.stdout).context("the load printed something else")?;
    let Outcome { requests, errors, non_2xx, short, broken, .. } = outcome;
    ensure!(
        errors == 0 && requests > 0,
        "void: {name}: of {} requests {non_2xx} had another status, {short} another length, {broken} no whole answer",
        requests + errors,
    );
    Ok(Turn {
        proxy: name,
        cpu_us: used.as_secs_f64() * 1e6 / requests as f64,
        requests_per_second: requests as f64 / outcome.seconds,
        p50_us: outcome.p50_us,
        p99_us: outcome.p99_us,
    })
}
