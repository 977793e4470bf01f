//! Loads for a gateway that counts which ways are taken: `cargo xtask dist` builds another one from what it counts.
//!
//! All that it is given are the benchmark's own requests. What they do not touch must not suffer from that: see xtask.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use super::case::{CASES, Setting};
use super::gateway::{Gateway, Routes};
use super::peer::Place;
use super::process::{Cores, backend};
use super::proxy::Proxy;
use super::{check, measure, procfs};
use crate::output;

/// What the training is told.
#[derive(Debug, clap::Args)]
pub(crate) struct TrainArguments {
    /// The gateway's binary, which writes what it counts when it ends.
    #[arg(long, value_name = "FILE")]
    mesh: PathBuf,
    /// How long each load lasts.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

/// Sends every load of the benchmark through one gateway, and ends it. Answers with 0, or with 2 when a tool is missing.
///
/// # Errors
///
/// When the gateway does not start or end, or an answer was wrong.
pub(crate) fn run_training(arguments: &TrainArguments) -> anyhow::Result<u8> {
    let length = Duration::try_from_secs_f64(arguments.seconds).context("--seconds is no length of time")?;
    let Some(cores) = Cores::new(procfs::cores()?)? else {
        output::problem("mesh-bench: taskset and prlimit are missing: install Debian's package util-linux");
        return Ok(2);
    };
    let folder = tempfile::Builder::new().prefix("mesh-bench-").tempdir()?;
    let plain = backend(&cores, folder.path(), false)?;
    let checking = backend(&cores, folder.path(), true)?;
    let place = Place {
        cores: &cores,
        folder: folder.path(),
        workers: 1,
        plain: plain.address,
        checking: checking.address,
    };
    let gateway = Gateway::start(&place, &arguments.mesh, Routes::Many, &[])?;
    check::passes_on(gateway.address())?;
    check::signs(gateway.address())?;
    for case in CASES.iter().filter(|case| case.setting != Setting::TwoWorkers) {
        let turn = measure::turn(&cores, &gateway, case, length, None)?;
        output::progress(&format!("train: {}: {:.0} requests/s", case.name, turn.requests_per_second));
    }
    gateway.stop()?;
    Ok(0)
}
