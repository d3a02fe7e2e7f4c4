//! Channels over HTTP: who is answered what. Requests are written by hand.

#[path = "../common/mod.rs"]
mod common;

mod bodies;
mod channels;
mod guard;
mod requests;
mod tokens;
