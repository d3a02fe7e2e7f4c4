//! Codes: each stands in one file alone, and in the guide with what a client should do.

use enchufe::core::{ErrorCode, ws::CloseCode};

use crate::files::{lines_with, read, rust_files};
use crate::imports::without_comments;

/// Where codes are sent from.
const SENDERS: [&str; 5] = ["core/src/", "src/http/", "src/live/", "src/serve", "src/shard/"];

/// The files that have them.
const HOMES: [&str; 2] = ["core/src/codes.rs", "core/src/ws/codes.rs"];

/// The pages of the guide that list them: the English one with the words of the code.
const PAGES: [(&str, bool); 2] =
    [("docs/guide/protocol.md", true), ("docs/guide/protocol.es.md", false)];

fn sending_code() -> impl Iterator<Item = (String, String)> {
    SENDERS
        .iter()
        .flat_map(|folder| rust_files(folder))
        .filter(|path| !HOMES.contains(&path.as_str()) && !path.ends_with("/tests.rs"))
        .map(|path| {
            let text = read(&path);
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(&text);
            let code = without_comments(code);
            (path, code)
        })
}

#[test]
fn no_code_is_written_out_where_it_is_sent() {
    let errors: Vec<String> = ErrorCode::ALL.iter().map(|code| format!("\"{code}\"")).collect();
    let own = CloseCode::NAMED.iter().filter(|code| code.number() >= 4000);
    let closes: Vec<String> = own.map(|code| code.number().to_string()).collect();
    let words: Vec<&str> = errors.iter().chain(&closes).map(String::as_str).collect();
    let files: Vec<(String, String)> = sending_code().collect();
    assert!(files.len() > 50, "only {} files send codes", files.len());
    let found: Vec<String> =
        files.iter().flat_map(|(path, code)| lines_with(path, code, &words)).collect();
    assert!(found.is_empty(), "name them by their constants:\n{}", found.join("\n"));
}

/// The rows of the table whose first column has this heading: the words in back quotes of the first
/// cell, or its numbers, and the last cell.
fn rows<'a>(page: &'a str, heading: &str) -> Vec<(&'a str, &'a str)> {
    let mut lines = page.lines().skip_while(|line| !line.starts_with(&format!("| {heading} |")));
    lines.next().unwrap_or_else(|| panic!("there is no table of '{heading}'"));
    lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].trim_matches('`'), *cells.last().expect("split gives a part"))
        })
        .collect()
}

#[test]
fn the_guide_lists_every_code_with_what_a_client_should_do_and_no_other() {
    for (path, is_english) in PAGES {
        let page = read(path);
        let errors: Vec<(&str, &str)> =
            ErrorCode::ALL.iter().map(|code| (code.as_str(), code.advice())).collect();
        let numbers: Vec<String> =
            CloseCode::NAMED.iter().map(|code| code.number().to_string()).collect();
        let advice = CloseCode::NAMED.iter().map(|code| code.advice().expect("it has a name"));
        let closes: Vec<(&str, &str)> = numbers.iter().map(String::as_str).zip(advice).collect();
        let headings = if is_english {
            ["Error code", "Close code"]
        } else {
            ["Código de error", "Código de cierre"]
        };
        for (heading, expected) in headings.into_iter().zip([errors, closes]) {
            let listed = rows(&page, heading);
            let codes = |rows: &[(&str, &str)]| {
                rows.iter().map(|(code, _)| (*code).to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(codes(&listed), codes(&expected), "{path}, {heading}");
            for ((code, says), (_, should)) in listed.iter().zip(&expected) {
                assert!(!says.is_empty(), "{path} does not say what to do about {code}");
                assert!(!is_english || says == should, "{path}, {code}: {says} / {should}");
            }
        }
    }
}
