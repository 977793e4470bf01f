//! A histogram in atomics: prometheus-client's own takes a lock for each observation.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Upper bounds of the buckets in microseconds; above the last one there is one more bucket.
const BOUNDS: [u64; 11] =
    [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

/// How long something took, in buckets: short ones beside the sum.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Durations {
    sum_micros: AtomicU64,
    buckets: [AtomicU64; BOUNDS.len() + 1],
}

/// A histogram at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Histogram {
    sum_micros: u64,
    counts: [u64; BOUNDS.len() + 1],
}

impl Histogram {
    pub(super) fn sum_seconds(&self) -> f64 {
        Duration::from_micros(self.sum_micros).as_secs_f64()
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Upper bounds in seconds, and how many lie in each bucket (not cumulative).
    pub(super) fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS.iter().map(|bound| Duration::from_micros(*bound).as_secs_f64());
        bounds.chain([f64::INFINITY]).zip(self.counts).collect()
    }
}

impl Durations {
    pub(super) fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn add_to(&self, sum: &mut Histogram) {
        for (sum, bucket) in sum.counts.iter_mut().zip(&self.buckets) {
            *sum += bucket.load(Ordering::Relaxed);
        }
        sum.sum_micros += self.sum_micros.load(Ordering::Relaxed);
    }

    /// Takes over what another observed.
    pub(super) fn take_over(&self, gone: &Self) {
        for (new, old) in self.buckets.iter().zip(&gone.buckets) {
            new.fetch_add(old.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        self.sum_micros.fetch_add(gone.sum_micros.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let durations = Durations::default();
        durations.observe(Duration::from_micros(500));
        durations.observe(Duration::from_micros(501));
        durations.observe(Duration::from_secs(60));
        let mut histogram = Histogram::default();
        durations.add_to(&mut histogram);
        let buckets = histogram.buckets();
        assert_eq!(histogram.count(), 3);
        assert_eq!(buckets[0], (0.000_5, 1));
        assert_eq!(buckets[1], (0.001, 1));
        assert_eq!(buckets[11], (f64::INFINITY, 1));
    }
}
