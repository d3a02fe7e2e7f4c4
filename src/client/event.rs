//! What a server says in `enchufe.v1`, read.
//!
//! Events that are not known here are left out, and so are fields: a server may be newer than its
//! client. What is known must be right.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Deserialize;

use crate::core::{Gap, GapReason, Message, Position};

/// What was said of a channel, whose name is as the server wrote it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Subscribed {
        channel: String,
        position: Position,
    },
    Message {
        channel: String,
        position: Position,
        time: Timestamp,
        message: Message,
    },
    Gap {
        channel: String,
        gap: Gap,
    },
    Position {
        channel: String,
        position: Position,
    },
    End {
        channel: String,
        position: Position,
        status: String,
    },
    Error {
        code: String,
        message: String,
        channel: Option<String>,
    },
    /// Nothing that concerns a follower.
    Other,
}

/// Each event has one key, which names it.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    message: Option<WireMessage<'a>>,
    #[serde(borrow)]
    subscribed: Option<WireAt<'a>>,
    #[serde(borrow)]
    position: Option<WireAt<'a>>,
    #[serde(borrow)]
    gap: Option<WireGap<'a>>,
    end: Option<WireEnd>,
    error: Option<WireError>,
}

#[derive(Deserialize)]
struct WireAt<'a> {
    channel: String,
    #[serde(borrow)]
    position: Cow<'a, str>,
}

#[derive(Deserialize)]
struct WireMessage<'a> {
    channel: String,
    #[serde(borrow)]
    position: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    data: Option<String>,
    base64: Option<String>,
}

#[derive(Deserialize)]
struct WireGap<'a> {
    channel: String,
    #[serde(borrow)]
    after: Cow<'a, str>,
    #[serde(borrow)]
    next: Cow<'a, str>,
    reason: String,
    missing: Option<u64>,
}

#[derive(Deserialize)]
struct WireEnd {
    channel: String,
    position: String,
    status: String,
}

#[derive(Deserialize)]
struct WireError {
    code: String,
    message: String,
    channel: Option<String>,
}

impl Said {
    /// Reads an event.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let wire: Wire<'_> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        Ok(match wire {
            Wire { message: Some(message), .. } => message.into_said()?,
            Wire { subscribed: Some(at), .. } => {
                Self::Subscribed { position: position(&at.position)?, channel: at.channel }
            }
            Wire { position: Some(at), .. } => {
                Self::Position { position: position(&at.position)?, channel: at.channel }
            }
            Wire { gap: Some(gap), .. } => Self::Gap {
                gap: Gap {
                    after: position(&gap.after)?,
                    next: position(&gap.next)?,
                    reason: reason(&gap.reason)?,
                    missing: gap.missing,
                },
                channel: gap.channel,
            },
            Wire { end: Some(end), .. } => Self::End {
                channel: end.channel,
                position: position(&end.position)?,
                status: end.status,
            },
            Wire { error: Some(WireError { code, message, channel }), .. } => {
                Self::Error { code, message, channel }
            }
            _ => Self::Other,
        })
    }
}

impl WireMessage<'_> {
    fn into_said(self) -> Result<Said, String> {
        let message = match (self.data, self.base64) {
            (Some(text), None) => Message::text(text),
            (None, Some(encoded)) => {
                let bytes = STANDARD.decode(encoded);
                Message::binary(bytes.map_err(|error| format!("base64: {error}"))?)
            }
            _ => return Err("a message has either data or base64".to_owned()),
        };
        let time = self.time.parse().map_err(|_| "the time of a message is none".to_owned())?;
        let position = position(&self.position)?;
        Ok(Said::Message { channel: self.channel, position, time, message })
    }
}

fn position(text: &str) -> Result<Position, String> {
    text.parse().map_err(|error: crate::core::position::ParsePositionError| error.to_string())
}

fn reason(text: &str) -> Result<GapReason, String> {
    let known = [
        GapReason::Slow,
        GapReason::Expired,
        GapReason::Reset,
        GapReason::Lost,
        GapReason::Corrupt,
        GapReason::Conflated,
    ];
    let found = known.into_iter().find(|reason| reason.as_str() == text);
    found.ok_or_else(|| format!("{text:?} is no reason for a gap"))
}

#[cfg(test)]
mod tests {
    use enchufe_core::{ChannelName, Epoch, Publication, v1};

    use super::*;

    fn read(event: &v1::Event<'_>) -> Said {
        Said::parse(&serde_json::to_vec(event).expect("plain data")).expect("an event")
    }

    #[test]
    fn what_the_core_writes_is_read_again() {
        let channel: ChannelName = "a/ñ\"".parse().expect("a name");
        let at = Position::new(Epoch(0xab), 7);
        let name = || channel.to_string();
        for message in [Message::text("ñ\"\n\u{7}"), Message::binary(&b"\xff\0"[..])] {
            let publication = Publication::new(at, Timestamp::UNIX_EPOCH, message.as_ref());
            let expected = Said::Message {
                channel: name(),
                position: at,
                time: Timestamp::UNIX_EPOCH,
                message,
            };
            assert_eq!(read(&v1::Event::message(&channel, &publication)), expected);
        }
        for reason in ["slow", "expired", "reset", "lost", "corrupt", "conflated"] {
            let reason = super::reason(reason).expect("known");
            let gap = Gap { after: at, next: Position::new(Epoch(1), 1), reason, missing: Some(3) };
            assert_eq!(read(&v1::Event::gap(&channel, &gap)), Said::Gap { channel: name(), gap });
        }
        let subscribed = Said::Subscribed { channel: name(), position: at };
        assert_eq!(read(&v1::Event::subscribed(&channel, at)), subscribed);
        let position = Said::Position { channel: name(), position: at };
        assert_eq!(read(&v1::Event::position(&channel, at)), position);
        let end = enchufe_core::End { position: at, status: "exit 0".into() };
        let said = Said::End { channel: name(), position: at, status: "exit 0".into() };
        assert_eq!(read(&v1::Event::end(&channel, &end)), said);
        assert_eq!(read(&v1::Event::Pong {}), Said::Other);
    }

    #[test]
    fn what_is_newer_is_left_out_and_what_is_wrong_is_an_error() {
        for text in [r#"{"joined":{"channel":"a","who":"b"}}"#, "{}"] {
            assert_eq!(Said::parse(text.as_bytes()), Ok(Said::Other), "{text}");
        }
        for text in [
            "",
            "hola",
            "[]",
            "7",
            r#"{"message":{"channel":"a"}}"#,
            r#"{"message":{"channel":"a","position":"7","time":"2026-11-22T12:00:44Z","data":""}}"#,
            r#"{"message":{"channel":"a","position":"a-7","time":"soon","data":""}}"#,
            r#"{"message":{"channel":"a","position":"a-7","time":"2026-11-22T12:00:44Z"}}"#,
            r#"{"message":{"channel":"a","position":"a-7","time":"2026-11-22T12:00:44Z","base64":"?"}}"#,
            r#"{"gap":{"channel":"a","after":"a-1","next":"a-3","reason":"whim"}}"#,
            r#"{"end":{"channel":"a","position":"","status":""}}"#,
            "\u{0}",
        ] {
            assert!(Said::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
