//! The header fields that a user may add to the opening handshake.

use hyper::header::{HeaderName, HeaderValue};

/// The fields that the handshake sets itself, or that would make another request of it (RFC 6455
/// §4.1, RFC 9112 §6).
const OWN: [&str; 9] = [
    "host",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-accept",
    "content-length",
    "transfer-encoding",
];

/// Why a field cannot be sent with the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// There is no colon, or no name of a field before it.
    #[error("expected NAME: VALUE, the name in letters, digits and hyphens")]
    NotAField,
    /// The value has a line break or another control character, which could forge a field.
    #[error("the value of a header field cannot have a line break or another control character")]
    Control,
    /// The handshake sets this field itself.
    #[error("the handshake itself sets Host, Upgrade, Connection, Sec-WebSocket-* and the length")]
    Own,
    /// There is an option for this field.
    #[error("use --origin for Origin and --protocol for Sec-WebSocket-Protocol")]
    HasOption,
}

/// Text → a field: `NAME: VALUE`.
///
/// # Errors
///
/// See [`HeaderError`].
pub fn parse_header(text: &str) -> Result<(String, String), HeaderError> {
    let (name, value) = text.split_once(':').ok_or(HeaderError::NotAField)?;
    let (name, value) = (name.trim_matches(' '), value.trim_matches([' ', '\t']));
    check(name, value)?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The field as hyper sends it.
pub(crate) fn check(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let name: HeaderName = name.parse().map_err(|_| HeaderError::NotAField)?;
    if matches!(name.as_str(), "origin" | "sec-websocket-protocol") {
        return Err(HeaderError::HasOption);
    }
    if OWN.contains(&name.as_str()) {
        return Err(HeaderError::Own);
    }
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| HeaderError::Control)?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_a_name_a_colon_and_a_value() {
        let field = |text| parse_header(text).map(|(name, value)| format!("{name}={value}"));
        assert_eq!(field("Authorization: Bearer a:b ").as_deref(), Ok("Authorization=Bearer a:b"));
        assert_eq!(field("X-Año:ñ"), Err(HeaderError::NotAField));
        assert_eq!(field("X-Year:\taño").as_deref(), Ok("X-Year=año"));
        assert_eq!(field("X-Empty:").as_deref(), Ok("X-Empty="));
        for text in ["", ":", "X", "X Y: z", "X\r\nY: z"] {
            assert_eq!(field(text), Err(HeaderError::NotAField), "{text:?}");
        }
    }

    #[test]
    fn a_value_cannot_forge_a_field() {
        for text in ["X: a\r\nY: b", "X: a\nb", "X: a\0", "X: \x7f"] {
            assert_eq!(parse_header(text), Err(HeaderError::Control), "{text:?}");
        }
    }

    #[test]
    fn what_the_handshake_sets_is_not_set_twice() {
        for name in OWN {
            let text = format!("{}: x", name.to_uppercase());
            assert_eq!(parse_header(&text), Err(HeaderError::Own), "{text}");
        }
        for text in ["Origin: https://example.org", "sec-websocket-protocol: a"] {
            assert_eq!(parse_header(text), Err(HeaderError::HasOption), "{text}");
        }
    }
}
