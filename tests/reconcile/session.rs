//! What a reader notes while it reads a channel over one connection, and what it asked for.

use std::time::{Duration, Instant};

use enchufe::core::{Position, Since, SlowPolicy};
use serde_json::Value;

use crate::message::Id;

/// The wire forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wire {
    Raw,
    V1,
    Events,
    NdJson,
    Page,
}

pub(crate) const WIRES: [Wire; 5] = [Wire::Raw, Wire::V1, Wire::Events, Wire::NdJson, Wire::Page];

/// What a reader asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) channel: usize,
    pub(crate) since: Since,
    pub(crate) slow: Option<SlowPolicy>,
}

/// What it is told, in the order in which it comes.
#[derive(Debug, Clone)]
pub(crate) enum Note {
    /// Where it begins.
    Start(Position),
    /// A message, and where it stands if the form says so.
    Message(Option<Position>, Id),
    Gap(Missing, Instant),
    Heartbeat(Position),
    End(Position),
    /// The connection is closed, with this code and reason.
    Close(u16, String, Instant),
    /// Anything else.
    Strange(String),
}

/// A gap as it is told.
#[derive(Debug, Clone)]
pub(crate) struct Missing {
    pub(crate) after: Position,
    pub(crate) next: Position,
    pub(crate) reason: String,
    pub(crate) count: Option<u64>,
}

/// How it ended, if nothing was said about that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It left, or wanted no more of this channel.
    Left,
    /// It was told: by a close, or an end.
    Told,
    /// The server ended the connection without a word.
    Cut,
    /// Nothing came for so long that it gave up waiting for the end.
    GaveUp,
}

/// One channel, read over one connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) reader: String,
    pub(crate) wire: Wire,
    pub(crate) asked: Asked,
    /// A policy that ends the connection, whichever of its channels it is for.
    pub(crate) may_be_cut: bool,
    pub(crate) asked_at: Instant,
    /// When the server had surely found out where it begins.
    pub(crate) begun_at: Instant,
    pub(crate) notes: Vec<Note>,
    pub(crate) ending: Ending,
    pub(crate) ended_at: Instant,
    has_ended: bool,
}

impl Session {
    pub(crate) fn new(reader: &str, wire: Wire, asked: Asked, asked_at: Instant) -> Self {
        Self {
            reader: reader.to_owned(),
            wire,
            asked,
            may_be_cut: asked.slow == Some(SlowPolicy::Cut),
            asked_at,
            begun_at: Instant::now(),
            notes: Vec::new(),
            ending: Ending::Left,
            ended_at: asked_at,
            has_ended: false,
        }
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.has_ended |= matches!(note, Note::End(_) | Note::Close(4000, ..));
        self.notes.push(note);
    }

    pub(crate) fn strange(&mut self, text: impl Into<String>) {
        self.note(Note::Strange(text.into()));
    }

    /// Notes a payload, and where it stands.
    pub(crate) fn payload(&mut self, position: Option<Position>, payload: &[u8], is_text: bool) {
        self.note(match Id::of(payload, is_text) {
            Ok(id) => Note::Message(position, id),
            Err(error) => Note::Strange(error),
        });
    }

    /// Notes an item of JSON.
    pub(crate) fn item(&mut self, item: &Value) {
        let Some(position) = position(&item["position"]) else {
            return self.strange(format!("no position: {item}"));
        };
        if let Some(text) = item["data"].as_str() {
            self.payload(Some(position), text.as_bytes(), true);
        } else if let Some(bytes) = item["base64"].as_str().and_then(decode) {
            self.payload(Some(position), &bytes, false);
        } else {
            self.strange(format!("no payload: {item}"));
        }
    }

    /// Notes a gap of JSON.
    pub(crate) fn gap(&mut self, gap: &Value) {
        let parts = (position(&gap["after"]), position(&gap["next"]), gap["reason"].as_str());
        let (Some(after), Some(next), Some(reason)) = parts else {
            return self.strange(format!("no gap: {gap}"));
        };
        let (reason, count) = (reason.to_owned(), gap["missing"].as_u64());
        self.note(Note::Gap(Missing { after, next, reason, count }, Instant::now()));
    }

    /// Notes an end of JSON.
    pub(crate) fn end(&mut self, end: &Value) {
        match position(&end["position"]) {
            Some(position) => self.note(Note::End(position)),
            None => self.strange(format!("no end: {end}")),
        }
        self.ending = Ending::Told;
    }

    /// What it may resume after: as far as the form lets a reader know.
    pub(crate) fn resume(&self) -> Option<Position> {
        self.notes.iter().rev().find_map(|note| match note {
            Note::Start(position) | Note::Message(Some(position), _) | Note::End(position) => {
                Some(*position)
            }
            Note::Gap(gap, _) => Some(gap.next.before()),
            Note::Close(_, reason, _) if self.wire == Wire::Raw => reason.parse().ok(),
            _ => None,
        })
    }

    /// Whether it was told of the end of its channel, whatever came then.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }
}

pub(crate) fn position(value: &Value) -> Option<Position> {
    value.as_str()?.parse().ok()
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// Longer than a server that is well lets a reader wait for the end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
