//! How long a source waits between two messages: a time drawn from a range.

use std::{str::FromStr, time::Duration};

use fastrand::Rng;
use tokio::time::{Instant, sleep_until};

use crate::limits;

/// A range of waiting times, all equally likely. Written `3s`, `250ms..1s` or `0..3s`; a number
/// without a unit takes that of the other end, or seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    min: Duration,
    max: Duration,
}

impl Interval {
    /// From nothing to `max`.
    pub(super) const fn up_to_secs(max: u64) -> Self {
        Self { min: Duration::ZERO, max: Duration::from_secs(max) }
    }

    /// From `min` to `max`, or `None` when `min` is the longer, or `max` longer than
    /// [`limits::INTERVAL_MAX`].
    pub fn new(min: Duration, max: Duration) -> Option<Self> {
        (min <= max && max <= limits::INTERVAL_MAX).then_some(Self { min, max })
    }

    fn draw(&self, rng: &mut Rng) -> Duration {
        self.min + (self.max - self.min).mul_f64(rng.f64())
    }
}

/// The text is no interval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not an interval: expected a time or a range of up to a day, such as 500ms or 0..3s"
)]
pub struct ParseIntervalError(String);

impl FromStr for Interval {
    type Err = ParseIntervalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let unit = Unit::of(max).unwrap_or(Unit::SECOND);
        duration(min, Unit::of(min).unwrap_or(unit))
            .zip(duration(max, unit))
            .and_then(|(min, max)| Self::new(min, max))
            .ok_or_else(|| {
                ParseIntervalError(text.chars().take(limits::EXCERPT_CHARS_MAX).collect())
            })
    }
}

#[derive(Clone, Copy)]
struct Unit {
    suffix: &'static str,
    seconds: f64,
}

impl Unit {
    const SECOND: Self = Self { suffix: "s", seconds: 1.0 };
    /// `ms` stands before `s`, which it ends in.
    const ALL: [Self; 4] = [
        Self { suffix: "ms", seconds: 0.001 },
        Self::SECOND,
        Self { suffix: "m", seconds: 60.0 },
        Self { suffix: "h", seconds: 3600.0 },
    ];

    fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| text.ends_with(unit.suffix))
    }
}

fn duration(text: &str, unit: Unit) -> Option<Duration> {
    let number = text.strip_suffix(unit.suffix).unwrap_or(text);
    // What Rust reads as a float besides: signs, exponents, infinity.
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit.seconds).ok()
}

/// Lets a source speak at once and then after each [`Interval`].
///
/// The end of the wait is kept, not the wait itself, so that a future that was dropped and asked
/// for again does not start anew.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Interval,
    due: Due,
}

#[derive(Debug)]
enum Due {
    AtOnce,
    At(Instant),
    NotDrawn,
}

impl Pace {
    pub(super) fn new(interval: Interval) -> Self {
        Self { interval, due: Due::AtOnce }
    }

    /// Waits for the next moment to speak. Cancel-safe.
    pub(super) async fn wait(&mut self, rng: &mut Rng) {
        if let Due::NotDrawn = self.due {
            self.due = Due::At(Instant::now() + self.interval.draw(rng));
        }
        if let Due::At(due) = self.due {
            sleep_until(due).await;
        }
        self.due = Due::NotDrawn;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(min_ms: u64, max_ms: u64) -> Interval {
        Interval { min: Duration::from_millis(min_ms), max: Duration::from_millis(max_ms) }
    }

    #[test]
    fn an_interval_is_a_time_or_a_range_with_units() {
        for (text, expected) in [
            ("3", interval(3_000, 3_000)),
            ("3s", interval(3_000, 3_000)),
            ("0", interval(0, 0)),
            ("0..3", interval(0, 3_000)),
            ("0..3s", interval(0, 3_000)),
            ("250..500ms", interval(250, 500)),
            ("250ms..1s", interval(250, 1_000)),
            ("0.5..1.5s", interval(500, 1_500)),
            ("1m..1h", interval(60_000, 3_600_000)),
            ("24h", interval(86_400_000, 86_400_000)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_interval_is_refused_with_the_value() {
        for text in [
            "",
            "s",
            "..",
            "1..",
            "..1",
            "3..1",
            "1s..2ms",
            "-1",
            "+1",
            "1e3",
            "inf",
            "nan",
            "1d",
            "1 s",
            "1...2",
            "25h",
            "1.2.3",
            "99999999999999999999999",
        ] {
            let error = text.parse::<Interval>().expect_err(text);
            assert!(error.to_string().starts_with(&format!("'{text}'")), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_was_dropped_goes_on_where_it_was() {
        let mut rng = Rng::with_seed(1);
        let mut pace = Pace::new(interval(10_000, 10_000));
        let begun = Instant::now();
        pace.wait(&mut rng).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        for _ in 0..3 {
            let cut = tokio::time::timeout(Duration::from_secs(3), pace.wait(&mut rng)).await;
            assert!(cut.is_err());
        }
        pace.wait(&mut rng).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn waits_are_spread_over_the_whole_interval_and_stay_inside() {
        let mut rng = Rng::with_seed(7);
        let mut pace = Pace::new(interval(1_000, 3_000));
        pace.wait(&mut rng).await;
        let mut waits = Vec::new();
        for _ in 0..200 {
            let begun = Instant::now();
            pace.wait(&mut rng).await;
            waits.push(begun.elapsed().as_millis());
        }
        // tokio's timer rounds up to its own millisecond.
        assert!(waits.iter().all(|wait| (1_000..=3_001).contains(wait)), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait < 1_200) && waits.iter().any(|wait| *wait > 2_800));
    }
}
