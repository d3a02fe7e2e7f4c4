//! What a reader is told when it cannot have every message.

use std::fmt;

use crate::Position;

/// The open interval `(after, next)`: messages of the channel inside it may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The last position the reader is known to have had.
    pub after: Position,
    /// The first position after the gap that can be had.
    pub next: Position,
    /// Why.
    pub reason: GapReason,
    /// How many messages are missing, where that is known.
    pub missing: Option<u64>,
}

impl Gap {
    /// What is missing before a page of history that was read from where `start` said one begins.
    /// The history may have moved on in between: then more is missing than was known at that time.
    pub fn before_page(start: Option<Self>, page: Option<Self>) -> Option<Self> {
        match (start, page) {
            (Some(start), Some(page)) => Some(Self { next: page.next, missing: None, ..start }),
            (start, page) => start.or(page),
        }
    }
}

/// Why messages are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GapReason {
    /// The reader was too slow and the history moved on without it.
    Slow,
    /// The reader came back after the history had let go of what it missed.
    Expired,
    /// The log that the reader's position spoke of is gone.
    Reset,
    /// A crash lost messages that the configured durability did not protect.
    Lost,
    /// The log was damaged.
    Corrupt,
    /// The reader asked for the newest message only.
    Conflated,
}

impl GapReason {
    /// Every reason, in the order of their declaration.
    pub const ALL: [Self; 6] =
        [Self::Slow, Self::Expired, Self::Reset, Self::Lost, Self::Corrupt, Self::Conflated];

    /// The word that every wire form uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Expired => "expired",
            Self::Reset => "reset",
            Self::Lost => "lost",
            Self::Corrupt => "corrupt",
            Self::Conflated => "conflated",
        }
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The end of a channel: its source has ended and nothing more will come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The position of the last message.
    pub position: Position,
    /// How the source ended, such as `exit 0` or `end of input`.
    pub status: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Epoch;

    #[test]
    fn what_goes_while_a_reader_is_told_of_a_reset_is_missing_too() {
        let at = |epoch, offset| Position::new(Epoch(epoch), offset);
        let gap = |after, next, reason, missing| Some(Gap { after, next, reason, missing });
        let reset = gap(at(7, 3), at(8, 1), GapReason::Reset, None);
        let expired = gap(at(8, 0), at(8, 5), GapReason::Expired, Some(4));
        assert_eq!(
            Gap::before_page(reset, expired),
            gap(at(7, 3), at(8, 5), GapReason::Reset, None)
        );
        assert_eq!(Gap::before_page(None, expired), expired);
        assert_eq!(Gap::before_page(reset, None), reset);
        assert_eq!(Gap::before_page(None, None), None);
    }
}
