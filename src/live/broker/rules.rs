//! Which channels are made on first use, and with what.
//!
//! A channel need not be declared: the first rule whose pattern matches its name says what it is
//! made with, and a name that none matches is that of no channel. So a server can have a channel
//! for each of its users and still none that a stranger has made up.

use std::{fmt, str::FromStr};

use enchufe_core::{ChannelName, channel::ParseChannelNameError};

use super::ChannelOptions;
use crate::limits;

/// Rules for channels that are made on first use. The first that matches counts.
#[derive(Debug, Clone)]
pub struct Rules {
    rules: Vec<Rule>,
    channels_max: usize,
}

/// What the channels of a pattern are made with.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Which channels.
    pub pattern: Pattern,
    /// With what.
    pub options: ChannelOptions,
}

impl Rules {
    /// The same rules, under which nothing is made once there are so many channels, those that were
    /// declared included.
    #[must_use]
    pub fn with_channels_max(self, channels_max: usize) -> Self {
        Self { channels_max, ..self }
    }

    /// What a channel of this name is made with; none if it may not be made.
    pub fn options(&self, channel: &ChannelName) -> Option<&ChannelOptions> {
        let rule = self.rules.iter().find(|rule| rule.pattern.matches(channel));
        rule.map(|rule| &rule.options)
    }

    pub(super) fn channels_max(&self) -> usize {
        self.channels_max
    }
}

impl Default for Rules {
    /// No rule: nothing is made on first use.
    fn default() -> Self {
        Self { rules: Vec::new(), channels_max: limits::CHANNELS_MAX }
    }
}

impl FromIterator<Rule> for Rules {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self { rules: rules.into_iter().collect(), ..Self::default() }
    }
}

/// Names of channels: an exact one, or one in which `*` stands for one segment, or one that ends
/// with `**`, which stands for all segments that follow, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(ChannelName);

impl Pattern {
    /// Whether it matches a name.
    pub fn matches(&self, channel: &ChannelName) -> bool {
        let mut segments = channel.as_str().split('/');
        for expected in self.0.as_str().split('/') {
            match (expected, segments.next()) {
                ("**", Some(_)) => return true,
                ("*", Some(_)) => {}
                (expected, Some(segment)) if expected == segment => {}
                _ => return false,
            }
        }
        segments.next().is_none()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParsePatternError {
    /// No channel's name could match.
    #[error(transparent)]
    Name(#[from] ParseChannelNameError),
    /// A star that is only part of a segment.
    #[error("the pattern '{0}' has a '*' that is not a whole segment, as in 'chat/*' or 'logs/**'")]
    PartOfSegment(String),
    /// Two stars before the last segment.
    #[error("the pattern '{0}' goes on after '**', which stands for all that follows")]
    GoesOn(String),
}

impl FromStr for Pattern {
    type Err = ParsePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name: ChannelName = text.parse()?;
        let mut segments = text.split('/').peekable();
        while let Some(segment) = segments.next() {
            match segment {
                "**" if segments.peek().is_some() => {
                    return Err(ParsePatternError::GoesOn(text.to_owned()));
                }
                "*" | "**" => {}
                _ if segment.contains('*') => {
                    return Err(ParsePatternError::PartOfSegment(text.to_owned()));
                }
                _ => {}
            }
        }
        Ok(Self(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().expect("a pattern")
    }

    #[test]
    fn a_star_is_one_segment_and_two_are_all_that_follow() {
        for (text, matched, others) in [
            ("time", &["time"][..], &["times", "time/utc", "Time"][..]),
            ("chat/*", &["chat/ana", "chat/número"], &["chat", "chat/a/b", "other/ana"]),
            ("logs/**", &["logs/a", "logs/a/b/c"], &["logs", "log/a"]),
            ("*/state", &["lamp/state"], &["state", "a/b/state", "lamp/state/x"]),
            ("a/*/**", &["a/b/c", "a/b/c/d"], &["a/b", "a"]),
            ("**", &["x", "x/y"], &[]),
        ] {
            let matches = |name: &&str| pattern(text).matches(&name.parse().expect("a name"));
            assert!(matched.iter().all(matches), "{text}");
            assert!(!others.iter().any(matches), "{text}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (text, why) in [
            ("", "needs a name"),
            ("a//b", "segment"),
            ("chat*", "not a whole segment"),
            ("a/***", "not a whole segment"),
            ("**/state", "goes on after '**'"),
        ] {
            let error = text.parse::<Pattern>().expect_err(text).to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let rule = |text: &str, history_len_max| Rule {
            pattern: pattern(text),
            options: ChannelOptions { history_len_max, ..ChannelOptions::default() },
        };
        let rules: Rules = [rule("chat/admin", 1), rule("chat/*", 2)].into_iter().collect();
        let kept = |name: &str| {
            rules.options(&name.parse().expect("a name")).map(|options| options.history_len_max)
        };
        assert_eq!((kept("chat/admin"), kept("chat/ana"), kept("else")), (Some(1), Some(2), None));
    }
}
