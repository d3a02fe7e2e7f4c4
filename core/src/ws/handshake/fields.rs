//! Header fields looked up and read as lists (RFC 9110 §5.3, §5.6.1).

/// Header fields in the order they came, names in any case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [(&'a str, &'a [u8])]);

/// Why a field that may come once has no usable value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    Missing,
    Repeated,
    /// Not visible ASCII.
    NotText,
}

impl<'a> Fields<'a> {
    /// Every value of the field, trimmed.
    pub(super) fn all(self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim_ascii())
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The value of a field that must come exactly once.
    pub(super) fn one(self, name: &str) -> Result<&'a str, Unusable> {
        let mut values = self.all(name);
        let value = values.next().ok_or(Unusable::Missing)?;
        if values.next().is_some() {
            return Err(Unusable::Repeated);
        }
        text(value).ok_or(Unusable::NotText)
    }

    /// The elements of a list, from all its fields in order. What is not ASCII is left out: it
    /// equals no token.
    pub(super) fn list(self, name: &str) -> impl Iterator<Item = &'a str> {
        self.all(name)
            .filter_map(text)
            .flat_map(|value| value.split(','))
            .map(str::trim_ascii)
            .filter(|element| !element.is_empty())
    }

    /// Whether the list has the token, in any case.
    pub(super) fn lists(self, name: &str, token: &str) -> bool {
        self.list(name).any(|element| element.eq_ignore_ascii_case(token))
    }
}

/// Whether the text is a token, as the name of a subprotocol must be (RFC 9110 §5.6.2).
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether it may stand in a token.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
}

/// A value for people to see: escaped, since it comes from a peer, and not too long.
pub(super) fn shown(value: &[u8]) -> String {
    const SHOWN_BYTES_MAX: usize = 80;
    let mut shown = value[..value.len().min(SHOWN_BYTES_MAX)].escape_ascii().to_string();
    if value.len() > SHOWN_BYTES_MAX {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: Fields<'_> = Fields(&[
        ("Connection", b" keep-alive ,,"),
        ("HOST", b" localhost\t"),
        ("connection", b"UPGRADE"),
        ("X", b"caf\xe9"),
    ]);

    #[test]
    fn names_are_compared_in_any_case_and_values_trimmed() {
        assert_eq!(FIELDS.one("Host"), Ok("localhost"));
    }

    #[test]
    fn lists_continue_from_field_to_field() {
        assert_eq!(FIELDS.list("Connection").collect::<Vec<_>>(), ["keep-alive", "UPGRADE"]);
        assert!(FIELDS.lists("Connection", "Upgrade"));
        assert!(!FIELDS.lists("Connection", "up"));
    }

    #[test]
    fn a_single_value_says_why_there_is_none() {
        assert_eq!(FIELDS.one("Origin"), Err(Unusable::Missing));
        assert_eq!(FIELDS.one("Connection"), Err(Unusable::Repeated));
        assert_eq!(FIELDS.one("X"), Err(Unusable::NotText));
    }

    #[test]
    fn a_shown_value_is_escaped_and_short() {
        assert_eq!(shown(b"a\r\nb\xe9"), r"a\r\nb\xe9");
        assert_eq!(shown(&[b'x'; 80]), "x".repeat(80));
        assert_eq!(shown(&[b'x'; 81]), "x".repeat(80) + "…");
    }
}
