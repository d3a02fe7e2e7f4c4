//! What no file may say.

use crate::files::{full, lines_with, read, rust_files, tracked};
use crate::imports::without_comments;

/// Clippy refuses these too; here they are found where a lint was switched off.
const NOT_OUTSIDE_TESTS: [&str; 8] =
    ["println!", "eprintln!", "print!", "eprint!", "dbg!", "todo!", "unimplemented!", ".unwrap()"];

/// The lints that stand in for a reviewer.
const LINTS: [&str; 8] = [
    "unsafe_code",
    "missing_docs",
    "unreachable_pub",
    "cast_possible_truncation",
    "print_stderr",
    "print_stdout",
    "todo",
    "unwrap_used",
];

/// The part of a file before its tests.
fn before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or(text)
}

#[test]
fn nothing_outside_tests_prints_past_the_handles_or_unwraps() {
    let found: Vec<String> = rust_files("src/")
        .chain(rust_files("core/src/"))
        .chain(rust_files("examples/"))
        .filter(|path| !path.ends_with("/tests.rs"))
        .flat_map(|path| {
            let code = without_comments(before_tests(&read(&path)));
            lines_with(&path, &code, &NOT_OUTSIDE_TESTS)
        })
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_lints_are_on_in_every_package() {
    let manifest = read("Cargo.toml");
    for lint in LINTS {
        let is_on = |line: &str| {
            line.strip_prefix(lint)
                .and_then(|rest| rest.trim_start().strip_prefix('='))
                .is_some_and(|level| !level.contains("allow"))
        };
        assert!(manifest.lines().any(is_on), "{lint} is not switched on in Cargo.toml");
    }
    for package in ["Cargo.toml", "core/Cargo.toml"] {
        assert!(read(package).contains("[lints]\nworkspace = true"), "{package} has no lints");
    }
}

#[test]
fn no_file_names_a_folder_of_one_machine_or_the_host_of_a_registry() {
    // Put together here, so that this file does not name them either.
    let folders = ["work", "root"].map(|name| format!("/{name}/"));
    let hosts: [&[&str]; 6] = [
        &["crates", "io"],
        &["pypi", "org"],
        &["npmjs", "org"],
        &["npmjs", "com"],
        &["deb", "debian", "org"],
        &["nodesource", "com"],
    ];
    let hosts = hosts.map(|parts| parts.join("."));
    let words: Vec<&str> = folders.iter().chain(&hosts).map(String::as_str).collect();
    let found: Vec<String> = tracked()
        .iter()
        // Cargo writes the index's name itself.
        .filter(|path| !path.ends_with("Cargo.lock"))
        .filter_map(|path| Some((path, std::fs::read_to_string(full(path)).ok()?)))
        .flat_map(|(path, text)| lines_with(path, &text, &words))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_page_of_the_guide_is_there_in_both_languages() {
    let files = tracked();
    let guide: Vec<&String> = files
        .iter()
        .filter(|path| path.starts_with("docs/guide/") && path.ends_with(".md"))
        .collect();
    for page in &guide {
        let twin = match page.strip_suffix(".es.md") {
            Some(stem) => format!("{stem}.md"),
            None => page.replace(".md", ".es.md"),
        };
        assert!(guide.contains(&&twin), "{page} is there, but not {twin}");
    }
    if !guide.is_empty() {
        for readme in ["README.md", "LEEME.md"] {
            assert!(files.iter().any(|path| path == readme), "{readme} is missing");
        }
    }
}

/// The places in the repository that a text in Markdown links to, without their anchors.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .map(|target| target.split('#').next().unwrap_or(target))
        .filter(|target| !target.is_empty() && !target.contains(['<', ' ', ':']))
}

#[test]
fn every_link_in_a_text_leads_somewhere() {
    let texts = tracked().into_iter().filter(|path| path.ends_with(".md"));
    let broken: Vec<String> = texts
        .flat_map(|path| {
            let folder = full(&path).parent().expect("a file is in a folder").to_owned();
            let text = read(&path);
            let missing = links(&text).filter(|link| !folder.join(link).exists());
            missing.map(|link| format!("{path}: {link}")).collect::<Vec<_>>()
        })
        .collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn links_are_found_without_their_anchors_and_addresses_left_out() {
    let text = "[a](b.md) [c](https://d.example/e) [f](../g/h.rs#i), [j](#k)";
    assert_eq!(links(text).collect::<Vec<_>>(), ["b.md", "../g/h.rs"]);
}
