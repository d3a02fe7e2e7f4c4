//! What is wrong with a configuration, and where.

use std::io;

use super::{Key, Section, values::Expected};

/// One thing that is wrong with a configuration.
#[derive(Debug)]
pub struct Problem {
    /// Where, if it is in a file.
    pub place: Option<Place>,
    /// What.
    pub cause: Cause,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// Its line; the first is 1.
    pub line: usize,
    /// What stands in the line.
    pub excerpt: String,
    /// So many characters of the line come before.
    pub before: usize,
    /// So many are meant, at least one.
    pub len: usize,
}

/// What is wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// The file is longer than a configuration is.
    TooLong {
        /// The file.
        path: String,
    },
    /// It is no TOML. The words are the parser's.
    Syntax(String),
    /// There is no such key.
    UnknownKey {
        /// What stands there.
        name: String,
        /// Where it stands.
        section: Section,
        /// The key that is like it.
        similar: Option<Key>,
        /// The key of that name, which belongs elsewhere.
        elsewhere: Option<Key>,
    },
    /// A value is not what it must be.
    BadValue {
        /// The key, the flag or the variable.
        name: String,
        /// The value.
        value: String,
        /// What it must be.
        expected: Expected,
    },
    /// A key that must be there is not.
    Missing {
        /// The key.
        key: Key,
        /// What needs it.
        with: &'static str,
    },
    /// A key means nothing beside another.
    Misplaced {
        /// The key.
        key: Key,
        /// What it stands beside.
        with: String,
    },
    /// A source cannot feed what is only a pattern of names.
    SourceOfPattern(String),
    /// Two channels read standard input, of which there is one.
    SharedInput(String),
    /// An address is served with TLS, and nothing says with which certificate.
    NoCertificate(String),
}

impl Place {
    /// The place of some bytes of a text.
    pub(super) fn new(file: &str, text: &str, span: std::ops::Range<usize>) -> Self {
        let (mut start, mut end) = (span.start.min(text.len()), span.end.min(text.len()));
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        while !text.is_char_boundary(end) {
            end += 1;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let excerpt = text[line_start..line_end].trim_end_matches('\r').to_owned();
        let meant = &text[start..end.clamp(start, line_end)];
        Self {
            file: file.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            excerpt,
            before: text[line_start..start].chars().count(),
            len: meant.chars().count().max(1),
        }
    }

    /// The line and, below it, what is meant of it.
    pub fn lines(&self) -> [String; 2] {
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        // A tab stays one, so that what stands below it stands below it on every terminal.
        let blank = |c| if c == '\t' { '\t' } else { ' ' };
        let before: String = self.excerpt.chars().take(self.before).map(blank).collect();
        let carets = "^".repeat(self.len);
        [format!("{number} | {}", self.excerpt), format!("{gutter} | {before}{carets}")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_its_line_and_what_is_meant_of_it() {
        let text = "año = 1\r\n\thistroy = 2\n";
        let at = text.find("histroy").expect("there");
        let place = Place::new("a.toml", text, at..at + 7);
        assert_eq!(place.line, 2);
        assert_eq!(place.lines(), ["2 | \thistroy = 2", "  | \t^^^^^^^"]);
        let place = Place::new("a.toml", text, 0..4);
        assert_eq!(place.lines(), ["1 | año = 1", "  | ^^^"]);
    }

    #[test]
    fn what_goes_on_for_lines_or_is_at_the_end_is_shown_all_the_same() {
        let text = "a = [\n1,\n";
        assert_eq!(Place::new("a", text, 4..8).lines(), ["1 | a = [", "  |     ^"]);
        assert_eq!(Place::new("a", text, 9..9).lines(), ["3 | ", "  | ^"]);
        assert_eq!(Place::new("a", text, 99..120).lines(), ["3 | ", "  | ^"]);
        assert_eq!(Place::new("a", "", 0..0).lines(), ["1 | ", "  | ^"]);
    }
}
