//! What can go wrong with connecting.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::InterfaceError;
use crate::resolve::ResolveError;
#[cfg(unix)]
use crate::transport::child::StartError;
use crate::transport::tls::Distrust;
use crate::transport::ws::Refusal;

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
    /// Something that is not a socket stands at the path of a Unix-domain socket.
    #[error("cannot connect to {address}: it is not a socket")]
    NotASocket {
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
    /// A link-local address, and no interface to find its network by.
    #[error("cannot connect to {address}: which of this machine's links is meant is not clear")]
    NoScope {
        /// The address asked for.
        address: String,
    },
    /// The network interface asked for cannot be used.
    #[error("cannot connect to {address}: {error}")]
    Interface {
        /// The address asked for.
        address: String,
        /// What is wrong with it.
        error: InterfaceError,
    },
    /// The address to connect from cannot be had.
    #[error("cannot connect to {address} from {}: {error}", shown_local(.local))]
    Local {
        /// The address asked for.
        address: String,
        /// Where from.
        local: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The address to connect from is of a family in which the server has no address.
    #[error(
        "cannot connect to {address} from {}: that is {}, and the server has {} addresses only",
        shown_local(.local), families(.local)[0], families(.local)[1]
    )]
    OtherFamily {
        /// The address asked for.
        address: String,
        /// Where from.
        local: SocketAddr,
    },
    /// This process has as many descriptors as it may.
    #[error("cannot connect to {address}: this program has as many files and sockets as it may")]
    NoDescriptors {
        /// The address asked for.
        address: String,
    },
    /// The server answered in HTTP that it opens no WebSocket.
    #[error("cannot connect to {address}: the server answered {}", refusal.summary())]
    Refusal {
        /// The address asked for.
        address: String,
        /// What the server said.
        refusal: Box<Refusal>,
    },
    /// The server closed the connection before it had answered.
    #[error("cannot connect to {address}: the server closed the connection without an answer")]
    NoAnswer {
        /// The address asked for.
        address: String,
    },
    /// Something answered, and not in HTTP.
    #[error("cannot connect to {address}: what answers there does not speak HTTP")]
    NotHttp {
        /// The address asked for.
        address: String,
    },
    /// The server answered, and not with what a WebSocket server answers.
    #[error("cannot connect to {address}: {reason}")]
    Handshake {
        /// The address asked for.
        address: String,
        /// The status of the HTTP answer, which is 101, when there was one.
        status: Option<u16>,
        /// What was wrong with it.
        reason: String,
    },
    /// The server is not to be trusted, or speaks no TLS.
    #[error("cannot connect to {address}: {error}")]
    Tls {
        /// The address asked for.
        address: String,
        /// What is wrong.
        error: Distrust,
    },
    /// A program that does not run.
    #[cfg(unix)]
    #[error("{error}")]
    Start {
        /// The address asked for.
        address: String,
        /// Why.
        error: StartError,
    },
    /// A file that cannot be used.
    #[error("cannot open {address}: {error}")]
    File {
        /// The address asked for.
        address: String,
        /// What the system said.
        error: io::Error,
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
            Self::NotFound { .. } | Self::NotASocket { .. } => {
                "is the server running, and the path right?".to_owned()
            }
            Self::WrongKind { address } => match address.strip_prefix("unixgram:") {
                Some(path) => format!("unix:{path}"),
                None => address.replacen("unix:", "unixgram:", 1),
            },
            Self::NameTooLong { .. } => "use a shorter path, for example a relative one".to_owned(),
            Self::Unsupported { .. } => "use a tcp:// address".to_owned(),
            Self::NoScope { .. } => super::NO_SCOPE_HINT.to_owned(),
            Self::Interface { error, .. } => return error.hint(),
            Self::Local { error, .. } => match error.kind() {
                io::ErrorKind::AddrInUse => {
                    "leave the port out, and the system finds a free one".to_owned()
                }
                io::ErrorKind::PermissionDenied => {
                    "ports below 1024 need privileges: use a higher one".to_owned()
                }
                io::ErrorKind::AddrNotAvailable => {
                    "connect from an address that this machine has".to_owned()
                }
                _ => return None,
            },
            Self::OtherFamily { local, .. } => {
                format!("connect from an {} address of this machine", families(local)[1])
            }
            Self::NoDescriptors { .. } => {
                "'ulimit -n' says how many that is, and 'ulimit -n NUMBER' allows more".to_owned()
            }
            Self::Refusal { .. } | Self::NoAnswer { .. } | Self::Handshake { .. } => {
                "is it a WebSocket server, and the path right?".to_owned()
            }
            Self::NotHttp { .. } => {
                "a WebSocket begins in HTTP: without one it would be tcp://HOST:PORT".to_owned()
            }
            Self::Tls { address, error: Distrust::NoTls } => {
                format!("{} would be without TLS", without_tls(address))
            }
            Self::Tls { error, .. } => return error.hint(),
            #[cfg(unix)]
            Self::Start { error, .. } => return error.hint(),
            Self::File { .. } => "is the path right?".to_owned(),
            Self::Io { error, .. } if error.kind() == io::ErrorKind::ConnectionReset => {
                "it may have as many clients as it takes: try again later".to_owned()
            }
            Self::Io { .. } => return None,
        })
    }

    /// What the system said while a socket was made or connected, where nothing better is known.
    pub(crate) fn io(address: String, error: io::Error) -> Self {
        match rustix::io::Errno::from_io_error(&error) {
            Some(rustix::io::Errno::MFILE) => Self::NoDescriptors { address },
            _ => Self::Io { address, error },
        }
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
            | Self::NotASocket { address }
            | Self::WrongKind { address }
            | Self::NameTooLong { address, .. }
            | Self::Unsupported { address, .. }
            | Self::NoScope { address }
            | Self::Interface { address, .. }
            | Self::Local { address, .. }
            | Self::OtherFamily { address, .. }
            | Self::NoDescriptors { address }
            | Self::Refusal { address, .. }
            | Self::NoAnswer { address }
            | Self::NotHttp { address }
            | Self::Handshake { address, .. }
            | Self::Tls { address, .. }
            | Self::File { address, .. }
            | Self::Io { address, .. } => *address = name.to_string(),
            #[cfg(unix)]
            Self::Start { address, .. } => *address = name.to_string(),
        }
        self
    }
}

/// The same place, without TLS.
pub(crate) fn without_tls(address: &str) -> String {
    match address.strip_prefix("tls://") {
        Some(endpoint) => format!("tcp://{endpoint}"),
        None => address.replacen("wss", "ws", 1),
    }
}

/// The family of an address, and the other one.
pub(crate) fn families(local: &SocketAddr) -> [&'static str; 2] {
    if local.is_ipv4() { ["IPv4", "IPv6"] } else { ["IPv6", "IPv4"] }
}

/// An address to connect from, and its port unless that is left to the system.
pub(crate) fn shown_local(local: &SocketAddr) -> String {
    if local.port() == 0 { local.ip().to_string() } else { local.to_string() }
}
