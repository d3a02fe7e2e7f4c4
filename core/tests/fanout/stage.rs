//! One channel and one reader, told and asked step by step.

use std::sync::Arc;

use arrayvec::ArrayVec;
use enchufe_core::{
    ChannelName, End, Form, Message, Position, Publication, SlowPolicy,
    fanout::{Action, Fanout, Limits, ReaderId, SLICES_MAX, SubscriptionId, Transmit},
    ws,
};

use crate::model::{at, name};

pub(crate) struct Stage {
    pub(crate) fanout: Fanout,
    pub(crate) channel: ChannelName,
    pub(crate) reader: ReaderId,
    pub(crate) subscription: SubscriptionId,
}

pub(crate) fn limits() -> Limits {
    Limits {
        ring_len_max: 2,
        ring_bytes_max: usize::MAX,
        outbox_bytes_max: 1 << 10,
        subscriptions_max: 2,
    }
}

impl Stage {
    /// A reader that has everything of an empty channel, and has been told so.
    pub(crate) fn new(form: Form, slow: SlowPolicy, limits: Limits) -> Self {
        let (mut fanout, channel) = (Fanout::new(limits), name(0));
        let reader = fanout.connect(form, 0);
        let subscription = fanout.subscribe(reader, &channel, Some(slow)).expect("the first");
        fanout.attached(&channel, at(0));
        fanout.start(subscription, at(0), None, SlowPolicy::Skip);
        let mut stage = Self { fanout, channel, reader, subscription };
        stage.taken();
        assert_eq!(stage.fanout.next_action(), Some(Action::Attach(name(0))));
        stage
    }

    pub(crate) fn publish(&mut self, offsets: std::ops::RangeInclusive<u64>) {
        self.fanout.publish(&self.channel, offsets.map(|offset| publication(at(offset))));
    }

    pub(crate) fn end(&mut self, position: Position) {
        self.fanout.ended(&self.channel, Arc::new(End { position, status: "exit 0".into() }));
    }

    /// Everything that there is for the reader, which takes it: messages by their offset, the
    /// rest in words.
    pub(crate) fn taken(&mut self) -> Vec<String> {
        let mut received = Vec::new();
        loop {
            let mut slices = ArrayVec::<_, SLICES_MAX>::new();
            let transmit = self.fanout.poll_transmit(self.reader, 1 << 16, &mut slices);
            for slice in &slices {
                received.extend_from_slice(slice);
            }
            drop(slices);
            match transmit {
                Transmit::Bytes(bytes) => self.fanout.sent(self.reader, bytes),
                Transmit::Idle | Transmit::Closed => return said(&mut received),
            }
        }
    }

    /// What a reader is given that takes `bytes_max` bytes at most.
    pub(crate) fn offered(&mut self, bytes_max: usize) -> usize {
        let mut slices = ArrayVec::<_, SLICES_MAX>::new();
        match self.fanout.poll_transmit(self.reader, bytes_max, &mut slices) {
            Transmit::Bytes(bytes) => bytes,
            Transmit::Idle | Transmit::Closed => 0,
        }
    }
}

pub(crate) fn publication(position: Position) -> Arc<Publication> {
    let message = Message::text(position.offset.to_string());
    let time = jiff::Timestamp::UNIX_EPOCH;
    Arc::new(Publication::new(position, time, message.as_ref()))
}

fn said(received: &mut [u8]) -> Vec<String> {
    let mut decoder = ws::Decoder::new(ws::Role::Client, ws::Limits::default());
    let (mut said, mut input) = (Vec::new(), received);
    while !input.is_empty() {
        let ws::Decoded { consumed, event, .. } = decoder.decode(input).expect("whole frames");
        match event {
            Some(ws::Event::Message(message)) => {
                said.push(in_words(std::str::from_utf8(message.payload).expect("text")));
            }
            Some(ws::Event::Close(reason)) => {
                let reason = reason.expect("the server says why");
                said.push(format!("close {} {}", reason.code.number(), reason.reason));
            }
            Some(other) => panic!("{other:?}"),
            None => {}
        }
        input = &mut input[consumed..];
    }
    said
}

fn in_words(text: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let Some((kind, body)) = event.as_object().and_then(|event| event.iter().next()) else {
        return text.to_owned();
    };
    let field = |key: &str| body[key].as_str().unwrap_or("?").to_owned();
    match kind.as_str() {
        "message" => field("data"),
        "gap" => format!("{} {} {}", field("reason"), field("after"), field("next")),
        other => format!("{other} {}", field("position")),
    }
}
