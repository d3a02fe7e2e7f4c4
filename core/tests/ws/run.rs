//! Drives a decoder as a connection does, and remembers what it said.

use enchufe_core::{
    Kind,
    ws::{
        CloseReason, Decoded, Decoder, Event, Limits, Role, Violation,
        deflate::{Direction, WindowBits},
    },
};

/// An event that owns what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Message(Kind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<CloseReason>),
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Message(message) => Self::Message(message.kind, message.payload.to_vec()),
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(payload) => Self::Pong(payload.to_vec()),
            Event::Close(reason) => Self::Close(reason),
        }
    }
}

/// All that came of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<Seen>,
    pub(crate) violation: Option<Violation>,
}

impl Outcome {
    pub(crate) fn violation(&self) -> Violation {
        self.violation.unwrap_or_else(|| panic!("no violation: {self:?}"))
    }
}

/// Decodes one piece as it is read into the caller's buffer.
pub(crate) fn feed(decoder: &mut Decoder, piece: &[u8], outcome: &mut Outcome) {
    let mut buffer = piece.to_vec();
    let mut at = 0;
    loop {
        match decoder.decode(&mut buffer[at..]) {
            Ok(Decoded { consumed, event: None, .. }) => {
                assert_eq!(at + consumed, buffer.len(), "no event means that all is consumed");
                return;
            }
            Ok(Decoded { consumed, event: Some(event), .. }) => {
                at += consumed;
                outcome.events.push(event.into());
            }
            Err(violation) => {
                assert_eq!(outcome.violation, None, "one violation ends the connection");
                outcome.violation = Some(violation);
                return;
            }
        }
    }
}

/// Decodes a stream that arrives cut at the given places.
pub(crate) fn decode_cut(bytes: &[u8], cuts: &[usize], role: Role, limits: Limits) -> Outcome {
    decode_cut_by(Decoder::new(role, limits), bytes, cuts)
}

pub(crate) fn decode_cut_by(mut decoder: Decoder, bytes: &[u8], cuts: &[usize]) -> Outcome {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| *cut.min(&bytes.len())).collect();
    cuts.push(bytes.len());
    cuts.sort_unstable();

    let mut outcome = Outcome::default();
    let mut from = 0;
    for to in cuts {
        feed(&mut decoder, &bytes[from..to], &mut outcome);
        from = to;
    }
    outcome
}

/// Decodes a stream that arrives in one piece, at each cut into two, and byte by byte: it must
/// not matter.
pub(crate) fn decode(bytes: &[u8], role: Role, limits: Limits) -> Outcome {
    decode_by(|| Decoder::new(role, limits), bytes)
}

/// The same for any decoder.
pub(crate) fn decode_by(decoder: impl Fn() -> Decoder, bytes: &[u8]) -> Outcome {
    let whole = decode_cut_by(decoder(), bytes, &[]);
    for cut in 0..=bytes.len() {
        assert_eq!(decode_cut_by(decoder(), bytes, &[cut]), whole, "cut at {cut}");
    }
    let everywhere: Vec<usize> = (0..bytes.len()).collect();
    assert_eq!(decode_cut_by(decoder(), bytes, &everywhere), whole, "byte by byte");
    whole
}

/// Compression with the largest window, and with or without context takeover.
pub(crate) fn direction(context_takeover: bool) -> Direction {
    Direction { context_takeover, window_bits: WindowBits::MAX }
}

/// What a client gets from a server that sends these bytes.
pub(crate) fn from_server(bytes: &[u8]) -> Outcome {
    decode(bytes, Role::Client, Limits::default())
}

/// What a server gets from a client that sends these bytes.
pub(crate) fn from_client(bytes: &[u8]) -> Outcome {
    decode(bytes, Role::Server, Limits::default())
}

pub(crate) fn text(text: &str) -> Seen {
    Seen::Message(Kind::Text, text.into())
}

pub(crate) fn binary(payload: impl Into<Vec<u8>>) -> Seen {
    Seen::Message(Kind::Binary, payload.into())
}
