//! WebSocket over real sockets, against an independent implementation and against raw bytes.

mod client;
mod closing;
mod compression;
#[path = "../common/echo.rs"]
#[expect(unreachable_pub, reason = "other test binaries reach it through a module")]
mod echo;
mod gathering;
mod handshake;
mod liveness;
mod messages;
mod support;
#[cfg(unix)]
mod unix;
