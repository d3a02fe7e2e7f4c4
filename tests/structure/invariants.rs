//! The invariants of ARCHITECTURE.md, each held by something that is really there.

use crate::files::{read, rust_files};

/// The rows of the table of invariants: what always holds, and what holds it.
fn rows(text: &str) -> Vec<(&str, &str)> {
    let section = text.split("## Invariants\n").nth(1).expect("a section with the invariants");
    let section = section.split("\n## ").next().expect("split gives a first part");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.skip(1).map(|row| row.split_once(" | ").expect("two columns")).collect()
}

/// What stands between backticks and looks like the name of a test: words with underscores.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(move |name| name.matches('_').count() > 2 && name.chars().all(plain))
}

#[test]
fn every_invariant_names_a_test_that_is_there_or_what_else_holds_it() {
    let text = read("ARCHITECTURE.md");
    let rows = rows(&text);
    assert!(rows.len() > 5, "the table was not found");
    let code: Vec<String> = ["src/", "core/", "tests/", "examples/"]
        .into_iter()
        .flat_map(rust_files)
        .map(|path| read(&path))
        .collect();
    for (invariant, held_by) in rows {
        assert!(held_by.contains('`'), "nothing holds this: {invariant}");
        for name in names(held_by) {
            let definition = format!("fn {name}(");
            assert!(code.iter().any(|code| code.contains(&definition)), "there is no test {name}");
        }
    }
}
