//! The WebSocket subprotocol `enchufe.v1`: JSON text messages, one key naming what each is.
//!
//! It is for readers that follow several channels on one connection, resume after a reconnect and
//! are told of gaps. What is sent for a publication carries the channel's name and nothing of the
//! connection, so that it is encoded once for all its viewers.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    ChannelName, End, Gap, MessageRef, Position, Publication, Since, SlowPolicy,
    json::{EndItem, GapItem, Item, PositionText},
    ws,
};

/// The subprotocol's name in `Sec-WebSocket-Protocol`.
pub const NAME: &str = "enchufe.v1";

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Read a channel from `since` (default: now).
    Subscribe {
        /// Which channel.
        channel: ChannelName,
        /// Where to begin.
        since: Since,
        /// What to do when this reader is too slow; without it, what the channel says.
        slow: Option<SlowPolicy>,
    },
    /// Read a channel no longer.
    Unsubscribe {
        /// Which channel.
        channel: ChannelName,
    },
    /// Answered with `pong`, for clients that cannot send WebSocket pings.
    Ping,
}

/// What the server says besides messages.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event<'a> {
    /// A subscription stands; what follows comes after `position`.
    Subscribed(At<'a>),
    /// One message.
    Message(Of<'a, Item<'a>>),
    /// Messages are missing.
    Gap(Of<'a, GapItem>),
    /// Nothing more will come.
    End(Of<'a, EndItem<'a>>),
    /// A heartbeat: the reader has everything up to here.
    Position(At<'a>),
    /// A subscription was ended.
    Unsubscribed {
        /// Of which channel.
        channel: &'a ChannelName,
    },
    /// The answer to `ping`.
    Pong {},
    /// A command was refused; the connection goes on.
    Error {
        /// A stable word for programs.
        code: &'a str,
        /// A sentence for people.
        message: &'a str,
        /// The channel it is about.
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<&'a str>,
    },
}

/// A channel and a position in it.
#[derive(Debug, Serialize)]
pub struct At<'a> {
    channel: &'a ChannelName,
    position: PositionText,
}

/// A channel and something of it.
#[derive(Debug, Serialize)]
pub struct Of<'a, T> {
    channel: &'a ChannelName,
    #[serde(flatten)]
    what: T,
}

impl<'a> Event<'a> {
    /// The message of `publication`.
    pub fn message(channel: &'a ChannelName, publication: &'a Publication) -> Self {
        Self::Message(Of { channel, what: Item::new(publication) })
    }

    /// The beginning of a subscription.
    pub fn subscribed(channel: &'a ChannelName, position: Position) -> Self {
        Self::Subscribed(At { channel, position: PositionText(position) })
    }

    /// A heartbeat.
    pub fn position(channel: &'a ChannelName, position: Position) -> Self {
        Self::Position(At { channel, position: PositionText(position) })
    }

    /// A gap.
    pub fn gap(channel: &'a ChannelName, gap: &Gap) -> Self {
        Self::Gap(Of { channel, what: gap.into() })
    }

    /// The end of a channel.
    pub fn end(channel: &'a ChannelName, end: &'a End) -> Self {
        Self::End(Of { channel, what: end.into() })
    }
}

/// `event` as a whole WebSocket text frame.
pub fn frame(event: &Event<'_>) -> Bytes {
    let json = serde_json::to_vec(event).expect("an event is plain data with text keys");
    let mut frame = Vec::new();
    ws::encode::message(&mut frame, MessageRef { kind: crate::Kind::Text, payload: &json }, None);
    Bytes::from(frame)
}

