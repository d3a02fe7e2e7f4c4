//! Recordings as a relay makes them, for the tests of those who read them.

use std::io::Write as _;

use tempfile::NamedTempFile;

/// The first line of a recording.
const FIRST: &str = r#"{"enchufe":"recording","version":1,"started":"2026-01-02T03:04:05.678901Z","from":"-","to":"-"}"#;

/// A recording with these lines after the first.
pub(crate) fn recorded(lines: &[&str]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    for line in [&[FIRST], lines].concat() {
        writeln!(file, "{line}").expect("written");
    }
    file
}
