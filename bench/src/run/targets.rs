//! What the gateway must reach and what it aims at, beside what a run found.

use super::document::Document;
use super::gateway::{MANY, NAME};
use super::peer::{haproxy, nginx};
use super::table::range;

/// A ratio of costs in a case.
struct Ratio {
    name: &'static str,
    case: &'static str,
    of: &'static str,
    to: &'static str,
    must: f64,
    aim: Option<f64>,
}

const fn ratio(name: &'static str, case: &'static str, to: &'static str, must: f64, aim: f64) -> Ratio {
    Ratio { name, case, of: NAME, to, must, aim: Some(aim) }
}

const RATIOS: &[Ratio] = &[
    ratio("GET ÷ nginx", "get", nginx::NAME, 1.10, 0.90),
    ratio("GET ÷ nginx + lua HMAC", "get", nginx::LUA, 0.80, 0.65),
    ratio("GET ÷ HAProxy", "get", haproxy::NAME, 1.00, 0.75),
    ratio("POST 1 KiB ÷ nginx", "post-1k", nginx::NAME, 1.15, 0.95),
    ratio("64 KiB answer ÷ nginx", "answer-64k", nginx::NAME, 0.90, 0.70),
    ratio("512 connections ÷ nginx", "get-512", nginx::NAME, 1.15, 0.95),
    ratio("two workers ÷ nginx with two", "two-workers", nginx::NAME, 1.10, 0.90),
    Ratio {
        name: "1,000 routes of 50 services ÷ 10 routes",
        case: "routes",
        of: MANY,
        to: NAME,
        must: 1.03,
        aim: None,
    },
];

/// Of each target: its name, what it must be, the aim, what was measured, and what that comes to.
pub(super) fn rows(document: &Document) -> Vec<[String; 5]> {
    let mut rows: Vec<_> = RATIOS
        .iter()
        .map(|ratio| {
            let case = document.cases.iter().find(|case| case.case == ratio.case);
            let measured = case.and_then(|case| case.ratio(ratio.of, ratio.to));
            let text = measured.map(|measured| range(measured, 2));
            row(ratio.name, ratio.must, ratio.aim, "", measured.map(|measured| measured.median), text)
        })
        .collect();
    let mesh = document.idle_memory.iter().find(|row| row.proxy == NAME).map(|row| row.per_connection_kib);
    rows.push(row("memory of an idle connection", 28.0, Some(20.0), " KiB", mesh, None));
    let events = document.events.iter().flat_map(|events| &events.delays).find(|row| row.through == NAME);
    let late = events.map(|row| f64::from(row.p99_us) / 1e3);
    rows.push(row("event of a stream, sent to received (p99)", 5.0, None, " ms", late, None));
    let rss = Some(document.mesh.rss_kib as f64 / 1024.0).filter(|rss| *rss > 0.0);
    rows.push(row("idle memory (VmRSS)", 12.0, None, " MiB", rss, None));
    let ready = Some(document.mesh.ready_ms).filter(|ready| *ready > 0.0);
    rows.push(row("start to first answer", 20.0, None, " ms", ready, None));
    rows
}

/// One target and what it comes to; `text` where the figure alone does not say it.
pub(super) fn row(
    name: &str,
    must: f64,
    aim: Option<f64>,
    unit: &str,
    measured: Option<f64>,
    text: Option<String>,
) -> [String; 5] {
    let digits = if unit.is_empty() { 2 } else { 0 };
    let bound = |bound: f64| format!("≤ {bound:.digits$}{unit}");
    let verdict = match measured {
        None => "not run",
        Some(measured) if measured > must => "MISSED",
        Some(measured) if aim.is_some_and(|aim| measured <= aim) => "aim reached",
        Some(_) => "reached",
    };
    let text = text.or_else(|| Some(format!("{:.1}{unit}", measured?))).unwrap_or_default();
    [name.to_owned(), bound(must), aim.map_or_else(String::new, bound), text, verdict.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(measured: Option<f64>) -> String {
        row("a", 1.1, Some(0.9), "", measured, None)[4].clone()
    }

    #[test]
    fn a_target_is_missed_above_its_bound_and_not_run_without_a_figure() {
        assert_eq!(verdict(Some(1.101)), "MISSED");
        assert_eq!(verdict(Some(1.1)), "reached");
        assert_eq!(verdict(Some(0.9)), "aim reached");
        assert_eq!(verdict(None), "not run");
    }
}
