//! Loads for a gateway that counts which ways are taken: `cargo xtask dist` builds another one from what it counts.
//!
//! All that it is given are the benchmark's own requests. What they do not touch must not suffer from that: see xtask.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::case::{CASES, Setting};
use super::proxy::Proxy;
use super::{bench_place, check, measure};
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

/// Sends every load of the benchmark through one gateway, and ends it. Answers with 0.
///
/// # Errors
///
/// When taskset is missing, the gateway does not start or does not end well, or an answer was wrong.
pub(crate) fn run_training(arguments: &TrainArguments) -> anyhow::Result<u8> {
    let length = Duration::try_from_secs_f64(arguments.seconds).context("--seconds is no length of time")?;
    let stand = bench_place(&arguments.mesh)?;
    let (gateway, cores) = stand.gateway_with_all_routes()?;
    check::passes_on(gateway.address())?;
    check::signs(gateway.address())?;
    for case in CASES.iter().filter(|case| case.setting != Setting::TwoWorkers) {
        let turn = measure::turn(cores, &gateway, case, length, None)?;
        output::progress(&format!("train: {}: {:.0} requests/s", case.name, turn.requests_per_second));
    }
    // One that was killed, or failed to, has not written what it counted.
    let status = gateway.stop()?;
    ensure!(status.success(), "void: the gateway ended with {status}");
    Ok(0)
}
