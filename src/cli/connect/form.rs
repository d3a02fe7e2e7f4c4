//! What a received message looks like in the output: itself, or a dump, or a line of JSON.

use std::borrow::Cow;

use enchufe_core::{Message, message::Kind, ws::CloseReason};
use jiff::Timestamp;
use serde::Serialize;

use super::hex;
use crate::cli::args::Framing;

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// As they are.
    Plain,
    /// As a hex dump.
    Hex,
    /// As lines of JSON.
    Json,
}

/// What a received message looks like.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) framing: Framing,
    style: Style,
    has_stamps: bool,
    is_stream: bool,
    /// Of the next byte in a stream.
    offset: u64,
    /// Whether the last chunk of a stream ended within a line.
    is_in_line: bool,
}

/// A message in its form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shaped<'a> {
    /// A part of a stream, which may begin and end within a line.
    Part(Cow<'a, [u8]>),
    /// A message, which wants to be framed, and what stands before it.
    Message { stamp: Option<String>, payload: &'a [u8] },
    /// Lines, whole.
    Lines(Vec<u8>),
}

/// What happens and is no message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event<'a> {
    /// A connection stands.
    Open { address: &'a str },
    /// The peer said that it closes.
    Close(&'a CloseReason),
    /// The peer sends no more.
    End,
    /// The connection broke.
    Lost { error: &'a str },
}

impl Form {
    pub(super) fn new(framing: Framing, style: Style, has_stamps: bool, is_stream: bool) -> Self {
        Self { framing, style, has_stamps, is_stream, offset: 0, is_in_line: false }
    }

    /// The message, which came just now.
    pub(super) fn shape<'a>(&mut self, message: &'a Message) -> Shaped<'a> {
        let payload = &message.payload[..];
        match self.style {
            Style::Json => Shaped::Lines(self.json(message)),
            Style::Hex => Shaped::Lines(self.dump(payload)),
            Style::Plain if self.framing != Framing::Raw => {
                let stamp = self.has_stamps.then(stamp);
                Shaped::Message { stamp, payload }
            }
            Style::Plain if self.has_stamps => Shaped::Part(self.stamped(payload).into()),
            Style::Plain => Shaped::Part(payload.into()),
        }
    }

    /// A line for what is no message, where the form has such lines.
    pub(super) fn event(&self, event: Event<'_>) -> Option<Vec<u8>> {
        if self.style != Style::Json {
            return None;
        }
        let mut line = EventLine { time: stamp(), ..EventLine::default() };
        match event {
            Event::Open { address } => (line.event, line.address) = ("open", Some(address)),
            Event::End => line.event = "end",
            Event::Lost { error } => (line.event, line.error) = ("lost", Some(error)),
            Event::Close(CloseReason { code, reason }) => {
                line.event = "close";
                (line.code, line.reason) = (Some(code.number()), Some(reason.as_str()));
            }
        }
        Some(json_line(&line))
    }

    /// A stream is a single run of bytes, a message has offsets of its own and ends with its
    /// length.
    fn dump(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if self.has_stamps {
            out.extend_from_slice(stamp().as_bytes());
            out.push(b'\n');
        }
        hex::dump(payload, self.offset, &mut out);
        match self.is_stream && self.framing == Framing::Raw {
            true => self.offset += payload.len() as u64,
            false => hex::end(payload.len() as u64, &mut out),
        }
        out
    }

    fn json(&self, message: &Message) -> Vec<u8> {
        let kind = match message.kind {
            _ if self.is_stream => "bytes",
            Kind::Text => "text",
            Kind::Binary => "binary",
        };
        let text = std::str::from_utf8(&message.payload).ok();
        let base64 = text.is_none().then(|| Framing::in_base64(&message.payload));
        json_line(&MessageLine { time: stamp(), kind, text, base64 })
    }

    /// The time before each line that begins in this chunk.
    fn stamped(&mut self, chunk: &[u8]) -> Vec<u8> {
        let (stamp, mut out) = (stamp(), Vec::with_capacity(chunk.len() + 64));
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            if !self.is_in_line {
                out.extend_from_slice(stamp.as_bytes());
                out.push(b' ');
            }
            out.extend_from_slice(part);
            self.is_in_line = !part.ends_with(b"\n");
        }
        out
    }
}

