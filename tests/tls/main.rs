//! TLS, with real sockets and real certificates: our client and server with each other, and each
//! with tokio-rustls, which drives the same library in its own way.

#[path = "../common/mod.rs"]
mod common;

mod certificates;
mod connections;
mod handshakes;
mod http;
mod streams;
mod support;
#[cfg(unix)]
mod unix;
