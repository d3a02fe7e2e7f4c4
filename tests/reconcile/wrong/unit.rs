//! What a wire form is made of: frames, lines, or events, each as the bytes it came in.

use enchufe::core::Position;
use serde_json::Value;

/// How the bytes from the server are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// WebSocket frames of a raw reader.
    Raw,
    /// WebSocket frames with events of `enchufe.v1`.
    V1,
    /// Server-Sent Events.
    Events,
    /// Lines of JSON.
    Lines,
    /// Not at all.
    Whole,
}

/// What a unit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Message,
    Gap,
    End,
    Close,
    Position,
    Else,
}

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;

impl Cut {
    /// How long the first whole unit is, if it is all there.
    pub(super) fn first(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Whole => (!bytes.is_empty()).then_some(bytes.len()),
            Self::Lines => Some(bytes.iter().position(|byte| *byte == b'\n')? + 1),
            Self::Events => Some(bytes.windows(2).position(|pair| pair == b"\n\n")? + 2),
            Self::Raw | Self::V1 => {
                let start = payload_at(bytes)?;
                let length = match bytes[1] {
                    126 => usize::from(u16::from_be_bytes(bytes[2..4].try_into().ok()?)),
                    127 => u64::from_be_bytes(bytes[2..10].try_into().ok()?).try_into().ok()?,
                    short => usize::from(short),
                };
                (bytes.len() >= start + length).then_some(start + length)
            }
        }
    }

    /// What one says.
    pub(super) fn says(self, unit: &[u8]) -> Says {
        let begins = |text: &str| unit.starts_with(text.as_bytes());
        match self {
            Self::Whole => Says::Else,
            Self::Raw => match unit[0] {
                TEXT | BINARY => Says::Message,
                CLOSE => Says::Close,
                _ => Says::Else,
            },
            Self::V1 => {
                match self.value(unit).as_object().and_then(|object| object.keys().next()) {
                    Some(key) => says(key),
                    None if unit[0] == CLOSE => Says::Close,
                    None => Says::Else,
                }
            }
            Self::Lines => match self.value(unit) {
                value if value.get("data").or(value.get("base64")).is_some() => Says::Message,
                value => {
                    value.as_object().and_then(|o| o.keys().next()).map_or(Says::Else, |k| says(k))
                }
            },
            Self::Events if begins("event: gap") => Says::Gap,
            Self::Events if begins("event: end") => Says::End,
            Self::Events if unit.windows(6).any(|part| part == b"\ndata:") => Says::Message,
            Self::Events => Says::Position,
        }
    }

    /// What it has of JSON.
    fn value(self, unit: &[u8]) -> Value {
        let json = match self {
            Self::V1 if unit[0] == TEXT => payload_at(unit).map_or(unit, |start| &unit[start..]),
            Self::Events => {
                let text = std::str::from_utf8(unit).unwrap_or_default();
                let data = text.lines().find_map(|line| line.strip_prefix("data: "));
                data.unwrap_or_default().as_bytes()
            }
            _ => unit,
        };
        serde_json::from_slice(json).unwrap_or_default()
    }

    /// The same unit with what it has of JSON changed.
    pub(super) fn with(self, unit: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut value = self.value(unit);
        match self {
            Self::V1 | Self::Lines if value.is_object() => {}
            Self::Events if value.is_object() => {}
            _ => return unit.to_vec(),
        }
        if let (Self::V1 | Self::Lines, Some(body)) =
            (self, value.as_object_mut().and_then(|object| object.values_mut().next()))
            && body.is_object()
        {
            change(body);
        } else {
            change(&mut value);
        }
        let json = value.to_string();
        match self {
            Self::V1 => frame(TEXT, json.as_bytes()),
            Self::Lines => format!("{json}\n").into_bytes(),
            _ => {
                let text = String::from_utf8_lossy(unit);
                let others = text.lines().filter(|line| !line.starts_with("data: "));
                let mut event: String = others.map(|line| format!("{line}\n")).collect();
                event.truncate(event.trim_end().len());
                format!("{event}\ndata: {json}\n\n").into_bytes()
            }
        }
    }

    /// The same message with another last letter.
    pub(super) fn altered(self, unit: &[u8]) -> Vec<u8> {
        let mut bytes = unit.to_vec();
        let end = match self {
            Self::Raw => bytes.len(),
            // Before the quotation mark and what closes the objects, or before the blank line.
            Self::V1 => bytes.len() - 3,
            Self::Lines => bytes.len() - 3,
            _ => bytes.len() - 2,
        };
        bytes[end - 1] ^= 1;
        bytes
    }

    /// The same close with a position one further on.
    pub(super) fn resumed_elsewhere(self, unit: &[u8]) -> Option<Vec<u8>> {
        let payload = &unit[payload_at(unit)?..];
        let reason: Position = std::str::from_utf8(payload.get(2..)?).ok()?.parse().ok()?;
        let further = Position { offset: reason.offset + 1, ..reason };
        Some(frame(CLOSE, &[&payload[..2], further.to_string().as_bytes()].concat()))
    }
}

fn says(key: &str) -> Says {
    match key {
        "message" => Says::Message,
        "gap" => Says::Gap,
        "end" => Says::End,
        "position" => Says::Position,
        _ => Says::Else,
    }
}

fn payload_at(bytes: &[u8]) -> Option<usize> {
    let start = match bytes.get(1)? {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    (bytes.len() >= start).then_some(start)
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short), _) if short < 126 => frame.push(short),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}
