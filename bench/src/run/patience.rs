//! How often a case is measured: again while other things keep the machine busy, for as long as whoever runs it waits for that.

use std::time::{Duration, Instant};

use super::report::{CaseReport, Verdict};
use crate::{clock, output};

/// From the start of a run, for so long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    begun: Instant,
    length: Duration,
}

impl Patience {
    /// Begins now.
    pub(super) fn of_minutes(minutes: u16) -> Self {
        Self { begun: clock::now(), length: Duration::from_secs(60 * u64::from(minutes)) }
    }

    /// Measures a case, and again while that gives no ratios that hold: the last attempt counts.
    ///
    /// # Errors
    ///
    /// The first error of an attempt.
    pub(super) fn measure(
        self,
        mut attempt: impl FnMut() -> anyhow::Result<CaseReport>,
    ) -> anyhow::Result<CaseReport> {
        let mut report = attempt()?;
        while is_worth_another(report.verdict, clock::now() - self.begun, self.length) {
            output::progress(&format!("{}: the machine was busy: measured again", report.case));
            let attempts = report.attempts;
            report = attempt()?;
            report.attempts += attempts;
        }
        Ok(report)
    }
}

/// What a peer's absence leaves out, another attempt leaves out as well.
fn is_worth_another(verdict: Verdict, since_the_start: Duration, patience: Duration) -> bool {
    verdict == Verdict::Inconclusive && since_the_start < patience
}

#[cfg(test)]
mod tests {
    use super::super::measure::Turn;
    use super::super::peer::nginx;
    use super::*;

    /// A case with two rounds, in which nginx cost so much.
    fn report(costs: [f64; 2]) -> CaseReport {
        let turn =
            |cpu_us| Turn { proxy: nginx::NAME, cpu_us, requests_per_second: 1.0, p50_us: 1, p99_us: 2 };
        CaseReport::new("get", &[nginx::NAME], costs.map(|cost| vec![turn(cost)]).into())
    }

    const BUSY: [f64; 2] = [8.0, 16.0];
    const QUIET: [f64; 2] = [8.0, 8.1];

    #[track_caller]
    fn check(minutes: u16, costs: &[[f64; 2]], attempts: u32, verdict: Verdict) {
        let mut costs = costs.iter().copied();
        let report = Patience::of_minutes(minutes).measure(|| Ok(report(costs.next().unwrap()))).unwrap();
        assert_eq!((report.attempts, report.verdict), (attempts, verdict));
    }

    #[test]
    fn only_a_busy_machine_is_worth_another_attempt_and_only_while_patience_lasts() {
        let [second, minute] = [1, 60].map(Duration::from_secs);
        assert!(is_worth_another(Verdict::Inconclusive, second, minute));
        assert!(!is_worth_another(Verdict::Inconclusive, minute, minute));
        assert!(!is_worth_another(Verdict::Inconclusive, Duration::ZERO, Duration::ZERO));
        assert!(!is_worth_another(Verdict::NotRun, second, minute));
        assert!(!is_worth_another(Verdict::Measured, second, minute));
    }

    #[test]
    fn the_last_attempt_counts_and_the_report_knows_how_many_there_were() {
        check(60, &[BUSY, BUSY, QUIET, BUSY], 3, Verdict::Measured);
        check(60, &[QUIET, BUSY], 1, Verdict::Measured);
        check(0, &[BUSY, QUIET], 1, Verdict::Inconclusive);
    }

    #[test]
    fn a_case_that_is_void_is_not_measured_again() {
        let mut attempts = 0;
        let void = Patience::of_minutes(60).measure(|| {
            attempts += 1;
            anyhow::bail!("void")
        });
        assert!(void.is_err() && attempts == 1);
    }
}
