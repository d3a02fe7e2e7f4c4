//! Where a message stands in its channel: an epoch and an offset, written `epoch-offset`.
//!
//! Offsets rise within an epoch and need not be dense. A new epoch means that the log which the
//! old positions spoke of is gone, so that positions of different epochs cannot be compared.

use std::{fmt, str::FromStr};

use crate::excerpt::excerpt;

/// One life of a channel's log. Written in lower-case hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// A place in a channel's log. The offset 0 is the place before the first message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// The life of the log the offset belongs to.
    pub epoch: Epoch,
    /// Rises with every message, never reused within the epoch, not necessarily dense.
    pub offset: u64,
}

impl Position {
    /// The position `offset` in `epoch`.
    pub fn new(epoch: Epoch, offset: u64) -> Self {
        Self { epoch, offset }
    }

    /// The place that whatever stands here comes right after, whether or not a message is there:
    /// a reader that goes on after it gets this position first. That of offset 0 is itself.
    pub fn before(self) -> Self {
        Self { offset: self.offset.saturating_sub(1), ..self }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.offset)
    }
}

/// The text is not a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a position: expected EPOCH-OFFSET, such as 6251a3b2c4d5e-42")]
pub struct ParsePositionError(pub String);

impl FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParsePositionError(excerpt(text));
        let (epoch, offset) = text.split_once('-').ok_or_else(error)?;
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit());
        if !plain(epoch) || !plain(offset) {
            return Err(error());
        }
        let epoch = u64::from_str_radix(epoch, 16).map_err(|_| error())?;
        let offset = offset.parse().map_err(|_| error())?;
        Ok(Self::new(Epoch(epoch), offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_it_was_written() {
        let position = Position::new(Epoch(0x6_251a_3b2c_4d5e), 42);
        assert_eq!(position.to_string(), "6251a3b2c4d5e-42");
        assert_eq!(position.to_string().parse(), Ok(position));
    }

    #[test]
    fn nothing_is_before_the_first_place() {
        let first = Position::new(Epoch(1), 0);
        assert_eq!(first.before(), first);
        assert_eq!(Position::new(Epoch(1), 9).before(), Position::new(Epoch(1), 8));
    }

    #[test]
    fn what_is_not_a_position_is_refused_with_the_value() {
        for text in
            ["", "-", "a-", "-1", "zz-1", "a-+1", "a--1", "1", "a-1-2", "a-18446744073709551616"]
        {
            let error = text.parse::<Position>().expect_err(text);
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
