//! Where a reader wants to begin: the `since` of every wire form.

use std::{fmt, str::FromStr, time::Duration};

use crate::{Position, excerpt::excerpt};

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// With what comes after this position.
    After(Position),
    /// With the oldest message that is still there.
    All,
    /// With the next message.
    Now,
    /// With the newest so many.
    Last(u64),
    /// With the messages that are no older than this.
    Age(Duration),
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(position) => position.fmt(f),
            Self::All => f.write_str("all"),
            Self::Now => f.write_str("now"),
            Self::Last(count) => write!(f, "last:{count}"),
            Self::Age(age) => write!(f, "-{}s", age.as_secs()),
        }
    }
}

/// The text is not a `since`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a place to begin: expected a position, all, now, last:N or an age such as -10m"
)]
pub struct ParseSinceError(pub String);

impl FromStr for Since {
    type Err = ParseSinceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = match text {
            "all" => Some(Self::All),
            "now" => Some(Self::Now),
            _ => {
                if let Some(count) = text.strip_prefix("last:") {
                    number(count).map(Self::Last)
                } else if let Some(age) = text.strip_prefix('-') {
                    duration(age).map(Self::Age)
                } else {
                    text.parse().ok().map(Self::After)
                }
            }
        };
        parsed.ok_or_else(|| ParseSinceError(excerpt(text)))
    }
}

/// Digits alone: `u64::from_str` would take a sign too.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn duration(text: &str) -> Option<Duration> {
    let unit_at = text.len().checked_sub(1).filter(|&at| text.is_char_boundary(at))?;
    let (count, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number(count)?.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Epoch;

    #[test]
    fn every_form_reads() {
        let position = Position::new(Epoch(0xab), 7);
        for (text, since) in [
            ("ab-7", Since::After(position)),
            ("all", Since::All),
            ("now", Since::Now),
            ("last:100", Since::Last(100)),
            ("-10m", Since::Age(Duration::from_secs(600))),
            ("-2d", Since::Age(Duration::from_secs(172_800))),
        ] {
            assert_eq!(text.parse(), Ok(since));
        }
    }

    #[test]
    fn nonsense_is_refused_with_the_value() {
        for text in
            ["", "last:", "last:-1", "last:+1", "-", "-m", "-10", "-10y", "-1é", "ALL", "42"]
        {
            let error = text.parse::<Since>().expect_err(text);
            assert!(error.to_string().starts_with(&format!("'{text}'")), "{error}");
        }
    }
}
