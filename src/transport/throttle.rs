//! Keeps a warning that could come with every packet from filling the log.

use tokio::time::Instant;

use crate::limits::WARNING_INTERVAL;

/// Lets one warning through per interval, and counts the others.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    warned_at: Option<Instant>,
    withheld: u64,
}

impl Throttle {
    /// Whether to warn now; then with how many warnings were withheld before.
    pub(crate) fn warn(&mut self) -> Option<u64> {
        let now = Instant::now();
        if self.warned_at.is_some_and(|at| now.duration_since(at) < WARNING_INTERVAL) {
            self.withheld += 1;
            return None;
        }
        self.warned_at = Some(now);
        Some(std::mem::take(&mut self.withheld))
    }

    /// How many warnings were withheld, once it is time to say so though no other came.
    pub(crate) fn overdue(&mut self) -> Option<u64> {
        let is_time = self.warned_at.is_none_or(|at| at.elapsed() >= WARNING_INTERVAL);
        if self.withheld == 0 || !is_time { None } else { self.warn() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_warning_passes_per_interval_and_the_others_are_counted() {
        let mut throttle = Throttle::default();
        assert_eq!([throttle.warn(), throttle.warn(), throttle.warn()], [Some(0), None, None]);
        tokio::time::advance(WARNING_INTERVAL).await;
        assert_eq!(throttle.warn(), Some(2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_withheld_is_said_also_when_no_other_comes() {
        let mut throttle = Throttle::default();
        assert_eq!(
            [throttle.overdue(), throttle.warn(), throttle.overdue()],
            [None, Some(0), None]
        );
        throttle.warn();
        assert_eq!(throttle.overdue(), None);
        tokio::time::advance(WARNING_INTERVAL).await;
        assert_eq!([throttle.overdue(), throttle.overdue()], [Some(1), None]);
    }
}
