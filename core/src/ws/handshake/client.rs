//! The client's side: does this response open the connection that was asked for (RFC 6455 §4.1).

use super::{
    accept_key,
    fields::{Fields, Unusable, shown},
};

/// Checks the answer to an opening handshake that was sent with `key` and the subprotocols
/// `offered`, and returns the one the server chose, if it did.
///
/// # Errors
///
/// The first rule of RFC 6455 §4.1 that the answer breaks. The connection must then be given up.
pub fn verify(
    status: u16,
    headers: &[(&str, &[u8])],
    key: &str,
    offered: &[&str],
) -> Result<Option<String>, HandshakeError> {
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
    if let Some(extension) = fields.all("Sec-WebSocket-Extensions").find(|value| !value.is_empty())
    {
        return Err(HandshakeError::ExtensionNotOffered(shown(extension)));
    }
    if !fields.has("Sec-WebSocket-Protocol") {
        return Ok(None);
    }
    let protocol = single(fields, "Sec-WebSocket-Protocol")?;
    match offered.contains(&protocol) {
        true => Ok(Some(protocol.to_owned())),
        false => Err(HandshakeError::ProtocolNotOffered(shown(protocol.as_bytes()))),
    }
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
    /// The server uses an extension, and none was offered.
    #[error("the server uses the extension '{0}', which was not offered")]
    ExtensionNotOffered(String),
}
