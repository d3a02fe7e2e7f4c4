//! What is heard of channels, as it is printed: the message alone, or lines of JSON.

use enchufe_core::{
    ChannelName, Kind,
    json::{GapItem, PositionText, time_text},
};
use serde::Serialize;

use crate::{
    cli::{
        args::{self, Framing},
        escape,
    },
    client::Event,
};

/// How what is heard is printed.
#[derive(Debug)]
pub(super) struct Form {
    is_json: bool,
    has_stamps: bool,
    framing: Framing,
    /// On a terminal nothing is printed that would drive it.
    is_terminal: bool,
    /// Which channels have had their first line.
    begun: Vec<ChannelName>,
}

/// A message. The fields are those of a channel as NDJSON, and the channel.
#[derive(Serialize)]
struct MessageLine<'a> {
    channel: &'a ChannelName,
    position: PositionText,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Where a channel begins.
#[derive(Serialize)]
struct PositionLine<'a> {
    channel: &'a ChannelName,
    position: PositionText,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum OtherLine<'a> {
    Gap {
        channel: &'a ChannelName,
        #[serde(flatten)]
        gap: GapItem,
    },
    End {
        channel: &'a ChannelName,
        position: PositionText,
        status: &'a str,
    },
}

impl Form {
    pub(super) fn new(args: &args::Follow, is_terminal: bool) -> Self {
        Self {
            is_json: args.json,
            has_stamps: args.timestamps,
            framing: args.framing,
            is_terminal,
            begun: Vec::new(),
        }
    }

    /// Appends what is to be printed of the event, if anything is.
    pub(super) fn put(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.is_json {
            self.put_json(event, out);
            return;
        }
        let Event::Message { time, message, .. } = event else { return };
        if self.has_stamps {
            out.extend_from_slice(time_text(*time).as_bytes());
            out.push(b' ');
        }
        // Base64 drives no terminal.
        if !self.is_terminal || self.framing == Framing::Base64 {
            self.framing.frame(&message.payload, out);
        } else {
            // After its time, a line that is not one's own could pass for another message.
            let text = match self.has_stamps {
                true => escape::line(&message.payload),
                false => escape::text(&message.payload),
            };
            out.extend_from_slice(text.as_bytes());
            out.push(b'\n');
        }
    }

    fn put_json(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Message { channel, position, time, message } => {
                let data = match message.kind {
                    Kind::Text => std::str::from_utf8(&message.payload).ok(),
                    Kind::Binary => None,
                };
                let base64 = data.is_none().then(|| Framing::in_base64(&message.payload));
                let (position, time) = (PositionText(*position), time_text(*time));
                self.line(&MessageLine { channel, position, time, data, base64 }, out);
            }
            Event::Gap { channel, gap } => {
                self.line(&OtherLine::Gap { channel, gap: gap.into() }, out);
            }
            Event::End { channel, position, status } => {
                let position = PositionText(*position);
                self.line(&OtherLine::End { channel, position, status }, out);
            }
            Event::Subscribed { channel, position } if !self.begun.contains(channel) => {
                self.begun.push(channel.clone());
                self.line(&PositionLine { channel, position: PositionText(*position) }, out);
            }
            _ => {}
        }
    }

    fn line(&self, line: &impl Serialize, out: &mut Vec<u8>) {
        // Texts and numbers are always JSON.
        let json = serde_json::to_string(line).unwrap_or_default();
        match self.is_terminal {
            true => out.extend_from_slice(escape::line(json.as_bytes()).as_bytes()),
            false => out.extend_from_slice(json.as_bytes()),
        }
        out.push(b'\n');
    }
}
