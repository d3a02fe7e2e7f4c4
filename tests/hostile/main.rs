//! Peers that are hostile or clumsy, over real sockets: the server stays bounded and serves on.

#[path = "../common/mod.rs"]
mod common;

mod clients;
mod floods;
#[cfg(unix)]
mod program;
mod support;
mod viewers;
