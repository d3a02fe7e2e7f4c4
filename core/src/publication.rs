//! A message with its place in a channel, encoded once per wire form.
//!
//! Server frames carry no mask, so that one encoded frame serves every viewer. The raw frame is
//! what a publication is stored as (its payload is the frame's tail); the other form is made when
//! the first viewer of that form needs it, and kept.

use std::sync::OnceLock;

use bytes::Bytes;
use jiff::Timestamp;

use crate::{ChannelName, Kind, MessageRef, Position, v1, ws};

/// What the names, the position and the time of a message take in `enchufe.v1`, for a channel with
/// a name of some thirty bytes.
const V1_ENVELOPE_BYTES: usize = 160;

/// The longest header of a frame (RFC 6455 §5.2).
const FRAME_HEADER_BYTES_MAX: usize = 14;

/// What a WebSocket viewer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Payloads and nothing else.
    Raw,
    /// The JSON messages of the subprotocol `enchufe.v1`.
    V1,
}

/// One message of a channel. Shared by everyone who reads it.
#[derive(Debug)]
pub struct Publication {
    /// Where it stands.
    pub position: Position,
    /// When the broker took it.
    pub time: Timestamp,
    kind: Kind,
    payload_start: u8,
    raw: Bytes,
    v1: OnceLock<Bytes>,
}

impl Publication {
    /// Encodes `message` once; the payload is copied into its frame.
    pub fn new(position: Position, time: Timestamp, message: MessageRef<'_>) -> Self {
        let mut raw = Vec::new();
        ws::encode::message(&mut raw, message, None);
        let payload_start = u8::try_from(raw.len() - message.payload.len())
            .expect("a frame's header is at most 14 bytes");
        Self {
            position,
            time,
            kind: message.kind,
            payload_start,
            raw: Bytes::from(raw),
            v1: OnceLock::new(),
        }
    }

    /// The message.
    pub fn message(&self) -> MessageRef<'_> {
        MessageRef { kind: self.kind, payload: &self.raw[usize::from(self.payload_start)..] }
    }

    /// The frame for viewers of `form`, encoded the first time it is asked for. `channel` is the
    /// channel the publication belongs to.
    pub fn frame(&self, form: Form, channel: &ChannelName) -> &Bytes {
        match form {
            Form::Raw => &self.raw,
            Form::V1 => self.v1.get_or_init(|| v1::frame(&v1::Event::message(channel, self))),
        }
    }

    /// What keeping it costs, in bytes, roughly: the frames of both forms, whether or not the
    /// second has been asked for yet, and the bookkeeping around them. (JSON makes more of text
    /// that is full of control characters.)
    pub fn cost(&self) -> usize {
        cost(self.raw.len())
    }

    /// What keeping `message` will [cost](Self::cost) at most.
    pub fn cost_max(message: MessageRef<'_>) -> usize {
        cost(message.payload.len() + FRAME_HEADER_BYTES_MAX)
    }
}

fn cost(frame_bytes: usize) -> usize {
    let v1 = V1_ENVELOPE_BYTES + frame_bytes * 4 / 3;
    frame_bytes + v1 + size_of::<Publication>() + 2 * size_of::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Epoch, Message};

    fn publication(message: &Message) -> Publication {
        Publication::new(Position::new(Epoch(1), 2), Timestamp::UNIX_EPOCH, message.as_ref())
    }

    #[test]
    fn the_raw_frame_ends_with_the_payload() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let message = Message::binary(vec![7; length]);
            let publication = publication(&message);
            assert_eq!(publication.message(), message.as_ref());
            let frame = publication.frame(Form::Raw, &"x".parse().expect("a name")).clone();
            assert!(frame.ends_with(&message.payload) && frame.len() > length);
        }
    }

    #[test]
    fn the_cost_covers_the_frames_of_both_forms() {
        let channel = "a-channel/with-some/thirty-bytes".parse().expect("a name");
        let position = Position::new(Epoch(u64::MAX >> 12), 1 << 40);
        for length in [0, 1, 100, 70_000] {
            for message in [Message::binary(vec![7; length]), Message::text("ñ".repeat(length))] {
                let publication =
                    Publication::new(position, Timestamp::UNIX_EPOCH, message.as_ref());
                let frames = [Form::Raw, Form::V1].map(|f| publication.frame(f, &channel).len());
                assert!(frames.iter().sum::<usize>() < publication.cost(), "{length}: {frames:?}");
                assert!(publication.cost() <= Publication::cost_max(message.as_ref()));
            }
        }
    }

    #[test]
    fn a_form_is_encoded_once() {
        let publication = publication(&Message::text("hola"));
        let channel = "x".parse().expect("a name");
        let first = publication.frame(Form::V1, &channel).as_ptr();
        assert_eq!(first, publication.frame(Form::V1, &channel).as_ptr());
    }
}
