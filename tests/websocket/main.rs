//! WebSocket over real sockets, against an independent implementation and against raw bytes.

mod client;
mod closing;
mod compression;
mod gathering;
mod handshake;
mod liveness;
mod messages;
mod support;
