//! What a run is not to have: a difference between what a reader has and what is true.

use std::fmt;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A message that is neither received nor in a gap.
    Lost,
    /// A message that comes again, or after one that it stands before.
    Order,
    /// A message in a place that is another's, or in a second place.
    Misplaced,
    /// A message that nobody has published, or not so.
    Altered,
    /// A message whose publisher was never told that it stands anywhere.
    Unacknowledged,
    /// Answers to publishers that cannot all be true.
    Receipt,
    /// A gap where nothing is missing, or for a reason that does not hold.
    Gap,
    /// A count of missing messages that is not theirs.
    Missing,
    /// A reader that was put elsewhere than where it asked to begin.
    Start,
    /// A close, or an end, that says the wrong thing, or that nobody had a reason for.
    Ending,
    /// Something after the end.
    AfterTheEnd,
    /// A position that is not the reader's.
    Heartbeat,
    /// A reader that is told nothing more and does not have everything.
    Behind,
    /// What is no part of the protocol.
    Strange,
}

/// One of them, in words.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub(crate) kind: Kind,
    text: String,
}

impl Difference {
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.text)
    }
}
