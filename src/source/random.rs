//! Random whole numbers at random intervals: the tutorial's dice.

use std::{ops::RangeInclusive, str::FromStr};

use enchufe_core::Message;
use fastrand::Rng;

use super::{
    Source,
    interval::{Interval, Pace},
};
use crate::limits;

/// Which numbers may come: both ends included, all equally likely. Written `0..=9`, or `7` for
/// always the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers(RangeInclusive<i64>);

impl Numbers {
    /// The tutorial's: the ten digits.
    pub const DIGITS: Self = Self(0..=9);

    /// The numbers of `range`, or `None` when it has none.
    pub fn new(range: RangeInclusive<i64>) -> Option<Self> {
        (!range.is_empty()).then_some(Self(range))
    }
}

/// The text names no numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' names no numbers: expected one, or a range with both its ends, such as 7 or 0..=9")]
pub struct ParseNumbersError(String);

impl FromStr for Numbers {
    type Err = ParseNumbersError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (min, max) = text.split_once("..=").unwrap_or((text, text));
        min.parse()
            .ok()
            .zip(max.parse().ok())
            .and_then(|(min, max)| Self::new(min..=max))
            .ok_or_else(|| {
                ParseNumbersError(text.chars().take(limits::EXCERPT_CHARS_MAX).collect())
            })
    }
}

/// Tells a random number, at once and then after each interval. It never ends.
#[derive(Debug)]
pub struct Random {
    numbers: Numbers,
    pace: Pace,
    rng: Rng,
}

impl Random {
    /// The tutorial's: at random, up to a second apart.
    pub const DEFAULT_INTERVAL: Interval = Interval::up_to_secs(1);

    /// Numbers out of `numbers`, at `interval`.
    pub fn new(numbers: Numbers, interval: Interval) -> Self {
        Self::with_rng(numbers, interval, Rng::new())
    }

    /// Numbers and intervals drawn from `rng`, for tests that need the same ones again.
    pub fn with_rng(numbers: Numbers, interval: Interval, rng: Rng) -> Self {
        Self { numbers, pace: Pace::new(interval), rng }
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new(Numbers::DIGITS, Self::DEFAULT_INTERVAL)
    }
}

impl Source for Random {
    async fn next(&mut self) -> Option<Message> {
        self.pace.wait(&mut self.rng).await;
        Some(Message::text(self.rng.i64(self.numbers.0.clone()).to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn tell(mut source: Random, count: usize) -> Vec<i64> {
        let mut told = Vec::new();
        for _ in 0..count {
            let message = source.next().await.expect("numbers do not end");
            told.push(message.to_text().parse().expect("a number"));
        }
        told
    }

    fn seeded(numbers: &str) -> Random {
        let numbers = numbers.parse().expect(numbers);
        Random::with_rng(numbers, Random::DEFAULT_INTERVAL, Rng::with_seed(42))
    }

    #[tokio::test(start_paused = true)]
    async fn every_digit_comes_and_nothing_else() {
        let mut told = tell(seeded("0..=9"), 500).await;
        told.sort_unstable();
        told.dedup();
        assert_eq!(told, (0..=9).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn one_number_comes_always() {
        assert_eq!(tell(seeded("7"), 20).await, [7; 20]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_seed_tells_the_same_numbers() {
        let range = "-1000000..=1000000";
        assert_eq!(tell(seeded(range), 50).await, tell(seeded(range), 50).await);
    }

    #[test]
    fn the_largest_range_is_a_range() {
        let text = format!("{}..={}", i64::MIN, i64::MAX);
        assert!(text.parse::<Numbers>().is_ok());
    }

    #[test]
    fn what_names_no_numbers_is_refused_with_the_value() {
        for text in ["", "a", "9..=0", "0..9", "0-9", "..=9", "1..=", "1.5", "9223372036854775808"]
        {
            let error = text.parse::<Numbers>().expect_err(text);
            assert!(error.to_string().starts_with(&format!("'{text}'")), "{error}");
        }
    }
}
