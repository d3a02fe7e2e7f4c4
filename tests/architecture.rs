//! What the compiler does not see to: which module may use which, what the core does without, and
//! that files stay short.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each module may use those of the lines before its own.
const LAYERS: &[&[&str]] = &[
    &["limits", "shutdown", "page"],
    &["resolve"],
    &["address"],
    &["guard"],
    &["transport"],
    &["source"],
    &["service", "live"],
    &["serve", "http"],
    &["cli"],
];

/// What would make the core's decisions depend on more than what it is handed.
const IMPURE: &[&str] = &[
    "std::net",
    "std::fs",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "Instant",
    "SystemTime",
    "::now(",
    // Their order is drawn at random.
    "HashMap",
    "HashSet",
];

/// The packages that do without those things; the core has no other.
const PURE_PACKAGES: &[&str] = &[
    "arrayvec",
    "base64",
    "bytes",
    "jiff",
    "memchr",
    "serde",
    "serde_json",
    "sha1",
    "slab",
    "thiserror",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, with its text.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 10, "{folder} has too few files to be the right one");
    found
}

/// The code of a file: without comments, and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let without_comment =
        |line: &str| line.split("//").next().unwrap_or_default().to_owned() + "\n";
    text.lines().map(without_comment).collect()
}

/// The modules that code names after `crate::`.
fn used(code: &str) -> Vec<String> {
    let mut used = Vec::new();
    for after in code.split("crate::").skip(1) {
        let Some(group) = after.strip_prefix('{') else {
            used.push(word(after));
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for character in group.chars() {
            match character {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => used.push(word(&std::mem::take(&mut item))),
                _ => {}
            }
            if character != ',' || depth > 0 {
                item.push(character);
            }
        }
        used.push(word(&item));
    }
    used.retain(|name| !name.is_empty());
    used
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn layer(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|layer| layer.contains(&module))
        .unwrap_or_else(|| panic!("{module} has no layer: add it to LAYERS"))
}

#[test]
fn no_arrow_between_modules_turns() {
    let mut arrows = 0;
    for (path, text) in files("src") {
        let relative = path.strip_prefix(root().join("src")).expect("it is there");
        let first = relative.components().next().expect("a name").as_os_str();
        let module = first.to_str().expect("UTF-8").trim_end_matches(".rs");
        if matches!(module, "lib" | "main") {
            continue;
        }
        for name in used(&code(&text)) {
            if name == module || name == "core" {
                continue;
            }
            arrows += 1;
            assert!(
                layer(&name) < layer(module),
                "{} uses {name}, which stands above it or beside it",
                relative.display()
            );
        }
    }
    assert!(arrows > 50, "only {arrows} uses were found: the test does not see them");
}

#[test]
fn the_names_of_a_group_are_seen() {
    let code = "use crate::{a::{b, c}, d, e::f};\nuse crate::g::h;\ncrate::i::J";
    assert_eq!(used(code), ["a", "d", "e", "g", "i"]);
}

#[test]
fn the_core_has_no_sockets_no_clock_and_no_randomness() {
    for (path, text) in files("core/src") {
        let code = code(&text);
        for impure in IMPURE {
            assert!(!code.contains(impure), "{} has {impure}", path.display());
        }
    }
    let manifest = fs::read_to_string(root().join("core/Cargo.toml")).expect("the manifest");
    let dependencies = manifest.split("[dependencies]").nth(1).expect("a section");
    let dependencies = dependencies.split("\n[").next().expect("split gives a first part");
    for line in dependencies.lines().filter(|line| !line.trim().is_empty()) {
        let package = line.split(['.', ' ', '=']).next().expect("split gives a first part");
        assert!(PURE_PACKAGES.contains(&package), "the core has {package}");
    }
}

#[test]
fn files_are_short() {
    let mut lengths: Vec<(usize, PathBuf)> = Vec::new();
    for folder in ["src", "core/src"] {
        lengths.extend(files(folder).into_iter().map(|(path, text)| (text.lines().count(), path)));
    }
    lengths.sort();
    let at = |percent: usize| &lengths[(lengths.len() - 1) * percent / 100];
    for (percent, max) in [(50, 150), (90, 400), (100, 700)] {
        let (length, path) = at(percent);
        assert!(*length <= max, "{} has {length} lines", path.display());
    }
}
