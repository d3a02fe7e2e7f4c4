//! Messages that are to be published, as lines of JSON: text as `data`, binary as `base64`, as in
//! what is read.
//!
//! A line of plain NDJSON is a message itself, which only JSON can be. Here a line stands for one,
//! which may be any bytes, so that a batch of whatever a program printed is one request.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{Kind, Message, MessageRef};

/// The media type of such lines.
pub const MEDIA_TYPE: &str = "application/vnd.enchufe.messages+x-ndjson";

/// One message that is to be published.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    data: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    base64: Option<Cow<'a, str>>,
}

/// The line stands for no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseDraftError {
    /// Not JSON, or not of the shape.
    #[error("{0}")]
    Syntax(String),
    /// Neither text nor binary, or both.
    #[error("expected either data or base64")]
    Kind,
    /// Not Base64.
    #[error("base64: {0}")]
    Base64(base64::DecodeError),
}

impl<'a> Draft<'a> {
    /// The draft of `message`.
    pub fn of(message: MessageRef<'a>) -> Self {
        let MessageRef { kind, payload } = message;
        let text = if kind == Kind::Text { std::str::from_utf8(payload).ok() } else { None };
        let base64 = text.is_none().then(|| STANDARD.encode(payload).into());
        Self { data: text.map(Cow::Borrowed), base64 }
    }

    /// The message that a line stands for.
    ///
    /// # Errors
    ///
    /// When it stands for none.
    pub fn parse(line: &'a str) -> Result<Message, ParseDraftError> {
        let draft: Self = serde_json::from_str(line)
            .map_err(|error| ParseDraftError::Syntax(error.to_string()))?;
        match (draft.data, draft.base64) {
            (Some(text), None) => Ok(Message::text(text)),
            (None, Some(encoded)) => {
                let bytes = STANDARD.decode(encoded.as_bytes());
                Ok(Message::binary(bytes.map_err(ParseDraftError::Base64)?))
            }
            _ => Err(ParseDraftError::Kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_message_is_a_line_and_the_same_message_again() {
        for message in [
            Message::text(""),
            Message::text("ñ\"\n\r\u{0}\u{2028}"),
            Message::binary(&b"text"[..]),
            Message::binary(&b"\xff\n\0"[..]),
        ] {
            let line = serde_json::to_string(&Draft::of(message.as_ref())).expect("plain data");
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(Draft::parse(&line), Ok(message));
        }
    }

    #[test]
    fn what_stands_for_no_message_is_refused() {
        for line in [
            "",
            "7",
            "{}",
            r#"{"data":"a","base64":""}"#,
            r#"{"data":"a","x":1}"#,
            r#"{"base64":"?"}"#,
        ] {
            assert!(Draft::parse(line).is_err(), "{line}");
        }
    }
}
