//! The server seen from outside: its health and its metrics.

#[path = "../common/mod.rs"]
mod common;
mod exposition;

mod access;
mod counts;
mod guide;
mod health;
mod many;
