//! Finds the modules of the crate that a source text names: enough of Rust's grammar for that, and
//! no more.

/// A mention of a module below the crate's root.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) module: String,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// Every module that `text` names as `ROOT::module`, or within `ROOT::{…}`. A `root` of several
/// words, such as `super::super`, is one path.
pub(crate) fn imports(text: &str, root: &str) -> Vec<Import> {
    let code = without_comments(text);
    let start = format!("{root}::");
    let mut found = Vec::new();
    for (at, _) in code.match_indices(&start) {
        // `my_crate::` and `super::super::` are other paths than `crate::` and `super::`.
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| is_word(c) || c == ':') {
            continue;
        }
        let line = 1 + code[..at].matches('\n').count();
        let rest = &code[at + start.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.extend(word(rest).map(|module| Import { module, line }));
            continue;
        };
        found.extend(
            first_words(group).map(|(module, lines)| Import { module, line: line + lines }),
        );
    }
    found
}

/// The first word of each part of a group, up to the brace that closes it, and the lines before it.
fn first_words(group: &str) -> impl Iterator<Item = (String, usize)> {
    let (mut depth, mut begins, mut lines, mut found) = (0_usize, true, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            '{' => depth += 1,
            ',' if depth == 0 => begins = true,
            '\n' => lines += 1,
            _ if is_word(c) && begins => {
                begins = false;
                found.extend(word(&group[at..]).map(|module| (module, lines)));
            }
            _ => {}
        }
    }
    found.into_iter()
}

fn word(text: &str) -> Option<String> {
    let word: String = text.chars().take_while(|&c| is_word(c)).collect();
    (!word.is_empty()).then_some(word)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Line comments become empty, so that what they link to is no import; lines keep their numbers.
pub(crate) fn without_comments(text: &str) -> String {
    let code = |line: &str| match line.find("//") {
        // `://` is part of an address in a string.
        Some(at) if !line[..at].ends_with(':') => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

#[test]
fn imports_are_found_alone_in_groups_and_in_expressions() {
    let text = "\
use crate::limits;
use crate::{
    address::{Address, Host},
    live::Node, // crate::comment
    page,
};
//! [`crate::documentation`]
fn run() -> crate::cli::Exit { my_crate::other(); \"ws://crate\" }
use crate::Address;
";
    let found: Vec<(String, usize)> =
        imports(text, "crate").into_iter().map(|import| (import.module, import.line)).collect();
    let expected =
        [("limits", 1), ("address", 3), ("live", 4), ("page", 5), ("cli", 8), ("Address", 9)];
    assert_eq!(found, expected.map(|(module, line)| (module.to_owned(), line)));
}
