//! The direction of dependencies: each module may use those on the steps below its own.

use std::path::Path;

use crate::files::{lines_with, read, rust_files};
use crate::imports::{imports, without_comments};

/// From the bottom up. Those that share a step do not know of each other.
const STEPS: [&[&str]; 12] = [
    &["core"],
    &["limits", "page", "resolve", "shutdown"],
    &["address"],
    &["guard", "crowd"],
    &["transport", "recording"],
    &["shard"],
    &["source"],
    &["service", "live"],
    &["serve", "relay", "http", "load", "client"],
    &["server", "config"],
    &["cli"],
    &["main"],
];

/// What would make the core depend on more than what it is given.
const NOT_IN_CORE: [&str; 17] = [
    "tokio",
    "mio",
    "std::net",
    "std::fs",
    "std::io",
    "std::env",
    "std::thread",
    "std::process",
    "Instant",
    "SystemTime",
    "::now()",
    "rand",
    "fastrand",
    "getrandom",
    "RandomState",
    "HashMap",
    "HashSet",
];

/// The packages that do without those things; the core has no other.
const PURE_PACKAGES: [&str; 13] = [
    "arrayvec",
    "base64",
    "bytes",
    "flate2",
    "jiff",
    "memchr",
    "serde",
    "serde_json",
    "sha1",
    "simdutf8",
    "slab",
    "smallvec",
    "thiserror",
];

fn step(module: &str) -> Option<usize> {
    STEPS.iter().position(|modules| modules.contains(&module))
}

/// Each arrow in the text of `path` that points the wrong way, as `file:line: why`.
fn turned_arrows(path: &str, text: &str) -> Vec<String> {
    let own = path.trim_start_matches("src/").split(['/', '.']).next().expect("a first part");
    // The library's root names all modules, to offer them.
    if own == "lib" {
        return Vec::new();
    }
    let Some(own_step) = step(own) else {
        return vec![format!("{path}: '{own}' is on no step of tests/structure/direction.rs")];
    };
    let depth = path.matches('/').count() - usize::from(path.ends_with("/mod.rs"));
    let mut named = imports(text, "crate");
    named.extend(imports(text, "enchufe"));
    // A path that climbs to the root by `super` is an arrow too, when it goes on to a module.
    let climbed = imports(text, &vec!["super"; depth].join("::"));
    named.extend(climbed.into_iter().filter(|import| step(&import.module).is_some()));
    named
        .iter()
        .filter_map(|import| {
            let used = &import.module;
            let why = match step(used) {
                _ if used == own => return None,
                Some(step) if step < own_step => return None,
                Some(_) => format!("{own} may not use {used}"),
                None => format!("'{used}' is no module: name the one that it comes from"),
            };
            Some(format!("{path}:{}: {why}", import.line))
        })
        .collect()
}

#[test]
fn no_module_uses_one_above_it_or_beside_it() {
    let turned: Vec<String> =
        rust_files("src/").flat_map(|path| turned_arrows(&path, &read(&path))).collect();
    assert!(turned.is_empty(), "\n{}", turned.join("\n"));
}

#[test]
fn every_module_of_the_library_is_on_a_step() {
    let missing: Vec<&str> = STEPS
        .iter()
        .flat_map(|modules| modules.iter().copied())
        .filter(|&module| module != "core")
        .filter(|module| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
            !root.join(module).join("mod.rs").exists()
                && !root.join(format!("{module}.rs")).exists()
        })
        .collect();
    assert!(missing.is_empty(), "these are gone from src/: {missing:?}");
}

#[test]
fn an_arrow_that_turns_is_noticed() {
    let turned = |path: &str, text: &str| turned_arrows(path, text).join("; ");
    assert_eq!(turned("src/live/node.rs", "use crate::{core::Message, limits};"), "");
    assert_eq!(turned("src/http/mod.rs", "use super::route; use crate::http::route;"), "");
    assert_eq!(
        turned("src/live/node.rs", "\nuse crate::{\n    limits,\n    http::Options,\n};"),
        "src/live/node.rs:4: live may not use http"
    );
    assert_eq!(
        turned("src/transport/tcp.rs", "fn f() { crate::http::serve() }"),
        "src/transport/tcp.rs:1: transport may not use http"
    );
    assert_eq!(
        turned("src/serve.rs", "use super::http::Options;"),
        "src/serve.rs:1: serve may not use http"
    );
    assert_eq!(
        turned("src/source/lines.rs", "use super::super::live::Node;"),
        "src/source/lines.rs:1: source may not use live"
    );
    assert_eq!(
        turned("src/address.rs", "use crate::Connection;"),
        "src/address.rs:1: 'Connection' is no module: name the one that it comes from"
    );
    assert_eq!(
        turned("src/fresh.rs", ""),
        "src/fresh.rs: 'fresh' is on no step of tests/structure/direction.rs"
    );
}

#[test]
fn the_core_has_no_socket_runtime_clock_or_randomness() {
    let found: Vec<String> = rust_files("core/src/")
        .flat_map(|path| {
            let code = without_comments(&read(&path));
            lines_with(&path, &code, &NOT_IN_CORE)
        })
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_core_depends_on_no_package_that_has_them() {
    let manifest = read("core/Cargo.toml");
    let (_, dependencies) = manifest.split_once("\n[dependencies]\n").expect("a section");
    let dependencies = dependencies.split("\n[").next().expect("split gives a first part");
    for line in dependencies.lines().filter(|line| !line.trim().is_empty()) {
        let package = line.split(['.', ' ', '=']).next().expect("split gives a first part");
        assert!(PURE_PACKAGES.contains(&package), "the core has {package}");
    }
}
