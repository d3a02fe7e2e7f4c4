//! Every way to reach a peer, in one shape: an [`Address`](crate::address::Address) is served as a
//! [`Listener`] or opened as a [`Connection`], and a connection receives and sends messages.
//!
//! Dispatch is by enum: a new transport is one file, one variant and one arm in each `match`, in
//! `listener.rs` and, when it is neither a stream nor datagrams, in `connection.rs`.

mod accept;
mod bare;
mod bind;
mod carrier;
#[cfg(unix)]
pub mod child;
mod connection;
mod datagram;
mod endpoint;
mod error;
#[cfg(unix)]
pub(crate) mod exec;
mod eyeballs;
mod file;
mod framing;
mod gone;
mod handshakes;
mod listener;
pub(crate) mod os;
mod peer;
mod plain;
mod preface;
mod secure;
mod socket;
mod sockets;
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

use std::net::SocketAddr;
use std::time::Duration;

pub use connection::{Connection, Incoming, Outgoing};
pub use datagram::DatagramLimits;
pub use error::{BindError, BindWarning, InterfaceError, OpenError, RecvError, SendError};
pub use file::{FileEvent, FileObserver, FileOptions};
pub use framing::Framing;
pub use listener::Listener;
pub use peer::Peer;
pub use plain::Plain;
pub use socket::Socket;
pub use sockets::{Buffer, SocketOptions, TcpKeepalive};

pub(crate) use bare::Bare;
pub(crate) use connection::Nature;
pub(crate) use error::{families, shown_local, without_tls};
pub(crate) use framing::{CutError, Cutter};
pub(crate) use preface::{Preface, Verdict};
pub(crate) use secure::reach;
pub(crate) use throttle::Throttle;
pub(crate) use wire::Wire;

pub use crate::core::ws::{CloseCode, CloseReason};
use crate::limits;
use crate::resolve::Family;

/// How to listen.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BindOptions {
    /// How many connections may wait that are not accepted yet: in the kernel (listen(2)), or,
    /// over datagrams, here.
    pub backlog: u32,
    /// TCP and UDP: whether other sockets may listen on the same address, if they ask for that too;
    /// the system deals connections and datagrams out among them. Not on Windows.
    pub reuse_port: bool,
    /// What concerns sockets of several kinds.
    pub sockets: SocketOptions,
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
            reuse_port: false,
            sockets: SocketOptions::default(),
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
    /// TCP and UDP: the address, and the port unless that is 0, to connect from. Only addresses of
    /// its family are connected to.
    pub local: Option<SocketAddr>,
    /// What concerns sockets of several kinds.
    pub sockets: SocketOptions,
    /// What concerns WebSocket alone.
    pub ws: ws::ClientOptions,
    /// Whom to trust, at addresses with TLS.
    pub tls: tls::ClientTls,
    /// How programs are run (`exec:`).
    #[cfg(unix)]
    pub exec: child::ExecOptions,
    /// How files are read and written (`file:`).
    pub file: FileOptions,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            timeout: limits::OPEN_TIMEOUT,
            local: None,
            sockets: SocketOptions::default(),
            ws: ws::ClientOptions::default(),
            tls: tls::ClientTls::default(),
            #[cfg(unix)]
            exec: child::ExecOptions::default(),
            file: FileOptions::default(),
        }
    }
}

impl OpenOptions {
    /// The one family to connect in, if there is one.
    fn family(&self) -> Option<Family> {
        let of_local = |local: SocketAddr| if local.is_ipv4() { Family::V4 } else { Family::V6 };
        self.sockets.family.or(self.local.map(of_local))
    }
}
