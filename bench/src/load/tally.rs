//! What came back, counted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Counts while a load runs.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The right length of a body.
    answer: usize,
    requests: u64,
    non_2xx: u64,
    short: u64,
    /// Exchanges without a whole answer.
    pub(super) broken: u64,
    /// Of the good answers, in microseconds.
    latencies: Vec<u32>,
}

/// What a load reports.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Outcome {
    /// Good answers: 2xx, with a body of the right length.
    pub(crate) requests: u64,
    /// All the others.
    pub(crate) errors: u64,
    /// Of the errors, those with another status.
    pub(crate) non_2xx: u64,
    /// Of the errors, those with a body of another length.
    pub(crate) short: u64,
    /// Of the errors, those without a whole answer.
    pub(crate) broken: u64,
    /// From the first request to the last answer; of slices, the sum.
    pub(crate) seconds: f64,
    /// Half of the good answers took no longer, in microseconds.
    pub(crate) p50_us: u32,
    /// 99 of 100 good answers took no longer, in microseconds.
    pub(crate) p99_us: u32,
}

impl Tally {
    /// Of nothing yet; good answers have bodies of this length.
    pub(super) fn new(answer: usize) -> Self {
        Self { answer, ..Self::default() }
    }

    /// Counts a whole answer.
    pub(super) fn count(&mut self, status: u16, body: usize, took: Duration) {
        if !(200..300).contains(&status) {
            self.non_2xx += 1;
        } else if body != self.answer {
            self.short += 1;
        } else {
            self.requests += 1;
            self.latencies.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
    }

    /// Exchanges that have ended, well or not.
    pub(super) fn ended(&self) -> u64 {
        self.requests + self.non_2xx + self.short + self.broken
    }

    /// The report; the latencies are sorted for it.
    pub(super) fn outcome(&mut self, took: Duration) -> Outcome {
        self.latencies.sort_unstable();
        let Self { requests, non_2xx, short, broken, .. } = *self;
        Outcome {
            requests,
            errors: non_2xx + short + broken,
            non_2xx,
            short,
            broken,
            seconds: took.as_secs_f64(),
            p50_us: percentile(&self.latencies, 50),
            p99_us: percentile(&self.latencies, 99),
        }
    }
}

/// The smallest value that `percent` of all are not above (nearest rank); 0 of nothing.
pub(crate) fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values: Vec<u32> = (1..=200).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (100, 198));
        assert_eq!((percentile(&[7], 50), percentile(&[7], 99), percentile(&[], 99)), (7, 7, 0));
    }

    #[test]
    fn a_wrong_status_and_a_wrong_length_are_errors() {
        let mut tally = Tally { answer: 200, broken: 4, ..Tally::default() };
        tally.count(200, 200, Duration::from_micros(30));
        tally.count(204, 200, Duration::from_micros(10));
        tally.count(200, 199, Duration::ZERO);
        tally.count(304, 200, Duration::ZERO);
        tally.count(101, 200, Duration::ZERO);
        let outcome = tally.outcome(Duration::from_secs(1));
        assert_eq!((outcome.requests, outcome.errors), (2, 7));
        assert_eq!((outcome.non_2xx, outcome.short, outcome.broken), (2, 1, 4));
        assert_eq!((outcome.p50_us, outcome.p99_us), (10, 30));
    }
}
