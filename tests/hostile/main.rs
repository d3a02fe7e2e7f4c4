//! Peers that are hostile or clumsy, over real sockets: the server stays bounded and serves on.

#[path = "../common/mod.rs"]
mod common;
#[cfg(unix)]
#[allow(dead_code, unreachable_pub, reason = "this test binary uses a part of it")]
#[path = "../cli/harness.rs"]
mod harness;

mod clients;
mod floods;
#[cfg(unix)]
mod frames;
#[cfg(unix)]
mod handshakes;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(unix)]
mod program;
#[cfg(unix)]
mod served;
#[cfg(unix)]
mod servers;
mod support;
mod viewers;
