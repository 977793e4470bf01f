//! The figures of one route.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use http::StatusCode;

use super::duration::Durations;

/// Answers by the first digit of their status, attempts, and how long answers took.
#[derive(Debug, Default)]
pub(crate) struct RouteMetrics {
    classes: [AtomicU64; 5],
    attempts: AtomicU64,
    failovers: AtomicU64,
    pub(super) durations: Durations,
}

impl RouteMetrics {
    /// Counts an answer and how long its head took.
    pub(crate) fn answered(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.classes.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.durations.observe(took);
    }

    /// Counts the attempts of one call; `instances` is how many different ones were tried.
    pub(crate) fn attempted(&self, attempts: usize, instances: usize) {
        self.attempts.fetch_add(attempts as u64, Ordering::Relaxed);
        let failovers = instances.saturating_sub(1) as u64;
        if failovers > 0 {
            self.failovers.fetch_add(failovers, Ordering::Relaxed);
        }
    }

    /// Answers by class: `2xx` and their number, those that occurred.
    pub(super) fn classes(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let counts = self.classes.iter().map(|counter| counter.load(Ordering::Relaxed));
        ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(counts).filter(|(_, count)| *count > 0)
    }

    pub(super) fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Relaxed)
    }

    pub(super) fn failovers(&self) -> u64 {
        self.failovers.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_class() {
        let metrics = RouteMetrics::default();
        metrics.answered(StatusCode::OK, Duration::from_millis(1));
        metrics.answered(StatusCode::NO_CONTENT, Duration::from_millis(1));
        metrics.answered(StatusCode::BAD_GATEWAY, Duration::from_millis(1));
        assert_eq!(metrics.classes().collect::<Vec<_>>(), [("2xx", 2), ("5xx", 1)]);
    }

    #[test]
    fn a_second_instance_is_a_failover() {
        let metrics = RouteMetrics::default();
        metrics.attempted(1, 1);
        metrics.attempted(3, 2);
        assert_eq!((metrics.attempts(), metrics.failovers()), (4, 1));
    }
}
