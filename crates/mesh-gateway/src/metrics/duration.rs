//! A histogram in atomics: prometheus-client's own takes a lock for each observation.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Upper bounds of the buckets in microseconds; above the last one there is one more bucket.
const BOUNDS: [u64; 11] =
    [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

/// How many of the buckets are short.
const SHORT: usize = 3;

/// How long something took: the sum, and the short buckets beside it.
#[derive(Debug, Default)]
pub(super) struct Durations {
    sum_micros: AtomicU64,
    short: [AtomicU64; SHORT],
}

/// The other buckets.
#[derive(Debug, Default)]
pub(super) struct LongDurations([AtomicU64; BOUNDS.len() + 1 - SHORT]);

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
    /// `long` is asked for when it took long.
    pub(super) fn observe<'l>(&self, took: Duration, long: impl FnOnce() -> &'l LongDurations) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        let bucket = self.short.get(bucket).unwrap_or_else(|| &long().0[bucket - SHORT]);
        bucket.fetch_add(1, Ordering::Relaxed);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn add_to(&self, sum: &mut Histogram) {
        add(&self.short, &mut sum.counts[..SHORT]);
        sum.sum_micros += self.sum_micros.load(Ordering::Relaxed);
    }

    /// Takes over what another observed.
    pub(super) fn take_over(&self, gone: &Self) {
        take_over(&self.short, &gone.short);
        self.sum_micros.fetch_add(gone.sum_micros.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

impl LongDurations {
    pub(super) fn add_to(&self, sum: &mut Histogram) {
        add(&self.0, &mut sum.counts[SHORT..]);
    }

    /// Takes over what another observed.
    pub(super) fn take_over(&self, gone: &Self) {
        take_over(&self.0, &gone.0);
    }
}

fn add(buckets: &[AtomicU64], sums: &mut [u64]) {
    for (sum, bucket) in sums.iter_mut().zip(buckets) {
        *sum += bucket.load(Ordering::Relaxed);
    }
}

fn take_over(new: &[AtomicU64], old: &[AtomicU64]) {
    for (new, old) in new.iter().zip(old) {
        new.fetch_add(old.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let (durations, long) = (Durations::default(), LongDurations::default());
        for micros in [500, 501, 2_500, 2_501, 60_000_000] {
            durations.observe(Duration::from_micros(micros), || &long);
        }
        let mut histogram = Histogram::default();
        durations.add_to(&mut histogram);
        long.add_to(&mut histogram);
        let counts: Vec<_> = histogram.buckets().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counts, [(0.000_5, 1), (0.001, 1), (0.002_5, 1), (0.005, 1), (f64::INFINITY, 1)]);
    }
}
