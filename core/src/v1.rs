//! The WebSocket subprotocol `enchufe.v1`: JSON text messages, one key naming what each is.
//!
//! It is for readers that follow several channels on one connection, resume after a reconnect and
//! are told of gaps. What is sent for a publication carries the channel's name and nothing of the
//! connection, so that it is encoded once for all its viewers.

mod request;

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use crate::{
    ChannelName, End, ErrorCode, Gap, MessageRef, Position, Publication,
    json::{EndItem, GapItem, Item, PositionText},
    presence::{Change, Count, Readers, Snapshot},
    ws,
};
pub use request::{Command, ID_BYTES_MAX, ParseCommandError, Request, RequestId, Unparsed};

/// The subprotocol's name in `Sec-WebSocket-Protocol`.
pub const NAME: &str = "enchufe.v1";

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
    /// Who reads a channel.
    Presence(Of<'a, &'a Snapshot>),
    /// Readers have come.
    Join(Of<'a, &'a Readers>),
    /// Readers have left.
    Leave(Of<'a, &'a Readers>),
    /// So many read it, who are not named.
    Count(Of<'a, &'a Count>),
    /// A subscription was ended.
    Unsubscribed {
        /// Of which channel.
        channel: &'a ChannelName,
    },
    /// The answer to `ping`.
    Pong {},
    /// The answer to `publish`: the message is in the channel.
    Published {
        /// Which channel.
        channel: &'a ChannelName,
        /// Where it is.
        position: PositionText,
        /// It had been published before, under the same key.
        duplicate: bool,
    },
    /// The answer to `history`: a page of it.
    History {
        /// Of which channel.
        channel: &'a ChannelName,
        /// The messages, in order.
        items: Vec<Item<'a>>,
        /// What is missing before the first of them.
        gap: Option<GapItem>,
        /// Where the next page begins.
        next: PositionText,
        /// The newest message at that time: at `next` there is no more for now.
        head: PositionText,
    },
    /// A command was refused; the connection goes on.
    Error {
        /// A stable word for programs.
        code: ErrorCode,
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

    /// A page of history.
    pub fn history(
        channel: &'a ChannelName,
        items: &'a [Arc<Publication>],
        gap: Option<&Gap>,
        [next, head]: [Position; 2],
    ) -> Self {
        let items = items.iter().map(|publication| Item::new(publication)).collect();
        let (next, head) = (PositionText(next), PositionText(head));
        Self::History { channel, items, gap: gap.map(GapItem::from), next, head }
    }

    /// A refusal of whatever was asked.
    pub fn error(code: ErrorCode, message: &'a str, channel: Option<&'a ChannelName>) -> Self {
        let channel = channel.map(ChannelName::as_str);
        Self::Error { code, message, channel }
    }

    /// Who reads a channel.
    pub fn presence(channel: &'a ChannelName, what: &'a Snapshot) -> Self {
        Self::Presence(Of { channel, what })
    }

    /// What has changed in who reads a channel.
    pub fn change(channel: &'a ChannelName, change: &'a Change) -> Self {
        match change {
            Change::Presence(what) => Self::Presence(Of { channel, what }),
            Change::Join(what) => Self::Join(Of { channel, what }),
            Change::Leave(what) => Self::Leave(Of { channel, what }),
            Change::Count(what) => Self::Count(Of { channel, what }),
        }
    }

    /// The end of a channel.
    pub fn end(channel: &'a ChannelName, end: &'a End) -> Self {
        Self::End(Of { channel, what: end.into() })
    }
}

/// `event` as a whole WebSocket text frame.
pub fn frame(event: &Event<'_>) -> Bytes {
    answer(event, None)
}

/// `event` as a whole WebSocket text frame, the answer to the request that had this `id`.
pub fn answer(event: &Event<'_>, id: Option<&RequestId>) -> Bytes {
    #[derive(Serialize)]
    struct Answer<'a> {
        #[serde(flatten)]
        event: &'a Event<'a>,
        id: &'a RequestId,
    }
    let json = match id {
        None => serde_json::to_vec(event),
        Some(id) => serde_json::to_vec(&Answer { event, id }),
    };
    let json = json.expect("an event is plain data with text keys");
    let mut frame = Vec::new();
    ws::encode::message(&mut frame, MessageRef { kind: crate::Kind::Text, payload: &json }, None);
    Bytes::from(frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Epoch, GapReason};

    fn json(event: &Event<'_>) -> String {
        serde_json::to_string(event).expect("plain data")
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
            (
                Event::error(ErrorCode::Ended, "it is over", Some(&channel)),
                r#"{"error":{"code":"ended","message":"it is over","channel":"x"}}"#,
            ),
            (
                Event::history(&channel, &[], Some(&gap), [next, next]),
                r#"{"history":{"channel":"x","items":[],"gap":{"after":"a-5","next":"a-9","reason":"slow","missing":3},"next":"a-9","head":"a-9"}}"#,
            ),
        ] {
            assert_eq!(json(&event), expected);
        }
    }

    #[test]
    fn an_answer_has_the_id_of_its_request() {
        let channel = "x".parse().expect("a name");
        let position = PositionText(Position::new(Epoch(0xa), 5));
        let event = Event::Published { channel: &channel, position, duplicate: false };
        for (request, id) in [
            (r#"{"ping":{},"id":7}"#, "7"),
            (r#"{"id":"una\n","ping":{}}"#, r#""una\n""#),
            (r#"{"ping":{},"id":-1.5}"#, "-1.5"),
        ] {
            let Request { id: given, .. } = Request::parse(request.as_bytes()).expect(request);
            let frame = answer(&event, given.as_ref());
            let published = r#"{"channel":"x","position":"a-5","duplicate":false}"#;
            let expected = format!(r#"{{"published":{published},"id":{id}}}"#);
            assert_eq!(&frame[frame.len() - expected.len()..], expected.as_bytes());
        }
    }
}
