//! The name of a channel, checked once at the edge.

use std::{fmt, str::FromStr, sync::Arc};

use crate::excerpt::excerpt;

/// The longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 200;

/// A channel's name: UTF-8, one or more segments separated by `/`, at most
/// [`NAME_BYTES_MAX`] bytes. Cloning it is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelName(Arc<str>);

impl ChannelName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for ChannelName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The text cannot name a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseChannelNameError {
    /// Nothing was given.
    #[error("a channel needs a name")]
    Empty,
    /// Longer than [`NAME_BYTES_MAX`].
    #[error("the channel name '{0}…' is longer than {NAME_BYTES_MAX} bytes")]
    TooLong(String),
    /// A segment between slashes is empty, `.` or `..`, which URLs do not carry faithfully.
    #[error("the channel name '{0}' has an empty, '.' or '..' segment")]
    Segment(String),
    /// A control character, which would forge lines in logs and on terminals.
    #[error("the channel name {0:?} has a control character")]
    Control(String),
}

impl FromStr for ChannelName {
    type Err = ParseChannelNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseChannelNameError::Empty);
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(ParseChannelNameError::TooLong(excerpt(text)));
        }
        if text.chars().any(char::is_control) {
            return Err(ParseChannelNameError::Control(text.to_owned()));
        }
        if text.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(ParseChannelNameError::Segment(text.to_owned()));
        }
        Ok(Self(Arc::from(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_segments_and_any_script() {
        for text in ["time", "a/b/c", "número", "с/🦀", &"x".repeat(NAME_BYTES_MAX)] {
            assert_eq!(text.parse::<ChannelName>().expect(text).as_str(), text);
        }
    }

    #[test]
    fn what_cannot_be_a_name_says_why() {
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for text in ["", "/a", "a/", "a//b", ".", "a/..", "a\nb", "\u{85}", &long] {
            text.parse::<ChannelName>().expect_err(text);
        }
    }
}
