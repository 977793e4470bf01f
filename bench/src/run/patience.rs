//! How often a case is measured: again while other things keep the machine busy, for as long as whoever runs it waits for that.

use std::time::{Duration, Instant};

use super::report::Verdict;
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

    /// Measures each of these by its place, and then those again, in turn, whose verdict is that nothing holds: what keeps
    /// a machine busy for minutes takes them from none alone. Answers with the last attempt at each, and with how many
    /// there were.
    ///
    /// # Errors
    ///
    /// The first error of an attempt.
    pub(super) fn measure<R>(
        self,
        names: &[&str],
        mut attempt: impl FnMut(usize) -> anyhow::Result<R>,
        verdict: impl Fn(&R) -> Verdict,
    ) -> anyhow::Result<Vec<(R, u32)>> {
        let mut measured = Vec::with_capacity(names.len());
        for place in 0..names.len() {
            measured.push((attempt(place)?, 1));
        }
        let mut goes_on = true;
        while goes_on {
            goes_on = false;
            for (place, (name, (report, attempts))) in names.iter().zip(&mut measured).enumerate() {
                if is_worth_another(verdict(report), clock::now() - self.begun, self.length) {
                    output::progress(&format!("{name}: the machine was busy: measured again"));
                    *report = attempt(place)?;
                    *attempts += 1;
                    goes_on = true;
                }
            }
        }
        Ok(measured)
    }
}

/// What a peer's absence leaves out, another attempt leaves out as well.
fn is_worth_another(verdict: Verdict, since_the_start: Duration, patience: Duration) -> bool {
    verdict == Verdict::Inconclusive && since_the_start < patience
}

#[cfg(test)]
mod tests {
    use super::*;

    use Verdict::{Inconclusive, Measured};

    #[track_caller]
    fn check(minutes: u16, verdicts: &[Verdict], expected: (Verdict, u32)) {
        let mut verdicts = verdicts.iter().copied();
        let attempt = |_| Ok(verdicts.next().unwrap());
        let measured = Patience::of_minutes(minutes).measure(&["get"], attempt, |verdict| *verdict);
        assert_eq!(measured.unwrap(), [expected]);
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
    fn the_last_attempt_counts_and_how_many_there_were() {
        check(60, &[Inconclusive, Inconclusive, Measured, Inconclusive], (Measured, 3));
        check(60, &[Measured, Inconclusive], (Measured, 1));
        check(0, &[Inconclusive, Measured], (Inconclusive, 1));
    }

    #[test]
    fn all_are_measured_before_any_is_measured_again() {
        let mut order = Vec::new();
        let attempt = |place| {
            order.push(place);
            // The second holds at once, the first at its second attempt, the third at its third.
            let attempts = order.iter().filter(|measured| **measured == place).count();
            Ok(if attempts > [1, 0, 2][place] { Measured } else { Inconclusive })
        };
        let measured =
            Patience::of_minutes(60).measure(&["get", "post", "routes"], attempt, |verdict| *verdict);
        assert_eq!(measured.unwrap(), [(Measured, 2), (Measured, 1), (Measured, 3)]);
        assert_eq!(order, [0, 1, 2, 0, 2, 2]);
    }

    #[test]
    fn a_case_that_is_void_is_not_measured_again() {
        let mut attempts = 0;
        let attempt = |_| -> anyhow::Result<Verdict> {
            attempts += 1;
            anyhow::bail!("void")
        };
        let void = Patience::of_minutes(60).measure(&["get"], attempt, |verdict| *verdict);
        assert!(void.is_err() && attempts == 1);
    }
}
