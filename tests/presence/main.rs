//! Who reads a channel: all readers count, whatever they are connected by, and whoever asks is told
//! exactly who comes and who leaves.

#[path = "../common/mod.rs"]
mod common;
mod crowds;
mod readers;
mod refusals;
mod watcher;
