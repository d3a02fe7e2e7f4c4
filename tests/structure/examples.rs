//! The examples beside the tutorial's programs.

use crate::files::{read, rust_files};

/// Each example, and the lines of its Python original that are neither empty nor a comment. The
/// live page's is the server alone, without the lines of its page.
const ORIGINALS: [(&str, usize); 8] = [
    ("echo_server", 14),
    ("echo_client", 10),
    ("resolve", 4),
    ("greet_server", 14),
    ("greet_client", 12),
    ("clock_feed", 18),
    ("numbers_feed", 15),
    ("live_page", 15),
];

#[test]
fn no_example_is_longer_than_twice_its_original_and_each_is_run_by_a_test() {
    let tests = read("tests/examples.rs");
    for path in rust_files("examples/") {
        let name = path.trim_start_matches("examples/").trim_end_matches(".rs");
        let (_, original) = ORIGINALS
            .iter()
            .find(|(example, _)| *example == name)
            .unwrap_or_else(|| panic!("{path} is the counterpart of no program of the tutorial"));
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let lines = read(&path).lines().filter(is_code).count();
        assert!(lines <= 2 * original, "{path} has {lines} lines, its original {original}");
        assert!(tests.contains(&format!("{name:?}")), "no test of tests/examples.rs runs {name}");
    }
    for (name, _) in ORIGINALS {
        assert!(
            rust_files("examples/").any(|path| path.ends_with(&format!("/{name}.rs"))),
            "{name}"
        );
    }
}
