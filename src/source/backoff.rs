//! When what has ended is begun again: after pauses that grow, up to a bound.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits;

/// Pauses that double up to [`limits::SOURCE_PAUSE_MAX`], and begin anew once what was begun has
/// stood for [`limits::SOURCE_STABLE_AFTER`]: what ends at once, again and again, is not hammered.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    begun_at: Option<Instant>,
}

impl Backoff {
    /// It stands from now on.
    pub(super) fn begun(&mut self) {
        self.begun_at = Some(Instant::now());
    }

    /// It has ended, or did not begin: how long to wait before it is begun again.
    pub(super) fn ended(&mut self) -> Duration {
        let stood = self.begun_at.take().map(|at| at.elapsed()).unwrap_or_default();
        if stood >= limits::SOURCE_STABLE_AFTER {
            self.failures = 0;
        }
        let doubled = 2_u32
            .checked_pow(self.failures)
            .and_then(|factor| limits::SOURCE_PAUSE_MIN.checked_mul(factor));
        self.failures = self.failures.saturating_add(1);
        doubled.unwrap_or(Duration::MAX).min(limits::SOURCE_PAUSE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_their_bound_until_what_was_begun_lasts() {
        let mut backoff = Backoff::default();
        let mut pauses = Vec::new();
        for _ in 0..100 {
            backoff.begun();
            pauses.push(backoff.ended());
        }
        let doubled =
            pauses.windows(2).all(|two| two[1] == (two[0] * 2).min(limits::SOURCE_PAUSE_MAX));
        assert!(doubled && pauses[0] == limits::SOURCE_PAUSE_MIN, "{pauses:?}");
        assert_eq!(pauses.last(), Some(&limits::SOURCE_PAUSE_MAX));
        backoff.begun();
        tokio::time::advance(limits::SOURCE_STABLE_AFTER).await;
        assert_eq!(backoff.ended(), limits::SOURCE_PAUSE_MIN);
    }
}
