//! What the tests of the live feed share: a real server on port 0, and a reader for each wire
//! form that keeps account of what it had and of what it was told it had not.

#![allow(dead_code, unreachable_pub, reason = "every test binary uses a part of this")]

pub mod echo;
pub mod exchange;
pub mod http;
pub mod reader;
pub mod server;
