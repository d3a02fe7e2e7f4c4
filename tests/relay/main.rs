//! Relays: real sockets on both sides, in every pair of transports.

#[path = "../cli/harness.rs"]
#[allow(dead_code, reason = "every test binary uses a part of this")]
mod harness;

mod endings;
mod framing;
mod matrix;
mod pressure;
mod program;
mod refusals;
mod support;
