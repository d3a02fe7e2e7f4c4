//! What a client of `enchufe.v1` asks for: one command, and perhaps an id by which it knows the
//! answer.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{
    ChannelName, ErrorCode, Message, Since, SlowPolicy, channel::ParseChannelNameError,
    since::ParseSinceError, slow::ParseSlowPolicyError,
};

/// The longest id, in bytes of its text.
pub const ID_BYTES_MAX: usize = 128;

/// What one message of a client says.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What the client calls it; its answer, or its error, has the same.
    pub id: Option<RequestId>,
    /// What is asked for.
    pub command: Command,
}

/// A client's name for a request: a number or text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestId {
    /// As it came.
    Number(serde_json::Number),
    /// At most [`ID_BYTES_MAX`] bytes.
    Text(String),
}

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
        /// Whether to be told who reads it, and who comes and leaves.
        presence: bool,
    },
    /// Say who reads a channel.
    Presence {
        /// Which channel.
        channel: ChannelName,
    },
    /// Read a channel no longer.
    Unsubscribe {
        /// Which channel.
        channel: ChannelName,
    },
    /// Publish one message.
    Publish {
        /// To which channel.
        channel: ChannelName,
        /// What.
        message: Message,
        /// The same message with the same key is published once.
        key: Option<String>,
    },
    /// Read a page of a channel's history.
    History {
        /// Of which channel.
        channel: ChannelName,
        /// Where it begins; without it, so that it is the newest page.
        since: Option<Since>,
        /// How many messages at most; without it, as many as the server likes.
        limit: Option<u64>,
    },
    /// Answered with `pong`, for clients that cannot send WebSocket pings.
    Ping,
}

/// Why a client's message is no command. [`code`](Self::code) is what the client is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseCommandError {
    /// Not JSON, or not one of the commands.
    #[error("not a command: {0}")]
    Syntax(String),
    /// Nothing is asked for, or several things at once.
    #[error("a message has one command, this one has {0}")]
    Count(usize),
    /// An id longer than [`ID_BYTES_MAX`].
    #[error("an id has at most {ID_BYTES_MAX} bytes, this one has {0}")]
    Id(usize),
    /// What is to be published has neither `data` nor `base64`, or both.
    #[error("what is to be published is either 'data' (text) or 'base64'")]
    Payload,
    /// What should be base64 is not.
    #[error("what is to be published is not base64: {0}")]
    Base64(String),
    /// The channel's name is none.
    #[error(transparent)]
    Channel(#[from] ParseChannelNameError),
    /// `since` is none.
    #[error(transparent)]
    Since(#[from] ParseSinceError),
    /// `slow` is none.
    #[error(transparent)]
    Slow(#[from] ParseSlowPolicyError),
}

impl ParseCommandError {
    /// The stable word for programs.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Syntax(_) | Self::Count(_) | Self::Id(_) | Self::Payload | Self::Base64(_) => {
                ErrorCode::BadCommand
            }
            Self::Channel(_) => ErrorCode::BadChannel,
            Self::Since(_) => ErrorCode::BadSince,
            Self::Slow(_) => ErrorCode::BadSlow,
        }
    }
}

/// A message that is no request, and what its sender calls it, if that much can be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct Unparsed {
    /// As in [`Request::id`].
    pub id: Option<RequestId>,
    /// Why.
    pub error: ParseCommandError,
}

impl Request {
    /// Reads what a client sent.
    ///
    /// # Errors
    ///
    /// When it is none of the commands, or one of its values is wrong.
    pub fn parse(text: &[u8]) -> Result<Self, Unparsed> {
        let wire: Wire<'_> = serde_json::from_slice(text).map_err(|error| {
            let id = serde_json::from_slice(text).ok().and_then(|Only { id }| id);
            Unparsed { id, error: ParseCommandError::Syntax(error.to_string()) }
        })?;
        let id = wire.id.clone();
        match wire.command() {
            Ok(command) => Ok(Self { id, command }),
            // What is too long is not repeated.
            Err(error @ ParseCommandError::Id(_)) => Err(Unparsed { id: None, error }),
            Err(error) => Err(Unparsed { id, error }),
        }
    }
}

/// What is read of a message that cannot be read otherwise.
#[derive(Deserialize)]
struct Only {
    #[serde(default)]
    id: Option<RequestId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    id: Option<RequestId>,
    #[serde(borrow)]
    subscribe: Option<WireSubscribe<'a>>,
    #[serde(borrow)]
    presence: Option<WireChannel<'a>>,
    #[serde(borrow)]
    unsubscribe: Option<WireChannel<'a>>,
    #[serde(borrow)]
    publish: Option<WirePublish<'a>>,
    #[serde(borrow)]
    history: Option<WireHistory<'a>>,
    ping: Option<WireNothing>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSubscribe<'a> {
    #[serde(borrow)]
    channel: Cow<'a, str>,
    since: Option<String>,
    slow: Option<String>,
    #[serde(default)]
    presence: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireChannel<'a> {
    #[serde(borrow)]
    channel: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePublish<'a> {
    #[serde(borrow)]
    channel: Cow<'a, str>,
    data: Option<String>,
    #[serde(borrow)]
    base64: Option<Cow<'a, str>>,
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHistory<'a> {
    #[serde(borrow)]
    channel: Cow<'a, str>,
    since: Option<String>,
    limit: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireNothing {}

impl Wire<'_> {
    fn command(self) -> Result<Command, ParseCommandError> {
        if let Some(RequestId::Text(id)) = &self.id
            && id.len() > ID_BYTES_MAX
        {
            return Err(ParseCommandError::Id(id.len()));
        }
        let mut commands = [
            self.subscribe.map(WireSubscribe::command),
            self.presence.map(|of| Ok(Command::Presence { channel: of.channel.parse()? })),
            self.unsubscribe.map(|of| Ok(Command::Unsubscribe { channel: of.channel.parse()? })),
            self.publish.map(WirePublish::command),
            self.history.map(WireHistory::command),
            self.ping.map(|WireNothing {}| Ok(Command::Ping)),
        ]
        .into_iter()
        .flatten();
        match (commands.next(), commands.count()) {
            (Some(command), 0) => command,
            (command, more) => Err(ParseCommandError::Count(usize::from(command.is_some()) + more)),
        }
    }
}

