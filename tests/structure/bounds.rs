//! The bounds of `src/limits.rs`: each has a doc, and each bounds something.

use crate::files::{lines_with, read, rust_files};

#[test]
fn every_bound_says_what_it_is_and_is_used() {
    let limits = read("src/limits.rs");
    let code: Vec<String> =
        rust_files("src/").filter(|path| path != "src/limits.rs").map(|path| read(&path)).collect();
    let (mut bounds, mut before) = (0, "");
    for line in limits.lines() {
        if let Some(declaration) = line.strip_prefix("pub const ") {
            let name = declaration.split(':').next().expect("split gives a first part");
            assert!(before.starts_with("///"), "{name} does not say what it is");
            let is_used = |code: &String| !lines_with("", code, &[name]).is_empty();
            assert!(code.iter().any(is_used), "{name} bounds nothing");
            bounds += 1;
        }
        before = line;
    }
    assert!(bounds > 50, "only {bounds} bounds were found");
}
