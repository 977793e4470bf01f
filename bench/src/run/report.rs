//! From turns to a verdict.

use std::collections::BTreeMap;

use serde::Serialize;

use super::measure::Turn;
use super::numbers::Range;
use super::peer::nginx;

/// A peer whose own figures lie further apart than this was disturbed, and the gateway with it.
pub(super) const MOST_SPREAD: f64 = 0.15;

/// What a case is worth; a later one outweighs an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// The ratios hold.
    Measured,
    /// A ratio is missing: its peer is not installed.
    NotRun,
    /// The machine had other things to do.
    Inconclusive,
}

impl Verdict {
    /// Of the whole run.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Measured => 0,
            Self::NotRun => 3,
            Self::Inconclusive => 4,
        }
    }
}

/// All of one case.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CaseReport {
    /// Its name.
    pub(super) case: &'static str,
    /// What it is worth.
    pub(super) verdict: Verdict,
    /// How often it was measured: the last time counts, the others the machine was busy. 0: it was not.
    pub(super) attempts: u32,
    /// One row for each proxy that should have been there.
    pub(super) proxies: Vec<ProxyReport>,
    rounds: Vec<Vec<Turn>>,
}

/// One proxy in one case.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ProxyReport {
    /// Its name.
    pub(super) name: &'static str,
    /// `None`: it was not run.
    pub(super) figures: Option<Figures>,
}

/// What one proxy's turns come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    /// Microseconds for each request.
    pub(super) cpu_us: Range,
    /// Of each round: its cost by another's, by the other's name.
    pub(super) to: BTreeMap<&'static str, Range>,
    /// As information.
    pub(super) requests_per_second: Range,
    /// As information.
    pub(super) p50_us: Range,
    /// As information.
    pub(super) p99_us: Range,
}

impl CaseReport {
    /// Of the rounds of one case, in which those of these names should have had their turns.
    pub(super) fn new(case: &'static str, expected: &[&'static str], rounds: Vec<Vec<Turn>>) -> Self {
        let report = |name: &&'static str| ProxyReport { name, figures: figures(&rounds, name) };
        let proxies: Vec<_> = expected.iter().map(report).collect();
        let figures = |name: &str| proxies.iter().find(|proxy| proxy.name == name)?.figures.as_ref();
        let verdict = match figures(nginx::NAME) {
            Some(nginx) if nginx.cpu_us.spread() > MOST_SPREAD => Verdict::Inconclusive,
            _ if proxies.iter().any(|proxy| proxy.figures.is_none()) => Verdict::NotRun,
            _ => Verdict::Measured,
        };
        Self { case, verdict, attempts: u32::from(!rounds.is_empty()), proxies, rounds }
    }

    /// The cost of one proxy by that of another, `None` when either was not run.
    pub(super) fn ratio(&self, of: &str, to: &str) -> Option<Range> {
        self.proxies.iter().find(|proxy| proxy.name == of)?.figures.as_ref()?.to.get(to).copied()
    }
}

fn figures(rounds: &[Vec<Turn>], name: &str) -> Option<Figures> {
    let range =
        |figure: fn(&Turn) -> f64| Range::of(rounds.iter().filter_map(|turns| of(turns, name)).map(figure));
    let others = rounds.first()?.iter().map(|turn| turn.proxy).filter(|other| *other != name);
    let ratio = |other| {
        let ratios =
            rounds.iter().filter_map(|turns| Some(of(turns, name)?.cpu_us / of(turns, other)?.cpu_us));
        Some((other, Range::of(ratios)?))
    };
    Some(Figures {
        cpu_us: range(|turn| turn.cpu_us)?,
        to: others.filter_map(ratio).collect(),
        requests_per_second: range(|turn| turn.requests_per_second)?,
        p50_us: range(|turn| f64::from(turn.p50_us))?,
        p99_us: range(|turn| f64::from(turn.p99_us))?,
    })
}

fn of<'a>(turns: &'a [Turn], name: &str) -> Option<&'a Turn> {
    turns.iter().find(|turn| turn.proxy == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(proxy: &'static str, cpu_us: f64) -> Turn {
        Turn { proxy, cpu_us, requests_per_second: 1.0, p50_us: 1, p99_us: 2 }
    }

    fn report(costs: &[(f64, f64)]) -> CaseReport {
        let rounds = costs.iter().map(|(nginx, mesh)| vec![turn("mesh", *mesh), turn("nginx", *nginx)]);
        CaseReport::new("get", &["nginx", "mesh"], rounds.collect())
    }

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        let report = report(&[(8.0, 4.0), (9.0, 9.0), (8.0, 6.0)]);
        let mesh = report.proxies[1].figures.as_ref().unwrap();
        assert_eq!(report.ratio("mesh", "nginx"), Some(Range { median: 0.75, min: 0.5, max: 1.0 }));
        assert_eq!(mesh.cpu_us, Range { median: 6.0, min: 4.0, max: 9.0 });
        assert_eq!(report.verdict, Verdict::Measured);
    }

    #[test]
    fn a_spread_of_the_peer_above_15_percent_is_inconclusive_and_one_of_the_gateway_is_not() {
        assert_eq!(report(&[(10.0, 5.0), (10.0, 9.0), (11.5, 5.0)]).verdict, Verdict::Measured);
        assert_eq!(report(&[(10.0, 5.0), (10.0, 5.0), (11.6, 5.0)]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn without_the_peer_there_is_no_ratio_and_the_case_has_not_passed() {
        let report = CaseReport::new("get", &["nginx", "mesh"], vec![vec![turn("mesh", 5.0)]]);
        assert_eq!(report.verdict, Verdict::NotRun);
        assert!(report.proxies[0].figures.is_none());
        assert!(report.proxies[1].figures.is_some());
        assert_eq!(report.ratio("mesh", "nginx"), None);
    }

    #[test]
    fn the_worst_verdict_decides_the_exit_code() {
        assert_eq!(Verdict::Measured.max(Verdict::Inconclusive).exit_code(), 4);
        assert_eq!([Verdict::Measured, Verdict::NotRun].map(Verdict::exit_code), [0, 3]);
    }
}
