//! Text becomes an [`Address`] here and nowhere else.
//!
//! An address is parsed once, at the edge, and is right from then on: no other part of the program
//! looks into the text a user typed. What may be served and what may be connected to differ a
//! little (port 0, a bare port, every interface), so there are two ways in:
//! [`Address::parse_serve`] and [`Address::parse_connect`].

mod channel;
mod endpoint;
mod error;
mod exec;
mod host;
mod parse;
mod redact;
mod web;

use std::fmt;
use std::path::PathBuf;

pub use channel::{ChannelAddress, ParseChannelAddressError, ServerAddress, channel_path};
pub use error::ParseAddressError;
pub use exec::ExecAddress;
pub use host::{Host, HostPort};
pub use redact::redacted;
pub use web::{HttpAddress, WsAddress, WsEndpoint};

/// Where to listen, or what to connect to.
///
/// Its `Display` is the canonical text, which parses to an equal address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// `tcp://HOST:PORT`: a stream over TCP.
    Tcp(HostPort),
    /// `tls://HOST:PORT`: a stream over TLS.
    Tls(HostPort),
    /// `udp://HOST:PORT`: datagrams over UDP.
    Udp(HostPort),
    /// `unix:PATH`, `unix:@NAME`: a stream between programs of one machine.
    Unix(UnixPath),
    /// `unixgram:PATH`, `unixgram:@NAME`: datagrams between programs of one machine.
    Unixgram(UnixPath),
    /// `ws://HOST[:PORT][/PATH]`, `wss://HOST[:PORT][/PATH]`: messages over WebSocket, without TLS
    /// or with it; `ws+unix:PATH[:/URL]`, `wss+unix:PATH[:/URL]`: the same over a Unix-domain
    /// socket.
    Ws(WsAddress),
    /// `exec:PROGRAM ARGUMENTS`: the standard input and output of a program.
    Exec(ExecAddress),
    /// `file:PATH`: the bytes of a file.
    File(PathBuf),
    /// `-` or `stdio`: this program's own standard input and output.
    Stdio,
}

impl Address {
    /// The display form without its secrets: see [`redacted`].
    pub fn redacted(&self) -> String {
        redacted(&self.to_string()).into_owned()
    }

    /// The host and port it is reached at, for those that are reached over a network.
    pub fn host_port(&self) -> Option<&HostPort> {
        match self {
            Self::Tcp(endpoint) | Self::Tls(endpoint) | Self::Udp(endpoint) => Some(endpoint),
            Self::Ws(address) => address.endpoint.host_port(),
            _ => None,
        }
    }

    /// As [`Self::host_port`].
    pub fn host_port_mut(&mut self) -> Option<&mut HostPort> {
        match self {
            Self::Tcp(endpoint) | Self::Tls(endpoint) | Self::Udp(endpoint) => Some(endpoint),
            Self::Ws(WsAddress { endpoint: WsEndpoint::Inet(endpoint), .. }) => Some(endpoint),
            _ => None,
        }
    }

    /// Whether TLS lies between.
    pub fn is_secure(&self) -> bool {
        matches!(self, Self::Tls(_) | Self::Ws(WsAddress { is_secure: true, .. }))
    }

    /// Whether it is WebSocket, over whatever that goes.
    pub fn is_ws(&self) -> bool {
        matches!(self, Self::Ws(_))
    }

    /// Whether what is there is a stream of bytes, without messages of its own.
    pub fn is_stream(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Tls(_) | Self::Unix(_) => true,
            Self::Exec(_) | Self::File(_) | Self::Stdio => true,
            Self::Udp(_) | Self::Unixgram(_) | Self::Ws(_) => false,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(endpoint) => write!(f, "tcp://{endpoint}"),
            Self::Tls(endpoint) => write!(f, "tls://{endpoint}"),
            Self::Udp(endpoint) => write!(f, "udp://{endpoint}"),
            Self::Unix(path) => write!(f, "unix:{path}"),
            Self::Unixgram(path) => write!(f, "unixgram:{path}"),
            Self::Ws(address) => address.fmt(f),
            Self::Exec(program) => write!(f, "exec:{program}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
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
