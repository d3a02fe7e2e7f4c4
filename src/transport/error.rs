//! What can go wrong with a transport: one enum per operation.
//!
//! Every message is one line that names the value; the remedy, where there is one, is in `hint()`.

use std::io;
use std::time::Duration;

use super::Peer;
use crate::core::ws::CloseCode;
use crate::resolve::ResolveError;

/// Why listening on an address failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another program, or another listener of this one, has the address.
    #[error("cannot listen on {address}: the address is in use")]
    InUse {
        /// The address asked for.
        address: String,
    },
    /// The system does not let this user listen there.
    #[error("cannot listen on {address}: permission denied")]
    PermissionDenied {
        /// The address asked for.
        address: String,
        /// Whether it is so because the port is below 1024.
        privileged_port: bool,
    },
    /// The address is not one of this machine's.
    #[error("cannot listen on {address}: this machine has no such address")]
    NotLocal {
        /// The address asked for.
        address: String,
    },
    /// The name of the host has no address.
    #[error("cannot listen on {address}: {error}")]
    Unresolved {
        /// The address asked for.
        address: String,
        /// What the resolver said.
        error: ResolveError,
    },
    /// No port was free in both address families.
    #[error("cannot listen on {address}: no port is free in both IPv4 and IPv6")]
    NoFreePort {
        /// The address asked for.
        address: String,
    },
    /// Something that is not a socket stands where a Unix-domain socket should go.
    #[error("cannot listen on {address}: there is {found} already, and it is not a socket")]
    NotASocket {
        /// The address asked for.
        address: String,
        /// What is there, with its article: `a file`, `a symbolic link`, `a directory`.
        found: &'static str,
    },
    /// The folder a Unix-domain socket should go into is not there.
    #[error("cannot listen on {address}: its folder does not exist")]
    NoFolder {
        /// The address asked for.
        address: String,
    },
    /// Another program keeps the lock on the folder of a Unix-domain socket.
    #[error("cannot listen on {address}: another program has locked its folder")]
    Locked {
        /// The address asked for.
        address: String,
    },
    /// The name does not fit into the system's socket address.
    #[error(
        "cannot listen on {address}: its {bytes} bytes are more than the {bytes_max} a socket name can have"
    )]
    NameTooLong {
        /// The address asked for.
        address: String,
        /// The length of the name, in bytes.
        bytes: usize,
        /// The longest name, in bytes.
        bytes_max: usize,
    },
    /// This system has nothing of the kind.
    #[error("cannot listen on {address}: this system has no {what}")]
    Unsupported {
        /// The address asked for.
        address: String,
        /// What is missing.
        what: &'static str,
    },
    /// Anything else the system said.
    #[error("cannot listen on {address}: {error}")]
    Io {
        /// The address asked for.
        address: String,
        /// What the system said.
        error: io::Error,
    },
}

impl BindError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::InUse { address } if address.starts_with("unix") => {
                "another server answers there: stop it, or use another path".to_owned()
            }
            Self::InUse { .. } => {
                "stop the program that listens there, or use another port".to_owned()
            }
            Self::PermissionDenied { privileged_port: true, .. } => {
                "ports below 1024 need privileges: use a higher one".to_owned()
            }
            Self::PermissionDenied { .. } => "use an address this user may listen on".to_owned(),
            Self::NotLocal { .. } => {
                "use localhost, an address of this machine, or * for every interface".to_owned()
            }
            Self::Unresolved { error, .. } => return error.hint(),
            Self::NoFreePort { .. } => "name a port".to_owned(),
            Self::NotASocket { .. } => {
                "use another path; only stale sockets are removed".to_owned()
            }
            Self::NoFolder { .. } => "make the folder first".to_owned(),
            Self::Locked { .. } => "try again, or use a folder of your own".to_owned(),
            Self::NameTooLong { .. } => "use a shorter path, for example a relative one".to_owned(),
            Self::Unsupported { .. } => "use a tcp:// address of localhost".to_owned(),
            Self::Io { .. } => return None,
        })
    }

    /// The same error, naming the address as the user wrote it and not only its host and port.
    pub(crate) fn naming(mut self, name: impl ToString) -> Self {
        match &mut self {
            Self::InUse { address }
            | Self::PermissionDenied { address, .. }
            | Self::NotLocal { address }
            | Self::Unresolved { address, .. }
            | Self::NoFreePort { address }
            | Self::NotASocket { address, .. }
            | Self::NoFolder { address }
            | Self::Locked { address }
            | Self::NameTooLong { address, .. }
            | Self::Unsupported { address, .. }
            | Self::Io { address, .. } => *address = name.to_string(),
        }
        self
    }
}

