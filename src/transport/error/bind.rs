//! What can go wrong with listening.

use std::io;

use super::InterfaceError;
use crate::resolve::ResolveError;
use crate::transport::Buffer;

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
    /// An address that means something else on every network, and no interface to find its network
    /// by.
    #[error("cannot listen on {address}: which of this machine's links is meant is not clear")]
    NoScope {
        /// The address asked for.
        address: String,
    },
    /// The network interface asked for cannot be used.
    #[error("cannot listen on {address}: {error}")]
    Interface {
        /// The address asked for.
        address: String,
        /// What is wrong with it.
        error: InterfaceError,
    },
    /// TLS needs a certificate, and there is none.
    #[error("cannot listen on {address}: TLS needs a certificate")]
    NoCertificate {
        /// The address asked for.
        address: String,
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
            Self::NoScope { .. } => super::NO_SCOPE_HINT.to_owned(),
            Self::Interface { error, .. } => return error.hint(),
            Self::NoCertificate { .. } => {
                "--tls-cert FILE --tls-key FILE names one, --tls-dev makes one for development"
                    .to_owned()
            }
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
            | Self::NoScope { address }
            | Self::Interface { address, .. }
            | Self::NoCertificate { address }
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
    /// The kernel keeps less for a connection than asked.
    #[error("the {buffer} buffer of {asked} bytes is clipped to {given} by the kernel ({})", limit_of(.buffer))]
    BufferClipped {
        /// Which buffer.
        buffer: Buffer,
        /// What was asked for, in bytes.
        asked: usize,
        /// What there is, in bytes.
        given: usize,
    },
    /// The machine has no IPv6; its IPv4 addresses are served.
    #[error("{address} is served on IPv4 alone: this machine has no IPv6")]
    NoIpv6 {
        /// The address asked for.
        address: String,
    },
    /// The host has more addresses than are served.
    #[error("{address} has {found} addresses, of which the first {served} are served")]
    TooManyAddresses {
        /// The address asked for.
        address: String,
        /// How many the host has.
        found: usize,
        /// How many are served.
        served: usize,
    },
    /// Every other machine that reaches this one can connect.
    #[error("{address} listens on every interface: other machines can connect")]
    EveryInterface {
        /// The address asked for.
        address: String,
    },
}

/// Where Linux keeps the bound of a buffer.
fn limit_of(buffer: &Buffer) -> &'static str {
    match buffer {
        Buffer::Send => "net.core.wmem_max",
        Buffer::Receive => "net.core.rmem_max",
    }
}
