//! `Sec-WebSocket-Extensions` taken apart (RFC 6455 §9.1).

use std::borrow::Cow;

use super::fields::{Fields, is_token, is_token_byte};

/// The field's name.
pub(super) const FIELD: &str = "Sec-WebSocket-Extensions";

/// One extension that is offered or accepted, with its parameters in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ws) struct Extension<'a> {
    pub(in crate::ws) name: &'a str,
    pub(in crate::ws) parameters: Vec<(&'a str, Option<Cow<'a, str>>)>,
}

/// The field is not a list of extensions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Every extension of all the fields of that name, in order.
pub(super) fn extensions(fields: Fields<'_>) -> Result<Vec<Extension<'_>>, Malformed> {
    let mut extensions = Vec::new();
    for value in fields.all(FIELD) {
        let value = std::str::from_utf8(value).map_err(|_| Malformed)?;
        let mut reader = Reader(value);
        loop {
            // Empty elements of a list are nothing (RFC 9110 §5.6.1.2).
            while reader.takes(',') {}
            if reader.is_at_end() {
                break;
            }
            extensions.push(reader.extension()?);
            if !reader.takes(',') && !reader.is_at_end() {
                return Err(Malformed);
            }
        }
    }
    Ok(extensions)
}

/// What is left to read.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn extension(&mut self) -> Result<Extension<'a>, Malformed> {
        let name = self.token()?;
        let mut parameters = Vec::new();
        while self.takes(';') {
            let name = self.token()?;
            let value = if self.takes('=') { Some(self.value()?) } else { None };
            parameters.push((name, value));
        }
        Ok(Extension { name, parameters })
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        self.skip_space();
        let len = self.0.bytes().take_while(|byte| is_token_byte(*byte)).count();
        if len == 0 {
            return Err(Malformed);
        }
        let (token, rest) = self.0.split_at(len);
        self.0 = rest;
        Ok(token)
    }

    /// A token, or one in quotes, which is the same token.
    fn value(&mut self) -> Result<Cow<'a, str>, Malformed> {
        if !self.takes('"') {
            return self.token().map(Cow::Borrowed);
        }
        let mut value = String::new();
        let mut chars = self.0.chars();
        loop {
            match chars.next() {
                Some('"') => break,
                Some('\\') => value.extend(chars.next()),
                Some(char) => value.push(char),
                None => return Err(Malformed),
            }
        }
        self.0 = chars.as_str();
        if is_token(&value) { Ok(Cow::Owned(value)) } else { Err(Malformed) }
    }

    /// Reads the delimiter, if that is what comes next.
    fn takes(&mut self, delimiter: char) -> bool {
        self.skip_space();
        let rest = self.0.strip_prefix(delimiter);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.0.is_empty()
    }

    fn skip_space(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written back in one form, or `None` when malformed.
    fn read(values: &[&str]) -> Option<Vec<String>> {
        let fields: Vec<_> = values.iter().map(|value| (FIELD, value.as_bytes())).collect();
        let written = |extension: Extension<'_>| {
            let parameters = extension.parameters.iter().map(|(name, value)| match value {
                None => format!("; {name}"),
                Some(value) => format!("; {name}={value}"),
            });
            [extension.name.to_owned()].into_iter().chain(parameters).collect()
        };
        Some(extensions(Fields(&fields)).ok()?.into_iter().map(written).collect())
    }

    #[test]
    fn lists_and_parameters_are_read_in_order_over_several_fields() {
        let expected = ["a; x; y=1", "b", "c; z=0"].map(str::to_owned).to_vec();
        assert_eq!(read(&["a;x; y = 1 ,, b", "c\t;z=0,"]), Some(expected));
        assert_eq!(read(&[]), Some(vec![]));
        assert_eq!(read(&[" , "]), Some(vec![]));
    }

    #[test]
    fn a_quoted_value_is_the_token_in_it() {
        assert_eq!(read(&[r#"a; x="1\0""#]), Some(vec!["a; x=10".to_owned()]));
        for value in [r#"a; x="#, r#"a; x="""#, r#"a; x="1 0""#, r#"a; x="10"#, r#"a; x="1\"#] {
            assert_eq!(read(&[value]), None, "{value}");
        }
        assert_eq!(
            read(&[r#"a; x="1,0""#]),
            None,
            "a comma is no token, and ends nothing in quotes"
        );
    }

    #[test]
    fn what_is_no_list_of_tokens_is_malformed() {
        for value in [
            "a b", "a;", "a; ;x", "=", "a; =1", ";x", "a; x=1=2", "a/b", "\"a\"", "a; x y", "ñ",
            "a; x=1 2", "a\u{7f}", "a; \"x\"",
        ] {
            assert_eq!(read(&[value]), None, "{value}");
        }
    }
}