/// What is not as asked, though listening works. The message is one line and names the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindWarning {
    /// The kernel holds fewer waiting connections than asked.
    #[error("the backlog of {asked} is clipped to {somaxconn} by the kernel (net.core.somaxconn)")]
    BacklogClipped {
        /// The backlog asked for, in connections.
        asked: u32,
        /// The kernel's bound, in connections.
        somaxconn: u32,
    },
    /// The machine has no IPv6; its IPv4 addresses are served.
    #[error("{address} is served on IPv4 alone: this machine has no IPv6")]
    NoIpv6 {
        /// The address asked for.
        address: String,
    },
    /// Every other machine that reaches this one can connect.
    #[error("{address} listens on every interface: other machines can connect")]
    EveryInterface {
        /// The address asked for.
        address: String,
    },
}

/// Why opening a connection failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nobody listens there.
    #[error("cannot connect to {address}: connection refused")]
    Refused {
        /// The address asked for.
        address: String,
    },
    /// Nothing answered in time.
    #[error("cannot connect to {address}: no answer within {} s", timeout.as_secs_f64())]
    TimedOut {
        /// The address asked for.
        address: String,
        /// How long was waited.
        timeout: Duration,
    },
    /// No way leads there.
    #[error("cannot connect to {address}: {error}")]
    Unreachable {
        /// The address asked for.
        address: String,
        /// What the system said.
        error: io::Error,
    },
    /// The name of the host has no address.
    #[error("cannot connect to {address}: {error}")]
    Unresolved {
        /// The address asked for.
        address: String,
        /// What the resolver said.
        error: ResolveError,
    },
    /// The system does not let this user connect there.
    #[error("cannot connect to {address}: permission denied")]
    PermissionDenied {
        /// The address asked for.
        address: String,
    },
    /// A Unix-domain socket that is not there.
    #[error("cannot connect to {address}: there is no such socket")]
    NotFound {
        /// The address asked for.
        address: String,
    },
    /// A Unix-domain socket of the other kind: datagrams where a stream was asked for, or a
    /// stream where datagrams were.
    #[error("cannot connect to {address}: it is a socket of another kind")]
    WrongKind {
        /// The address asked for.
        address: String,
    },
    /// The name does not fit into the system's socket address.
    #[error(
        "cannot connect to {address}: its {bytes} bytes are more than the {bytes_max} a socket name can have"
    )]
    NameTooLong {
        /// The address asked for.
        address: String,
        /// The length of the name, in bytes.
        bytes: usize,
        /// The longest name, in bytes.
        bytes_max: usize,
    },
    /// This system has nothing of the kind.
    #[error("cannot connect to {address}: this system has no {what}")]
    Unsupported {
        /// The address asked for.
        address: String,
        /// What is missing.
        what: &'static str,
    },
    /// The server answered, and not with what a WebSocket server answers.
    #[error("cannot connect to {address}: {reason}")]
    Handshake {
        /// The address asked for.
        address: String,
        /// The status of the HTTP answer, when there was one.
        status: Option<u16>,
        /// What was wrong with it.
        reason: String,
    },
    /// Anything else the system said.
    #[error("cannot connect to {address}: {error}")]
    Io {
        /// The address asked for.
        address: String,
        /// What the system said.
        error: io::Error,
    },
}

impl OpenError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Refused { .. } => "is the server running, and on that address?".to_owned(),
            Self::TimedOut { .. } => {
                "is the address right, and does a firewall let it through?".to_owned()
            }
            Self::Unreachable { .. } => {
                "is this machine on a network that reaches the address?".to_owned()
            }
            Self::Unresolved { error, .. } => return error.hint(),
            Self::PermissionDenied { .. } => {
                "ask the socket's owner; servers make theirs private".to_owned()
            }
            Self::NotFound { .. } => "is the server running, and the path right?".to_owned(),
            Self::WrongKind { address } => match address.strip_prefix("unixgram:") {
                Some(path) => format!("unix:{path}"),
                None => address.replacen("unix:", "unixgram:", 1),
            },
            Self::NameTooLong { .. } => "use a shorter path, for example a relative one".to_owned(),
            Self::Unsupported { .. } => "use a tcp:// address".to_owned(),
            Self::Handshake { .. } => "is it a WebSocket server, and the path right?".to_owned(),
            Self::Io { .. } => return None,
        })
    }

    /// The same error, naming the address as the user wrote it and not only its host and port.
    pub(crate) fn naming(mut self, name: impl ToString) -> Self {
        match &mut self {
            Self::Refused { address }
            | Self::TimedOut { address, .. }
            | Self::Unreachable { address, .. }
            | Self::Unresolved { address, .. }
            | Self::PermissionDenied { address }
            | Self::NotFound { address }
            | Self::WrongKind { address }
            | Self::NameTooLong { address, .. }
            | Self::Unsupported { address, .. }
            | Self::Handshake { address, .. }
            | Self::Io { address, .. } => *address = name.to_string(),
        }
        self
    }
}

