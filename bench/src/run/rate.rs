//! Latencies under a load that does not wait for answers: information, no verdict rests on it.

use std::time::Duration;

use serde::Serialize;

use super::case::Case;
use super::measure::{Turn, turn, warm};
use super::numbers::Range;
use super::peer::nginx;
use super::stand::Stand;
use crate::output;

/// What one proxy's answers took, counted from when their requests should have begun.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RateReport {
    /// Its name.
    pub(super) proxy: &'static str,
    /// Requests that should have begun each second: the same for all.
    pub(super) rate: f64,
    /// Medians of the rounds.
    pub(super) p50_us: Range,
    /// Medians of the rounds.
    pub(super) p99_us: Range,
}

/// Each proxy at half of what nginx (without it, the first of the proxies) does in a closed loop.
///
/// # Errors
///
/// When a turn is void.
pub(super) fn measure(
    stand: &Stand,
    case: &Case,
    rounds: u16,
    length: Duration,
) -> anyhow::Result<Vec<RateReport>> {
    let reference = stand.proxies.iter().find(|proxy| proxy.name() == nginx::NAME);
    let Some(reference) = reference.or(stand.proxies.first()) else { return Ok(Vec::new()) };
    warm(stand, case, length)?;
    let closed = turn(&stand.cores, reference.as_ref(), case, length, None)?;
    let rate = (closed.requests_per_second / 2.0).floor();
    let mut turns: Vec<Vec<Turn>> = vec![Vec::new(); stand.proxies.len()];
    for round in 0..rounds {
        for (proxy, turns) in stand.proxies.iter().zip(&mut turns) {
            turns.push(turn(&stand.cores, proxy.as_ref(), case, length, Some(rate))?);
        }
        output::progress(&format!("constant-rate: round {} of {rounds} at {rate} requests/s", round + 1));
    }
    let range =
        |turns: &[Turn], of: fn(&Turn) -> u32| Range::of(turns.iter().map(|turn| f64::from(of(turn))));
    let reports = stand.proxies.iter().zip(&turns).filter_map(|(proxy, turns)| {
        let p50_us = range(turns, |turn| turn.p50_us)?;
        let p99_us = range(turns, |turn| turn.p99_us)?;
        Some(RateReport { proxy: proxy.name(), rate, p50_us, p99_us })
    });
    Ok(reports.collect())
}
