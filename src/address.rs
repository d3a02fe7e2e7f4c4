//! Text becomes an [`Address`] here and nowhere else.
//!
//! An address is parsed once, at the edge, and is right from then on: no other part of the program
//! looks into the text a user typed. What may be served and what may be connected to differ a
//! little (port 0, a bare port, every interface), so there are two ways in:
//! [`Address::parse_serve`] and [`Address::parse_connect`].

mod endpoint;
mod error;
mod host;
mod parse;

use std::fmt;
use std::path::PathBuf;

pub use error::ParseAddressError;
pub use host::{Host, HostPort};

/// Where to listen, or what to connect to.
///
/// Its `Display` is the canonical text, which parses to an equal address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// `tcp://HOST:PORT`: a stream over TCP.
    Tcp(HostPort),
    /// `udp://HOST:PORT`: datagrams over UDP.
    Udp(HostPort),
    /// `unix:PATH`, `unix:@NAME`: a stream between programs of one machine.
    Unix(UnixPath),
    /// `unixgram:PATH`, `unixgram:@NAME`: datagrams between programs of one machine.
    Unixgram(UnixPath),
    /// `ws://HOST[:PORT][/PATH]`, `wss://HOST[:PORT][/PATH]`: messages over WebSocket, without TLS
    /// or with it.
    Ws(WsAddress),
    /// `-`: this program's own standard input and output.
    Stdio,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(endpoint) => write!(f, "tcp://{endpoint}"),
            Self::Udp(endpoint) => write!(f, "udp://{endpoint}"),
            Self::Unix(path) => write!(f, "unix:{path}"),
            Self::Unixgram(path) => write!(f, "unixgram:{path}"),
            Self::Ws(address) => address.fmt(f),
            Self::Stdio => f.write_str("-"),
        }
    }
}

/// The name of a Unix-domain socket (unix(7)).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UnixPath {
    /// A path in the file system.
    File(PathBuf),
    /// A name in Linux's abstract namespace, without the NUL it begins with there. It has no
    /// file and no permissions: any user of the machine may connect to it.
    Abstract(String),
}

impl fmt::Display for UnixPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // `@x` alone would be read back as an abstract name.
            Self::File(path) if path.as_os_str().as_encoded_bytes().starts_with(b"@") => {
                write!(f, "./{}", path.display())
            }
            Self::File(path) => path.display().fmt(f),
            Self::Abstract(name) => write!(f, "@{name}"),
        }
    }
}

/// A WebSocket endpoint: where, and the path asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WsAddress {
    /// Host and port; 80 when the text named none, or 443 with TLS (RFC 6455 §3).
    pub endpoint: HostPort,
    /// The path with its query, percent-encoded, beginning with `/`. `None` when the text named
    /// none: served, any path will do; opened, it is `/`.
    pub path: Option<String>,
    /// Whether TLS lies between: `wss://`.
    pub is_secure: bool,
}

impl WsAddress {
    /// The port that goes without saying.
    pub fn default_port(&self) -> u16 {
        if self.is_secure { 443 } else { 80 }
    }
}

impl fmt::Display for WsAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.endpoint, self.path.as_deref().unwrap_or_default())
    }
}

/// Where an HTTP server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpAddress {
    /// Host and port.
    pub endpoint: HostPort,
    /// Whether TLS lies between: `https://`.
    pub is_secure: bool,
}

impl fmt::Display for HttpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.endpoint)
    }
}