/// Why receiving failed. Streams and WebSocket then yield nothing more; datagrams may.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecvError {
    /// The peer, or the network, broke the connection off.
    #[error("{peer} reset the connection")]
    Reset {
        /// The other end.
        peer: Peer,
    },
    /// Nobody listens where our datagrams went.
    #[error("{peer} refused the datagram: nobody listens there")]
    Refused {
        /// The other end.
        peer: Peer,
    },
    /// A line of a stream that is read by lines does not end.
    #[error("{peer} sent a line longer than {bytes_max} bytes")]
    LineTooLong {
        /// The other end.
        peer: Peer,
        /// The longest line, in bytes.
        bytes_max: usize,
    },
    /// A datagram was longer than what is kept of one. It is not delivered cut.
    #[error("{peer} sent a datagram longer than {bytes_max} bytes")]
    DatagramTooLong {
        /// The other end.
        peer: Peer,
        /// The longest datagram, in bytes.
        bytes_max: usize,
    },
    /// A WebSocket connection ended without a Close frame.
    #[error("{peer} broke the connection off without closing it")]
    Abnormal {
        /// The other end.
        peer: Peer,
    },
    /// A WebSocket peer broke the protocol; it was told so with this code.
    #[error("{peer} broke the WebSocket protocol: {reason} (close code {code})")]
    Violation {
        /// The other end.
        peer: Peer,
        /// The code it was told.
        code: CloseCode,
        /// What it did.
        reason: String,
    },
    /// Nothing came from the peer, not even the answer to a ping.
    #[error("{peer} has been silent for {} s", silence.as_secs())]
    Silent {
        /// The other end.
        peer: Peer,
        /// How long.
        silence: Duration,
    },
    /// Anything else the system said.
    #[error("cannot receive from {peer}: {error}")]
    Io {
        /// The other end.
        peer: Peer,
        /// What the system said.
        error: io::Error,
    },
}

impl RecvError {
    pub(crate) fn from_io(peer: &Peer, error: io::Error) -> Self {
        let peer = peer.clone();
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                Self::Reset { peer }
            }
            io::ErrorKind::ConnectionRefused => Self::Refused { peer },
            _ => Self::Io { peer, error },
        }
    }
}

/// Why sending failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The peer has closed the connection, or we have.
    #[error("{peer} has closed the connection")]
    Closed {
        /// The other end.
        peer: Peer,
    },
    /// Nobody listens where our datagrams go.
    #[error("{peer} refused the datagram: nobody listens there")]
    Refused {
        /// The other end.
        peer: Peer,
    },
    /// The message does not fit into one datagram.
    #[error("a message of {bytes} bytes is too long for one datagram to {peer}")]
    TooLong {
        /// The other end.
        peer: Peer,
        /// The length of the message, in bytes.
        bytes: usize,
    },
    /// The peer's socket has no name, so nothing can be sent to it.
    #[error("the peer's socket has no name to send an answer to")]
    Unnamed,
    /// The peer did not take anything for too long.
    #[error("{peer} took nothing for {} s", timeout.as_secs())]
    TimedOut {
        /// The other end.
        peer: Peer,
        /// How long.
        timeout: Duration,
    },
    /// Anything else the system said.
    #[error("cannot send to {peer}: {error}")]
    Io {
        /// The other end.
        peer: Peer,
        /// What the system said.
        error: io::Error,
    },
}

impl SendError {
    pub(crate) fn from_io(peer: &Peer, error: io::Error) -> Self {
        let peer = peer.clone();
        match error.kind() {
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected => Self::Closed { peer },
            io::ErrorKind::ConnectionRefused => Self::Refused { peer },
            _ => Self::Io { peer, error },
        }
    }
}