/// Why a client's message is no command. [`code`](Self::code) is what the client is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseCommandError {
    /// Not JSON, or not one of the commands.
    #[error("not a command: {0}")]
    Syntax(String),
    /// The channel's name is none.
    #[error(transparent)]
    Channel(#[from] crate::channel::ParseChannelNameError),
    /// `since` is none.
    #[error(transparent)]
    Since(#[from] crate::since::ParseSinceError),
    /// `slow` is none.
    #[error(transparent)]
    Slow(#[from] crate::slow::ParseSlowPolicyError),
}

impl ParseCommandError {
    /// The stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "bad_command",
            Self::Channel(_) => "bad_channel",
            Self::Since(_) => "bad_since",
            Self::Slow(_) => "bad_slow",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Wire<'a> {
    Subscribe(#[serde(borrow)] WireSubscribe<'a>),
    Unsubscribe(#[serde(borrow)] WireUnsubscribe<'a>),
    Ping(WireNothing),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSubscribe<'a> {
    #[serde(borrow)]
    channel: std::borrow::Cow<'a, str>,
    since: Option<String>,
    slow: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireUnsubscribe<'a> {
    #[serde(borrow)]
    channel: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireNothing {}

impl Command {
    /// Reads what a client sent.
    ///
    /// # Errors
    ///
    /// When it is none of the commands, or one of its values is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, ParseCommandError> {
        let wire: Wire<'_> = serde_json::from_slice(text)
            .map_err(|error| ParseCommandError::Syntax(error.to_string()))?;
        Ok(match wire {
            Wire::Subscribe(subscribe) => Self::Subscribe {
                channel: subscribe.channel.parse()?,
                since: subscribe.since.map_or(Ok(Since::Now), |since| since.parse())?,
                slow: subscribe.slow.map(|slow| slow.parse()).transpose()?,
            },
            Wire::Unsubscribe(unsubscribe) => {
                Self::Unsubscribe { channel: unsubscribe.channel.parse()? }
            }
            Wire::Ping(WireNothing {}) => Self::Ping,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Epoch, GapReason};

    fn json(event: &Event<'_>) -> String {
        serde_json::to_string(event).expect("plain data")
    }

    #[test]
    fn commands_read() {
        let subscribe =
            br#"{"subscribe":{"channel":"a/b","since":"last:3","slow":"latest"}}"#.as_slice();
        assert_eq!(
            Command::parse(subscribe),
            Ok(Command::Subscribe {
                channel: "a/b".parse().expect("a name"),
                since: Since::Last(3),
                slow: Some(SlowPolicy::Latest)
            })
        );
        assert_eq!(Command::parse(br#"{"ping":{}}"#), Ok(Command::Ping));
    }

    #[test]
    fn what_is_no_command_has_a_code() {
        for (text, code) in [
            ("", "bad_command"),
            ("[]", "bad_command"),
            (r#"{"shout":{}}"#, "bad_command"),
            (r#"{"subscribe":{"channel":"x","sinse":"now"}}"#, "bad_command"),
            (r#"{"subscribe":{"channel":""}}"#, "bad_channel"),
            (r#"{"subscribe":{"channel":"x","since":"42"}}"#, "bad_since"),
            (r#"{"subscribe":{"channel":"x","slow":"block"}}"#, "bad_slow"),
        ] {
            assert_eq!(Command::parse(text.as_bytes()).expect_err(text).code(), code);
        }
    }

    #[test]
    fn events_have_one_key_that_names_them() {
        let channel = "x".parse().expect("a name");
        let position = Position::new(Epoch(0xa), 5);
        let next = Position::new(Epoch(0xa), 9);
        let gap = Gap { after: position, next, reason: GapReason::Slow, missing: Some(3) };
        let end = End { position, status: "exit 0".into() };
        for (event, expected) in [
            (
                Event::subscribed(&channel, position),
                r#"{"subscribed":{"channel":"x","position":"a-5"}}"#,
            ),
            (
                Event::gap(&channel, &gap),
                r#"{"gap":{"channel":"x","after":"a-5","next":"a-9","reason":"slow","missing":3}}"#,
            ),
            (
                Event::end(&channel, &end),
                r#"{"end":{"channel":"x","position":"a-5","status":"exit 0"}}"#,
            ),
            (Event::Pong {}, r#"{"pong":{}}"#),
        ] {
            assert_eq!(json(&event), expected);
        }
    }
}
