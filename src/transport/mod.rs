//! Every way to reach a peer, in one shape: an [`Address`](crate::address::Address) is served as a
//! [`Listener`] or opened as a [`Connection`], and a connection receives and sends messages.
//!
//! Dispatch is by enum: a new transport is one file, one variant and one arm in each `match`, in
//! `listener.rs` and, when it is neither a stream nor datagrams, in `connection.rs`.

mod accept;
mod bind;
mod connection;
mod datagram;
mod endpoint;
mod error;
mod framing;
mod listener;
pub(crate) mod os;
mod peer;
mod socket;
mod stdio;
mod stream;
pub(crate) mod tcp;
mod throttle;
pub mod tls;
mod udp;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod unixgram;
pub(crate) mod wire;
pub mod ws;

use std::time::Duration;

pub use connection::{Connection, Incoming, Outgoing};
pub use datagram::DatagramLimits;
pub use error::{BindError, BindWarning, OpenError, RecvError, SendError};
pub use framing::Framing;
pub use listener::Listener;
pub use peer::Peer;
pub use socket::Socket;

pub(crate) use framing::{CutError, Cutter};
pub(crate) use wire::Wire;

pub use crate::core::ws::{CloseCode, CloseReason};
use crate::limits;

/// How to listen.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BindOptions {
    /// How many connections may wait that are not accepted yet: in the kernel (listen(2)), or,
    /// over datagrams, here.
    pub backlog: u32,
    /// The bounds of transports that take datagrams.
    pub datagrams: DatagramLimits,
    /// What concerns WebSocket alone.
    pub ws: ws::ServerOptions,
    /// The certificate, for addresses with TLS.
    pub tls: Option<tls::ServerTls>,
}

impl Default for BindOptions {
    fn default() -> Self {
        Self {
            backlog: limits::BACKLOG,
            datagrams: DatagramLimits::default(),
            ws: ws::ServerOptions::default(),
            tls: None,
        }
    }
}

/// How to connect.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OpenOptions {
    /// How long it may take, name resolution included.
    pub timeout: Duration,
    /// What concerns WebSocket alone.
    pub ws: ws::ClientOptions,
    /// Whom to trust, at addresses with TLS.
    pub tls: tls::ClientTls,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            timeout: limits::OPEN_TIMEOUT,
            ws: ws::ClientOptions::default(),
            tls: tls::ClientTls::default(),
        }
    }
}
