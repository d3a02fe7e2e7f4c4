//! `exec:PROGRAM ARGUMENTS`: words as a shell reads them, without the shell.
//!
//! Quotes and backslashes mean what they mean there (POSIX, Shell Command Language §2.2), and
//! nothing else does: `$`, `*`, `|` and `;` are letters like any other, so that no text can run
//! more than the one program.

use std::fmt;

use super::ParseAddressError;

/// A program and its arguments.
///
/// Its `Display` quotes what has to be quoted, and reads back as the same words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExecAddress {
    /// The program, and behind it its arguments. There is at least one word.
    pub words: Vec<String>,
}

impl ExecAddress {
    /// `command` is what follows the scheme in `text`.
    pub(super) fn parse(text: &str, command: &str) -> Result<Self, ParseAddressError> {
        if command.contains('\0') {
            return Err(ParseAddressError::BadCommand { text: text.to_owned(), character: '\0' });
        }
        let words = words(command).map_err(|quote| {
            let (text, character) = (text.to_owned(), quote);
            ParseAddressError::BadCommand { text, character }
        })?;
        match words.first().is_none_or(String::is_empty) {
            true => Err(ParseAddressError::NoProgram { text: text.to_owned() }),
            false => Ok(Self { words }),
        }
    }
}

impl fmt::Display for ExecAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            let is_plain =
                |character: char| character.is_alphanumeric() || "_-./:=,@%+".contains(character);
            if !word.is_empty() && word.chars().all(is_plain) {
                f.write_str(word)?;
            } else {
                write!(f, "'{}'", word.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}

/// The words of a command, or the quote (a backslash is one) with nothing behind it that ends it.
fn words(command: &str) -> Result<Vec<String>, char> {
    let mut words = Vec::new();
    // `None` between words: `''` is one.
    let mut word: Option<String> = None;
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' | '"' => quoted(&mut characters, character, word.get_or_insert_default())?,
            '\\' => match characters.next().ok_or('\\')? {
                // The line goes on.
                '\n' => {}
                next => word.get_or_insert_default().push(next),
            },
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Takes what stands up to the closing quote. Between double quotes a backslash takes the meaning
/// of a few characters, and is itself before any other.
fn quoted(
    characters: &mut impl Iterator<Item = char>,
    quote: char,
    word: &mut String,
) -> Result<(), char> {
    while let Some(character) = characters.next() {
        if character == quote {
            return Ok(());
        }
        if character != '\\' || quote == '\'' {
            word.push(character);
            continue;
        }
        match characters.next().ok_or(quote)? {
            '\n' => {}
            next @ ('$' | '`' | '"' | '\\') => word.push(next),
            next => word.extend(['\\', next]),
        }
    }
    Err(quote)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_and_backslashes_mean_what_they_mean_in_a_shell() {
        for (command, expected) in [
            ("cat", &["cat"][..]),
            ("  sort\t-n  ", &["sort", "-n"]),
            ("printf '%s\n' \"a b\"", &["printf", "%s\n", "a b"]),
            (r"grep \'a", &["grep", "'a"]),
            (r#"x "a\"b\$c\d""#, &["x", r#"a"b$c\d"#]),
            ("x ''", &["x", ""]),
            ("a'b'\"c\"d", &["abcd"]),
            ("a\\\nb \"c\\\nd\"", &["ab", "cd"]),
            ("echo $HOME *.rs | cat; # all", &["echo", "$HOME", "*.rs", "|", "cat;", "#", "all"]),
        ] {
            let expected = expected.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(words(command), Ok(expected), "{command}");
        }
        assert_eq!(words("a 'b"), Err('\''));
        assert_eq!(words("a \"b"), Err('"'));
        assert_eq!(words("a \"b\\"), Err('"'));
        assert_eq!(words("a\\"), Err('\\'));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_as_the_same_words(
            program in r"[^\x00]{1,8}",
            arguments in prop::collection::vec(r"[^\x00]{0,8}", 0..4),
        ) {
            let address = ExecAddress { words: [vec![program], arguments].concat() };
            let shown = address.to_string();
            prop_assert_eq!(ExecAddress::parse(&shown, &shown), Ok(address));
        }
    }
}
