//! The figures of one route.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::StatusCode;

use super::duration::{Durations, Histogram, LongDurations};

/// The classes of answers, in the order of their counts.
pub(super) const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The place of 2xx among the classes.
const GOOD: usize = 1;

/// Answers by the first digit of their status, attempts, and how long answers took: one worker's.
///
/// One line of memory, to which a good and fast answer writes: with many routes each line is waited for.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct RouteCells {
    attempts: AtomicU64,
    /// Answers with 2xx.
    good: AtomicU64,
    durations: Durations,
    /// Made when it is asked for.
    rare: OnceLock<Box<RareCells>>,
}

/// What good and fast answers do not ask for.
#[derive(Debug, Default)]
struct RareCells {
    /// All answers but the good ones, whose place is empty.
    others: [AtomicU64; CLASSES.len()],
    durations: LongDurations,
    retries: AtomicU64,
    failovers: AtomicU64,
    request_bytes: AtomicU64,
}

/// The same of all workers, at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RouteSum {
    pub(super) classes: [u64; CLASSES.len()],
    pub(super) attempts: u64,
    pub(super) retries: u64,
    pub(super) failovers: u64,
    pub(super) request_bytes: u64,
    pub(super) durations: Histogram,
}

impl RouteSum {
    /// Whether a request came for the route.
    pub(super) fn is_asked(&self) -> bool {
        self.attempts > 0 || self.classes.iter().any(|count| *count > 0)
    }
}

impl RouteCells {
    fn rare(&self) -> &RareCells {
        self.rare.get_or_init(Box::default)
    }

    /// Counts an answer and how long its head took.
    pub(crate) fn answered(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        let counter = if class == GOOD { Some(&self.good) } else { self.rare().others.get(class) };
        if let Some(counter) = counter {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.durations.observe(took, || &self.rare().durations);
    }

    /// Counts the attempts of one call; `instances` is how many different ones were tried.
    pub(crate) fn attempted(&self, attempts: usize, instances: usize) {
        self.attempts.fetch_add(attempts as u64, Ordering::Relaxed);
        if attempts > 1 {
            let rare = self.rare();
            rare.failovers.fetch_add(instances.saturating_sub(1) as u64, Ordering::Relaxed);
            rare.retries.fetch_add(attempts.saturating_sub(instances) as u64, Ordering::Relaxed);
        }
    }

    /// Counts the bytes of a request's body.
    pub(crate) fn received(&self, bytes: usize) {
        if bytes > 0 {
            self.rare().request_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    #[cfg(test)]
    pub(super) fn failovers(&self) -> u64 {
        self.rare().failovers.load(Ordering::Relaxed)
    }

    pub(super) fn add_to(&self, sum: &mut RouteSum) {
        sum.attempts += self.attempts.load(Ordering::Relaxed);
        sum.classes[GOOD] += self.good.load(Ordering::Relaxed);
        self.durations.add_to(&mut sum.durations);
        let Some(rare) = self.rare.get() else { return };
        for (sum, counter) in sum.classes.iter_mut().zip(&rare.others) {
            *sum += counter.load(Ordering::Relaxed);
        }
        rare.durations.add_to(&mut sum.durations);
        sum.retries += rare.retries.load(Ordering::Relaxed);
        sum.failovers += rare.failovers.load(Ordering::Relaxed);
        sum.request_bytes += rare.request_bytes.load(Ordering::Relaxed);
    }

    /// Takes over what another counted.
    pub(super) fn take_over(&self, gone: &Self) {
        let add = |new: &AtomicU64, old: &AtomicU64| {
            new.fetch_add(old.load(Ordering::Relaxed), Ordering::Relaxed);
        };
        add(&self.attempts, &gone.attempts);
        add(&self.good, &gone.good);
        self.durations.take_over(&gone.durations);
        let Some(gone) = gone.rare.get() else { return };
        let rare = self.rare();
        rare.others.iter().zip(&gone.others).for_each(|(new, old)| add(new, old));
        rare.durations.take_over(&gone.durations);
        add(&rare.retries, &gone.retries);
        add(&rare.failovers, &gone.failovers);
        add(&rare.request_bytes, &gone.request_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(cells: &RouteCells) -> RouteSum {
        let mut sum = RouteSum::default();
        cells.add_to(&mut sum);
        sum
    }

    #[test]
    fn good_and_fast_answers_need_one_line_of_a_cache() {
        assert_eq!(size_of::<RouteCells>(), 64);
        let cells = RouteCells::default();
        cells.attempted(1, 1);
        cells.answered(StatusCode::OK, Duration::from_millis(2));
        assert!(cells.rare.get().is_none());
    }

    #[test]
    fn answers_are_counted_by_class() {
        let cells = RouteCells::default();
        cells.answered(StatusCode::OK, Duration::from_millis(1));
        cells.answered(StatusCode::NO_CONTENT, Duration::from_millis(1));
        cells.answered(StatusCode::BAD_GATEWAY, Duration::from_millis(1));
        assert_eq!(sum(&cells).classes, [0, 2, 0, 0, 1]);
    }

    #[test]
    fn a_second_instance_is_a_failover_and_the_same_one_again_a_retry() {
        let cells = RouteCells::default();
        cells.attempted(1, 1);
        cells.attempted(3, 2);
        let sum = sum(&cells);
        assert_eq!((sum.attempts, sum.failovers, sum.retries), (4, 1, 1));
    }

    #[test]
    fn two_workers_are_summed_and_the_gone_one_is_kept() {
        let (one, other) = (RouteCells::default(), RouteCells::default());
        one.answered(StatusCode::OK, Duration::from_millis(1));
        other.answered(StatusCode::OK, Duration::from_secs(9));
        other.received(5);
        let mut both = sum(&one);
        other.add_to(&mut both);
        one.take_over(&other);
        assert_eq!(sum(&one), both);
        assert_eq!((both.durations.count(), both.request_bytes), (2, 5));
    }
}