impl WireSubscribe<'_> {
    fn command(self) -> Result<Command, ParseCommandError> {
        Ok(Command::Subscribe {
            channel: self.channel.parse()?,
            since: self.since.map_or(Ok(Since::Now), |since| since.parse())?,
            slow: self.slow.map(|slow| slow.parse()).transpose()?,
            presence: self.presence,
        })
    }
}

impl WirePublish<'_> {
    fn command(self) -> Result<Command, ParseCommandError> {
        let channel = self.channel.parse()?;
        let message = match (self.data, self.base64) {
            (Some(text), None) => Message::text(text),
            (None, Some(base64)) => {
                let decoded = STANDARD.decode(base64.as_bytes());
                let wrong =
                    |error: base64::DecodeError| ParseCommandError::Base64(error.to_string());
                Message::binary(decoded.map_err(wrong)?)
            }
            _ => return Err(ParseCommandError::Payload),
        };
        Ok(Command::Publish { channel, message, key: self.key })
    }
}

impl WireHistory<'_> {
    fn command(self) -> Result<Command, ParseCommandError> {
        Ok(Command::History {
            channel: self.channel.parse()?,
            since: self.since.map(|since| since.parse()).transpose()?,
            limit: self.limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Command {
        Request::parse(text.as_bytes()).expect(text).command
    }

    #[test]
    fn commands_read() {
        let channel: ChannelName = "a/b".parse().expect("a name");
        let publish = |message, key: Option<&str>| Command::Publish {
            channel: channel.clone(),
            message,
            key: key.map(str::to_owned),
        };
        for (text, expected) in [
            (
                r#"{"subscribe":{"channel":"a/b","since":"last:3","slow":"latest"}}"#,
                Command::Subscribe {
                    channel: channel.clone(),
                    since: Since::Last(3),
                    slow: Some(SlowPolicy::Latest),
                    presence: false,
                },
            ),
            (r#"{"ping":{}}"#, Command::Ping),
            (
                r#"{"publish":{"channel":"a\/b","data":"ho\nla","key":"k"}}"#,
                publish(Message::text("ho\nla"), Some("k")),
            ),
            (
                r#"{"publish":{"channel":"a/b","base64":"/wA="}}"#,
                publish(Message::binary(vec![0xff, 0]), None),
            ),
            (
                r#"{"history":{"channel":"a/b","since":"all","limit":7}}"#,
                Command::History {
                    channel: channel.clone(),
                    since: Some(Since::All),
                    limit: Some(7),
                },
            ),
        ] {
            assert_eq!(command(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_command_has_a_code_and_the_id_if_there_is_one() {
        let long = format!(r#"{{"ping":{{}},"id":"{}"}}"#, "x".repeat(ID_BYTES_MAX + 1));
        for (text, code, has_id) in [
            ("", "bad_command", false),
            ("[]", "bad_command", false),
            ("{}", "bad_command", false),
            (r#"{"shout":{},"id":1}"#, "bad_command", true),
            (r#"{"id":1}"#, "bad_command", true),
            (r#"{"ping":{},"subscribe":{"channel":"x"},"id":1}"#, "bad_command", true),
            (r#"{"ping":{},"id":{}}"#, "bad_command", false),
            (r#"{"ping":{},"id":true}"#, "bad_command", false),
            (&long, "bad_command", false),
            (r#"{"subscribe":{"channel":"x","sinse":"now"}}"#, "bad_command", false),
            (r#"{"subscribe":{"channel":""},"id":1}"#, "bad_channel", true),
            (r#"{"subscribe":{"channel":"x","since":"42"}}"#, "bad_since", false),
            (r#"{"subscribe":{"channel":"x","slow":"wait"}}"#, "bad_slow", false),
            (r#"{"publish":{"channel":"x"},"id":1}"#, "bad_command", true),
            (r#"{"publish":{"channel":"x","data":"","base64":""}}"#, "bad_command", false),
            (r#"{"publish":{"channel":"x","base64":"!"}}"#, "bad_command", false),
            (r#"{"publish":{"channel":"a//b","data":""}}"#, "bad_channel", false),
            (r#"{"history":{"channel":"x","limit":-1}}"#, "bad_command", false),
            (r#"{"history":{"channel":"x","since":"?"}}"#, "bad_since", false),
        ] {
            let Unparsed { id, error } = Request::parse(text.as_bytes()).expect_err(text);
            assert_eq!((error.code().as_str(), id.is_some()), (code, has_id), "{text}");
        }
    }
}
