//! Server-Sent Events (WHATWG HTML §9.2), encoded once per piece of a stream.
//!
//! A message that an event stream cannot carry exactly (binary, or text with a carriage return)
//! travels as an event named `base64`.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    End, Gap, Kind, Position, Publication,
    json::{EndItem, GapItem},
    presence::Change,
};

/// An `id:` alone: the reader's position, which raises no event but is what `Last-Event-ID` says
/// after a reconnect.
pub fn position(out: &mut String, position: Position) {
    push(out, format_args!("id: {position}\n\n"));
}

/// One message.
pub fn message(out: &mut String, publication: &Publication) {
    push(out, format_args!("id: {}\n", publication.position));
    let message = publication.message();
    let text = match message.kind {
        Kind::Text => std::str::from_utf8(message.payload).ok().filter(|text| !text.contains('\r')),
        Kind::Binary => None,
    };
    match text {
        Some(text) => {
            for line in text.split('\n') {
                push(out, format_args!("data: {line}\n"));
            }
        }
        None => {
            push(out, format_args!("event: base64\ndata: {}\n", STANDARD.encode(message.payload)))
        }
    }
    out.push('\n');
}

/// A gap, with the position to resume after as its id.
pub fn gap(out: &mut String, gap: &Gap, resume: Position) {
    named(out, "gap", resume, &GapItem::from(gap));
}

/// The end of the channel.
pub fn end(out: &mut String, end: &End) {
    named(out, "end", end.position, &EndItem::from(end));
}

/// What has changed in who reads the channel. It has no id: it is no place to resume after.
pub fn change(out: &mut String, change: &Change) {
    match change {
        Change::Presence(snapshot) => unnumbered(out, "presence", snapshot),
        Change::Join(readers) => unnumbered(out, "join", readers),
        Change::Leave(readers) => unnumbered(out, "leave", readers),
        Change::Count(count) => unnumbered(out, "count", count),
    }
}

fn unnumbered(out: &mut String, event: &str, data: &impl serde::Serialize) {
    let json = serde_json::to_string(data).expect("plain data with text keys");
    push(out, format_args!("event: {event}\ndata: {json}\n\n"));
}

fn named(out: &mut String, event: &str, id: Position, data: &impl serde::Serialize) {
    let json = serde_json::to_string(data).expect("plain data with text keys");
    push(out, format_args!("event: {event}\nid: {id}\ndata: {json}\n\n"));
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Epoch, Message};

    fn encoded(message: &Message) -> String {
        let mut out = String::new();
        let position = Position::new(Epoch(0xa), 3);
        let publication = Publication::new(position, jiff::Timestamp::UNIX_EPOCH, message.as_ref());
        super::message(&mut out, &publication);
        out
    }

    #[test]
    fn lines_become_data_fields() {
        assert_eq!(encoded(&Message::text("uno")), "id: a-3\ndata: uno\n\n");
        assert_eq!(encoded(&Message::text("")), "id: a-3\ndata: \n\n");
        assert_eq!(encoded(&Message::text(" a\n\nb")), "id: a-3\ndata:  a\ndata: \ndata: b\n\n");
    }

    #[test]
    fn what_cannot_be_carried_exactly_is_base64() {
        assert_eq!(encoded(&Message::text("a\rb")), "id: a-3\nevent: base64\ndata: YQ1i\n\n");
        assert_eq!(encoded(&Message::binary(vec![255])), "id: a-3\nevent: base64\ndata: /w==\n\n");
    }
}
