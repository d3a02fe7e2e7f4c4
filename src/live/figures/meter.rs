//! How long publishing takes.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The upper bounds of a latency's buckets, in microseconds; beyond the last there is one more.
pub const LATENCY_BOUNDS: [u64; 18] = [
    5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
    500_000, 1_000_000, 10_000_000,
];

/// Times that were counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latency {
    /// How many fell into each bucket, those beyond the last bound at the end.
    pub buckets: [u64; LATENCY_BOUNDS.len() + 1],
    /// The sum of all, in microseconds.
    pub sum_us: u64,
}

impl Latency {
    /// How many times were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// Counts times. Publishers share it; readers have nothing to do with it.
#[derive(Debug, Default)]
pub(in crate::live) struct Meter {
    buckets: [AtomicU64; LATENCY_BOUNDS.len() + 1],
    sum_us: AtomicU64,
}

impl Meter {
    pub(in crate::live) fn count(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = LATENCY_BOUNDS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(micros, Ordering::Relaxed);
    }

    pub(in crate::live) fn read(&self) -> Latency {
        Latency {
            buckets: self.buckets.each_ref().map(|bucket| bucket.load(Ordering::Relaxed)),
            sum_us: self.sum_us.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_falls_into_the_bucket_whose_bound_it_does_not_exceed() {
        let meter = Meter::default();
        for micros in [0, 5, 6, 10_000_000, 10_000_001, u64::MAX / 1_000] {
            meter.count(Duration::from_micros(micros));
        }
        let latency = meter.read();
        assert_eq!((latency.buckets[0], latency.buckets[1]), (2, 1));
        assert_eq!(latency.buckets[LATENCY_BOUNDS.len() - 1..], [1, 2]);
        assert_eq!(latency.count(), 6);
    }
}
