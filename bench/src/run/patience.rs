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

    /// Measures those of these again, in turn, whose verdict is that nothing holds: what keeps a machine busy for minutes
    /// takes them from none alone. The last attempt counts; answers with how often each was measured again.
    ///
    /// # Errors
    ///
    /// The first error of an attempt.
    pub(super) fn again<R>(
        self,
        names: &[&str],
        measured: &mut [R],
        mut attempt: impl FnMut(usize) -> anyhow::Result<R>,
        verdict: impl Fn(&R) -> Verdict,
    ) -> anyhow::Result<Vec<u32>> {
        let mut times = vec![0; measured.len()];
        let mut goes_on = true;
        while goes_on {
            goes_on = false;
            for (place, (name, report)) in names.iter().zip(&mut *measured).enumerate() {
                if is_worth_another(verdict(report), clock::now() - self.begun, self.length) {
                    output::progress(&format!("{name}: the machine was busy: measured again"));
                    *report = attempt(place)?;
                    times[place] += 1;
                    goes_on = true;
                }
            }
        }
        Ok(times)
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
        let mut measured = [verdicts.next().unwrap()];
        let attempt = |_| Ok(verdicts.next().unwrap());
        let times = Patience::of_minutes(minutes).again(&["get"], &mut measured, attempt, |worth| *worth);
        assert_eq!((measured[0], times.unwrap()), (expected.0, vec![expected.1]));
    }

    #[test]
    fn only_a_busy_machine_is_worth_another_attempt_and_only_while_patience_lasts() {
        let [second, minute] = [1, 60].map(Duration::from_secs);
        assert!(is_worth_another(Verdict::Inconclusive, second, minute));
        assert!(!is_worth_another(Verdict::Inconclusive, minute, minute));
        assert!(!is_worth_another(Verdict::Inconclusive, Duration::ZERO, Duration::ZERO));
        assert!(!is_worth_another(Verdict::NotRun, second, minute));
        assert!(!is_worth_another(Measured, second, minute));
    }

    #[test]
    fn the_last_attempt_counts_and_how_many_there_were() {
        check(60, &[Inconclusive, Inconclusive, Measured, Inconclusive], (Measured, 2));
        check(60, &[Measured, Inconclusive], (Measured, 0));
        check(0, &[Inconclusive, Measured], (Inconclusive, 0));
    }

    #[test]
    fn those_that_do_not_hold_are_measured_in_turn() {
        let mut order = Vec::new();
        let attempt = |place| {
            order.push(place);
            // The first holds at its second attempt, the third at its third.
            Ok(if order == [0, 2] { Inconclusive } else { Measured })
        };
        let mut measured = [Inconclusive, Measured, Inconclusive];
        let names = ["get", "post", "routes"];
        let times = Patience::of_minutes(60).again(&names, &mut measured, attempt, |worth| *worth);
        assert_eq!((measured, times.unwrap()), ([Measured; 3], vec![1, 0, 2]));
        assert_eq!(order, [0, 2, 2]);
    }

    #[test]
    fn a_case_that_is_void_is_not_measured_again() {
        let mut attempts = 0;
        let attempt = |_| -> anyhow::Result<Verdict> {
            attempts += 1;
            anyhow::bail!("void")
        };
        let void = Patience::of_minutes(60).again(&["get"], &mut [Inconclusive], attempt, |worth| *worth);
        assert!(void.is_err() && attempts == 1);
    }
}
