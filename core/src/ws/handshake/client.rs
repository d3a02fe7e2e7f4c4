//! The client's side: does this response open the connection that was asked for (RFC 6455 §4.1).

use super::{
    accept_key, extensions,
    fields::{Fields, Unusable, shown},
};
use crate::ws::deflate::{self, Agreed, Offer};

/// What the server chose of what was offered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// The subprotocol, if it chose one.
    pub protocol: Option<String>,
    /// How messages may be compressed, if it wants that.
    pub deflate: Option<Agreed>,
}

/// Checks the answer to an opening handshake that was sent with `key`, the subprotocols
/// `offered` and, as its only extension, the offer of compression `deflate`.
///
/// # Errors
///
/// The first rule of RFC 6455 §4.1 or RFC 7692 §7.1 that the answer breaks. The connection must then be given up.
pub fn verify(
    status: u16,
    headers: &[(&str, &[u8])],
    key: &str,
    offered: &[&str],
    deflate: Option<&Offer>,
) -> Result<Opened, HandshakeError> {
    let fields = Fields(headers);
    if status != 101 {
        return Err(HandshakeError::Status(status));
    }
    if !single(fields, "Upgrade")?.eq_ignore_ascii_case("websocket") {
        return Err(invalid(fields, "Upgrade"));
    }
    if !fields.has("Connection") {
        return Err(HandshakeError::Missing("Connection"));
    }
    if !fields.lists("Connection", "Upgrade") {
        return Err(invalid(fields, "Connection"));
    }
    let expected = accept_key(key);
    let found = single(fields, "Sec-WebSocket-Accept")?;
    if found != expected {
        return Err(HandshakeError::Accept { expected, found: shown(found.as_bytes()) });
    }
    let deflate = settle(fields, deflate)?;
    let protocol = match fields.has("Sec-WebSocket-Protocol") {
        false => None,
        true => Some(single(fields, "Sec-WebSocket-Protocol")?),
    };
    match protocol {
        Some(protocol) if !offered.contains(&protocol) => {
            Err(HandshakeError::ProtocolNotOffered(shown(protocol.as_bytes())))
        }
        protocol => Ok(Opened { protocol: protocol.map(str::to_owned), deflate }),
    }
}

fn settle(fields: Fields<'_>, offer: Option<&Offer>) -> Result<Option<Agreed>, HandshakeError> {
    let answers = extensions::extensions(fields).map_err(|_| invalid(fields, extensions::FIELD))?;
    let [answer, more @ ..] = &answers[..] else { return Ok(None) };
    let offer = offer
        .filter(|_| answer.name == deflate::NAME)
        .ok_or_else(|| HandshakeError::ExtensionNotOffered(shown(answer.name.as_bytes())))?;
    if !more.is_empty() {
        return Err(HandshakeError::Repeated(extensions::FIELD));
    }
    deflate::settle(offer, answer).map(Some).map_err(|unacceptable| HandshakeError::Deflate {
        value: shown(&fields.all(extensions::FIELD).collect::<Vec<_>>().join(&b", "[..])),
        why: unacceptable.to_string(),
    })
}

fn single<'a>(fields: Fields<'a>, name: &'static str) -> Result<&'a str, HandshakeError> {
    fields.one(name).map_err(|unusable| match unusable {
        Unusable::Missing => HandshakeError::Missing(name),
        Unusable::Repeated => HandshakeError::Repeated(name),
        Unusable::NotText => invalid(fields, name),
    })
}

fn invalid(fields: Fields<'_>, name: &'static str) -> HandshakeError {
    let value = fields.all(name).map(shown).collect::<Vec<_>>().join(", ");
    HandshakeError::Invalid { name, value }
}

/// The server's answer does not open the connection. Values in it are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The server answered with something else than a WebSocket.
    #[error("the server answered with status {0} instead of 101: no WebSocket is served there")]
    Status(u16),
    /// A field that must come is missing.
    #[error("the answer has no header {0}: no WebSocket is served there")]
    Missing(&'static str),
    /// A field that must come once came several times.
    #[error("the answer has the header {0} more than once")]
    Repeated(&'static str),
    /// A field has a value it cannot have.
    #[error("the answer has the header {name} with the invalid value '{value}'")]
    Invalid {
        /// The field.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// The answer is not to our key: it may come from a cache.
    #[error("the header Sec-WebSocket-Accept is '{found}' instead of '{expected}'")]
    Accept {
        /// What answers our key.
        expected: String,
        /// What came.
        found: String,
    },
    /// The server chose a subprotocol that was not offered.
    #[error("the server chose the subprotocol '{0}', which was not offered")]
    ProtocolNotOffered(String),
    /// The server uses an extension that was not offered.
    #[error("the server uses the extension '{0}', which was not offered")]
    ExtensionNotOffered(String),
    /// The server wants compression on terms that were not offered or do not exist.
    #[error("the server compresses with '{value}', which cannot be: {why}")]
    Deflate {
        /// What it answered.
        value: String,
        /// What is wrong with it.
        why: String,
    },
}
