//! The JSON shapes that `enchufe.v1`, NDJSON and history pages have in common.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::{End, Gap, Kind, MessageRef, Position, Publication};

/// A position, as text.
#[derive(Debug, Clone, Copy)]
pub struct PositionText(pub Position);

impl Serialize for PositionText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// One message: its position, its time and its payload as `data` (text) or `base64` (binary).
#[derive(Debug, Serialize)]
pub struct Item<'a> {
    position: PositionText,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl<'a> Item<'a> {
    /// The item for `publication`.
    pub fn new(publication: &'a Publication) -> Self {
        let MessageRef { kind, payload } = publication.message();
        let data = if kind == Kind::Text { std::str::from_utf8(payload).ok() } else { None };
        let base64 = data.is_none().then(|| STANDARD.encode(payload));
        Self {
            position: PositionText(publication.position),
            time: time_text(publication.time),
            data,
            base64,
        }
    }
}

/// A gap, with its bounds as text.
#[derive(Debug, Serialize)]
pub struct GapItem {
    after: PositionText,
    next: PositionText,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<u64>,
}

impl From<&Gap> for GapItem {
    fn from(gap: &Gap) -> Self {
        Self {
            after: PositionText(gap.after),
            next: PositionText(gap.next),
            reason: gap.reason.as_str(),
            missing: gap.missing,
        }
    }
}

/// The end of a channel.
#[derive(Debug, Serialize)]
pub struct EndItem<'a> {
    position: PositionText,
    status: &'a str,
}

impl<'a> From<&'a End> for EndItem<'a> {
    fn from(end: &'a End) -> Self {
        Self { position: PositionText(end.position), status: &end.status }
    }
}

/// ISO 8601 in UTC with microseconds and `Z`, the zeros kept.
pub fn time_text(time: Timestamp) -> String {
    format!("{time:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Epoch, Message};

    fn item(message: &Message) -> String {
        let position = Position::new(Epoch(0xa), 3);
        let publication = Publication::new(position, Timestamp::UNIX_EPOCH, message.as_ref());
        serde_json::to_string(&Item::new(&publication)).expect("an item is plain data")
    }

    #[test]
    fn text_is_data_and_binary_is_base64() {
        assert_eq!(
            item(&Message::text("ñ\"\n")),
            r#"{"position":"a-3","time":"1970-01-01T00:00:00.000000Z","data":"ñ\"\n"}"#
        );
        assert_eq!(
            item(&Message::binary(vec![0xff, 0])),
            r#"{"position":"a-3","time":"1970-01-01T00:00:00.000000Z","base64":"/wA="}"#
        );
    }
}
