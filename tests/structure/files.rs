//! The files of the repository, and how long they are.

use std::path::Path;
use std::process::Command;

const MEDIAN_MAX: usize = 150;
const NINTH_TENTH_MAX: usize = 400;
const LONGEST_MAX: usize = 700;

/// The files that Git knows of and that are still there, by their path from the root.
pub(crate) fn tracked() -> Vec<String> {
    let output = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("git is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("file names are text");
    let names = names.split_terminator('\0').filter(|path| full(path).is_file());
    names.map(str::to_owned).collect()
}

/// The Rust files in a folder.
pub(crate) fn rust_files(folder: &str) -> impl Iterator<Item = String> {
    let files = tracked().into_iter();
    files.filter(move |path| path.starts_with(folder) && path.ends_with(".rs"))
}

pub(crate) fn full(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(full(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Each line of `text` with one of `words` in it, as `file:line: word`. A word that begins or ends
/// with a letter stands alone: `rand` is not in `operand`.
pub(crate) fn lines_with(path: &str, text: &str, words: &[&str]) -> Vec<String> {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let stands_alone = |line: &str, at: usize, word: &str| {
        let (before, after) =
            (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
        let goes_on_before = is_word(before) && is_word(word.chars().next());
        let goes_on_after = is_word(after) && is_word(word.chars().next_back());
        !goes_on_before && !goes_on_after
    };
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in words {
            if line.match_indices(word).any(|(at, _)| stands_alone(line, at, word)) {
                found.push(format!("{path}:{}: {word}", index + 1));
            }
        }
    }
    found
}

#[test]
fn most_files_are_short_and_none_is_long() {
    let is_code = |path: &String| {
        [".rs", ".js", ".mjs", ".py"].iter().any(|extension| path.ends_with(extension))
    };
    let mut lengths: Vec<(usize, String)> = tracked()
        .into_iter()
        .filter(is_code)
        .map(|path| (read(&path).lines().count(), path))
        .collect();
    lengths.sort();
    let at = |percent: usize| &lengths[(lengths.len() * percent / 100).min(lengths.len() - 1)];
    assert!(at(50).0 <= MEDIAN_MAX, "the median file is {:?}", at(50));
    assert!(at(90).0 <= NINTH_TENTH_MAX, "one file in ten is longer than {:?}", at(90));
    assert!(at(100).0 <= LONGEST_MAX, "the longest file is {:?}", at(100));
}

#[test]
fn a_word_is_found_only_where_it_stands_alone() {
    assert_eq!(lines_with("a.rs", "operand\nuse rand::rng;", &["rand"]), ["a.rs:2: rand"]);
    assert_eq!(lines_with("a.rs", "x.unwrap()", &[".unwrap()"]), ["a.rs:1: .unwrap()"]);
    assert!(lines_with("a.rs", "eprintln!()", &["println!"]).is_empty());
}
