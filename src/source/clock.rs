//! The time, at random intervals: the tutorial's clock.

use enchufe_core::Message;
use fastrand::Rng;
use jiff::Timestamp;

use super::{
    Source,
    interval::{Interval, Pace},
};

/// Tells the time in UTC (ISO 8601 with microseconds and `Z`, `2020-08-19T17:18:12.116856Z`), at
/// once and then after each interval. It never ends.
#[derive(Debug)]
pub struct Clock {
    pace: Pace,
    rng: Rng,
}

impl Clock {
    /// The tutorial's: at random, up to three seconds apart.
    pub const DEFAULT_INTERVAL: Interval = Interval::up_to_secs(3);

    /// A clock that speaks at `interval`.
    pub fn new(interval: Interval) -> Self {
        Self::with_rng(interval, Rng::new())
    }

    /// A clock whose intervals are drawn from `rng`, for tests that need the same ones again.
    pub fn with_rng(interval: Interval, rng: Rng) -> Self {
        Self { pace: Pace::new(interval), rng }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(Self::DEFAULT_INTERVAL)
    }
}

impl Source for Clock {
    async fn next(&mut self) -> Option<Message> {
        self.pace.wait(&mut self.rng).await;
        // The precision is named because the default leaves out a fraction of zero.
        Some(Message::text(format!("{:.6}", Timestamp::now())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_time_is_utc_with_microseconds_and_z_even_when_they_are_zero() {
        let mut clock = Clock::with_rng(Clock::DEFAULT_INTERVAL, Rng::with_seed(3));
        for _ in 0..50 {
            let message = clock.next().await.expect("a clock does not end");
            let text = message.to_text().into_owned();
            let told: Timestamp = text.parse().expect("ISO 8601");
            assert_eq!(text.len(), "2020-08-19T17:18:12.116856Z".len(), "{text}");
            assert!(text.ends_with('Z'), "{text}");
            assert!(Timestamp::now().duration_since(told).as_secs().abs() < 5, "{text}");
        }
        assert_eq!(format!("{:.6}", Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
    }
}
