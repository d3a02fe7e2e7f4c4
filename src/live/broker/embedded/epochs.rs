//! Epochs: each log has its own, and no other log ever has it.

use std::sync::atomic::{AtomicU64, Ordering};

use enchufe_core::Epoch;
use jiff::Timestamp;

/// Gives epochs that rise: the time in microseconds, or more if many logs begin at once.
#[derive(Debug, Default)]
pub(super) struct Epochs(AtomicU64);

impl Epochs {
    pub(super) fn next(&self, now: Timestamp) -> Epoch {
        let now = u64::try_from(now.as_microsecond()).unwrap_or_default();
        let next = |last: u64| now.max(last + 1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        let last = self.0.fetch_update(set, fetch, |last| Some(next(last)));
        Epoch(next(last.unwrap_or_else(|last| last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_logs_have_the_same_epoch_not_even_when_the_clock_stands_or_goes_back() {
        let epochs = Epochs::default();
        let times = [5, 5, 5, 3, 6, 900].map(Timestamp::from_microsecond);
        let given = times.map(|time| epochs.next(time.expect("in range")).0);
        assert_eq!(given, [5, 6, 7, 8, 9, 900]);
    }
}
