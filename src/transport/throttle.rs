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
}
