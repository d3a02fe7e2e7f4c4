//! A message: text or binary, whole, as every transport receives and sends it.

use bytes::Bytes;

/// Whether a message is text (valid UTF-8) or binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Any bytes. Streams, which know no kinds, yield binary messages.
    Binary,
}

/// One message, owned. Cloning it shares the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Text or binary. The payload of a text message is valid UTF-8.
    pub kind: Kind,
    /// The bytes of the message, without any framing.
    pub payload: Bytes,
}

impl Message {
    /// A text message.
    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: Kind::Text, payload: Bytes::from(text.into()) }
    }

    /// A binary message.
    pub fn binary(payload: impl Into<Bytes>) -> Self {
        Self { kind: Kind::Binary, payload: payload.into() }
    }

    /// Text when the payload is valid UTF-8, else binary.
    pub fn detect(payload: impl Into<Bytes>) -> Self {
        let payload = payload.into();
        let kind = if std::str::from_utf8(&payload).is_ok() { Kind::Text } else { Kind::Binary };
        Self { kind, payload }
    }

    /// The payload as text, with every invalid sequence replaced by U+FFFD.
    pub fn to_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.payload)
    }

    /// A borrowed view.
    pub fn as_ref(&self) -> MessageRef<'_> {
        MessageRef { kind: self.kind, payload: &self.payload }
    }
}

/// One message, borrowed from the buffer it was read into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageRef<'a> {
    /// Text or binary. The payload of a text message is valid UTF-8.
    pub kind: Kind,
    /// The bytes of the message, without any framing.
    pub payload: &'a [u8],
}

impl MessageRef<'_> {
    /// Copies the payload into a message of its own.
    pub fn to_owned(self) -> Message {
        Message { kind: self.kind, payload: Bytes::copy_from_slice(self.payload) }
    }
}
