//! When something last moved on a connection.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// What both directions of a connection leave for who watches over it. Nothing depends on the order
/// in which others see it.
#[derive(Debug)]
pub(super) struct Activity {
    begun: Instant,
    /// In microseconds after `begun`.
    last: AtomicU64,
    /// How many directions have something that is not delivered yet.
    under_way: AtomicUsize,
}

impl Activity {
    pub(super) fn new() -> Self {
        let (last, under_way) = (AtomicU64::new(0), AtomicUsize::new(0));
        Self { begun: Instant::now(), last, under_way }
    }

    /// Something moved.
    pub(super) fn touch(&self) {
        let now = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Something is to be delivered.
    pub(super) fn begin(&self) {
        self.under_way.fetch_add(1, Ordering::Relaxed);
    }

    /// It was delivered.
    pub(super) fn end(&self) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        self.touch();
    }

    fn last(&self) -> Instant {
        self.begun + Duration::from_micros(self.last.load(Ordering::Relaxed))
    }

    /// Waits until nothing has moved for so long. Cancel-safe.
    pub(super) async fn idle(&self, time: Duration) {
        loop {
            let until = self.last() + time;
            if Instant::now() >= until {
                return;
            }
            sleep_until(until).await;
        }
    }

    /// Waits until nothing has come for so long, counted from now: what waits for a slow reader has
    /// come, and its time begins once it is delivered. Cancel-safe.
    pub(super) async fn quiet(&self, time: Duration) {
        self.touch();
        loop {
            self.idle(time).await;
            if self.under_way.load(Ordering::Relaxed) == 0 {
                return;
            }
            self.touch();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn whatever_moves_puts_the_end_off() {
        let activity = Activity::new();
        let begun = Instant::now();
        let moving = async {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_secs(9)).await;
                activity.touch();
            }
        };
        tokio::join!(moving, activity.idle(TIME));
        assert_eq!(begun.elapsed().as_secs(), 27 + 10);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_delivered_yet_is_not_quiet() {
        let activity = Activity::new();
        let begun = Instant::now();
        activity.begin();
        let moving = async {
            tokio::time::sleep(Duration::from_secs(35)).await;
            activity.end();
        };
        tokio::join!(moving, activity.quiet(TIME));
        assert_eq!(begun.elapsed().as_secs(), 35 + 10);
    }
}
