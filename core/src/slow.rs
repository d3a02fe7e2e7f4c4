//! What becomes of readers who do not keep up, and what they may choose of it.

use std::str::FromStr;

use crate::excerpt::excerpt;

/// What becomes of a reader that does not keep up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SlowPolicy {
    /// A gap, then on with the oldest message that is still there.
    #[default]
    Skip,
    /// The newest message only, whenever there is room for one.
    Latest,
    /// The connection is closed with the position to resume after.
    Cut,
    /// Publishers wait for the reader, so long and no longer; then it is cut.
    Block,
}

/// The text names no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a policy for slow readers: expected skip, latest, cut or block")]
pub struct ParseSlowPolicyError(pub String);

impl SlowPolicy {
    /// The word that every wire form uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Latest => "latest",
            Self::Cut => "cut",
            Self::Block => "block",
        }
    }
}

impl FromStr for SlowPolicy {
    type Err = ParseSlowPolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "skip" => Ok(Self::Skip),
            "latest" => Ok(Self::Latest),
            "cut" => Ok(Self::Cut),
            "block" => Ok(Self::Block),
            _ => Err(ParseSlowPolicyError(excerpt(text))),
        }
    }
}

/// Which policies readers of a channel may choose. What the channel itself has for those who do not
/// choose is theirs in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SlowChoices(u8);

impl SlowChoices {
    /// Whatever the channel has, and nothing else.
    pub const NONE: Self = Self(0);

    /// Whether a reader may choose `policy`.
    pub const fn contains(self, policy: SlowPolicy) -> bool {
        self.0 & Self::bit(policy) != 0
    }

    /// With `policy` as one more choice.
    #[must_use]
    pub const fn with(self, policy: SlowPolicy) -> Self {
        Self(self.0 | Self::bit(policy))
    }

    const fn bit(policy: SlowPolicy) -> u8 {
        1 << policy as u8
    }
}

impl Default for SlowChoices {
    /// All that cost nobody but the reader itself.
    fn default() -> Self {
        [SlowPolicy::Skip, SlowPolicy::Latest, SlowPolicy::Cut].into_iter().collect()
    }
}

impl FromIterator<SlowPolicy> for SlowChoices {
    fn from_iter<I: IntoIterator<Item = SlowPolicy>>(policies: I) -> Self {
        policies.into_iter().fold(Self::NONE, Self::with)
    }
}