/// A message as JSON. The fields are those of a recording.
#[derive(Serialize)]
struct MessageLine<'a> {
    time: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// An event as JSON.
#[derive(Default, Serialize)]
struct EventLine<'a> {
    time: String,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

fn json_line(line: &impl Serialize) -> Vec<u8> {
    // Texts and numbers are always JSON.
    let mut json = serde_json::to_vec(line).unwrap_or_default();
    json.push(b'\n');
    json
}

/// Now, in UTC and microseconds (RFC 3339).
fn stamp() -> String {
    format!("{:.6}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use enchufe_core::ws::CloseCode;

    use super::*;

    /// The text with every time in it as `T`.
    fn timeless(bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut words: Vec<&str> = Vec::new();
        for word in text.split_inclusive([' ', '"', '\n']) {
            let bare = word.trim_end_matches([' ', '"', '\n']);
            match bare.parse::<Timestamp>() {
                Ok(_) if bare.len() == "2020-08-19T17:18:12.116856Z".len() => {
                    words.extend(["T", &word[bare.len()..]]);
                }
                _ => words.push(word),
            }
        }
        words.concat()
    }

    fn lines(form: &mut Form, message: Message) -> String {
        match form.shape(&message) {
            Shaped::Lines(lines) => timeless(&lines),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_as_json_has_its_kind_and_its_text_or_base64() {
        let mut form = Form::new(Framing::Lines, Style::Json, false, false);
        let line = lines(&mut form, Message::text("a\n\"b\""));
        assert_eq!(line, "{\"time\":\"T\",\"kind\":\"text\",\"text\":\"a\\n\\\"b\\\"\"}\n");
        let line = lines(&mut form, Message::binary(&b"\xff\0"[..]));
        assert_eq!(line, "{\"time\":\"T\",\"kind\":\"binary\",\"base64\":\"/wA=\"}\n");
        let mut stream = Form::new(Framing::Raw, Style::Json, false, true);
        let line = lines(&mut stream, Message::binary(&b"a"[..]));
        assert_eq!(line, "{\"time\":\"T\",\"kind\":\"bytes\",\"text\":\"a\"}\n");
    }

    #[test]
    fn what_is_no_message_is_a_line_of_json_alone() {
        let reason = CloseReason::new(CloseCode::GOING_AWAY, "bye");
        let form = Form::new(Framing::Lines, Style::Json, false, false);
        for (event, line) in [
            (Event::Open { address: "ws://h" }, "\"event\":\"open\",\"address\":\"ws://h\"}\n"),
            (Event::Close(&reason), "\"event\":\"close\",\"code\":1001,\"reason\":\"bye\"}\n"),
            (Event::End, "\"event\":\"end\"}\n"),
            (Event::Lost { error: "x" }, "\"event\":\"lost\",\"error\":\"x\"}\n"),
        ] {
            let shown = form.event(event).expect("a line");
            assert_eq!(timeless(&shown), format!("{{\"time\":\"T\",{line}"));
        }
        let plain = Form::new(Framing::Lines, Style::Plain, true, false);
        assert_eq!(plain.event(Event::End), None);
    }

    #[test]
    fn each_line_of_a_stream_has_the_time_wherever_it_was_cut() {
        let mut form = Form::new(Framing::Raw, Style::Plain, true, true);
        let mut out = Vec::new();
        for chunk in ["un", "o\ndos\n", "\nt"] {
            let message = Message::binary(chunk);
            let Shaped::Part(part) = form.shape(&message) else { panic!("a part") };
            out.extend_from_slice(&part);
        }
        assert_eq!(timeless(&out), "T uno\nT dos\nT \nT t");
    }

    #[test]
    fn a_stream_is_dumped_as_one_and_messages_are_each_with_their_length() {
        let mut stream = Form::new(Framing::Raw, Style::Hex, false, true);
        assert!(lines(&mut stream, Message::binary("ab")).starts_with("00000000  61 62 "));
        assert!(lines(&mut stream, Message::binary("c")).starts_with("00000002  63 "));
        let mut messages = Form::new(Framing::Lines, Style::Hex, false, false);
        assert!(lines(&mut messages, Message::text("ab")).ends_with("|ab|\n00000002\n"));
        assert_eq!(lines(&mut messages, Message::text("")), "00000000\n");
    }
}
