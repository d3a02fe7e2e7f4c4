//! Names of Unix-domain sockets in the system's form, and what is particular to Linux about them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use socket2::SockAddr;

use super::super::{BindError, OpenError, Peer};
use crate::address::UnixPath;

/// The room the system has for a name, with the NUL at the end of a path or at the beginning of
/// an abstract name (`sun_path`, unix(7)).
#[cfg(target_os = "linux")]
const ROOM_BYTES: usize = 108;
#[cfg(not(target_os = "linux"))]
const ROOM_BYTES: usize = 104;

/// A name as the system takes it.
#[derive(Debug)]
pub(in crate::transport) enum Name<'a> {
    Path(&'a Path),
    /// Without the NUL it begins with.
    Abstract(&'a [u8]),
}

/// Why a name is none that the system takes.
#[derive(Debug)]
pub(in crate::transport) enum NameError {
    TooLong { bytes: usize },
    NoAbstractNames,
    Io(std::io::Error),
}

impl<'a> Name<'a> {
    pub(super) fn of(path: &'a UnixPath) -> Result<Self, NameError> {
        match path {
            UnixPath::File(path) => Ok(Self::Path(path)),
            UnixPath::Abstract(name) if HAS_ABSTRACT_NAMES => Ok(Self::Abstract(name.as_bytes())),
            UnixPath::Abstract(_) => Err(NameError::NoAbstractNames),
        }
    }

    /// The name of a peer; those without one cannot be sent to.
    pub(in crate::transport) fn of_peer(peer: &'a Peer) -> Option<Self> {
        match peer {
            Peer::UnixPath(path) => Some(Self::Path(path)),
            Peer::UnixAbstract(name) => Some(Self::Abstract(name)),
            _ => None,
        }
    }

    /// The address that the system takes.
    pub(in crate::transport) fn address(&self) -> Result<SockAddr, NameError> {
        let bytes = match self {
            Self::Path(path) => path.as_os_str().len(),
            Self::Abstract(name) => name.len(),
        };
        if bytes >= ROOM_BYTES {
            return Err(NameError::TooLong { bytes });
        }
        let address = match self {
            Self::Path(path) => SockAddr::unix(path),
            Self::Abstract(name) => {
                let name = [b"\0", *name].concat();
                SockAddr::unix(OsStr::from_bytes(&name))
            }
        };
        address.map_err(NameError::Io)
    }
}

impl NameError {
    pub(in crate::transport) fn bind(self, path: &UnixPath) -> BindError {
        let address = path.to_string();
        match self {
            Self::TooLong { bytes } => {
                BindError::NameTooLong { address, bytes, bytes_max: ROOM_BYTES - 1 }
            }
            Self::NoAbstractNames => BindError::Unsupported { address, what: ABSTRACT_NAMES },
            Self::Io(error) => BindError::Io { address, error },
        }
    }

    pub(in crate::transport) fn open(self, path: &UnixPath) -> OpenError {
        let address = path.to_string();
        match self {
            Self::TooLong { bytes } => {
                OpenError::NameTooLong { address, bytes, bytes_max: ROOM_BYTES - 1 }
            }
            Self::NoAbstractNames => OpenError::Unsupported { address, what: ABSTRACT_NAMES },
            Self::Io(error) => OpenError::Io { address, error },
        }
    }
}

const ABSTRACT_NAMES: &str = "abstract socket names";
const HAS_ABSTRACT_NAMES: bool = cfg!(target_os = "linux");

#[cfg(target_os = "linux")]
pub(super) fn abstract_name(address: &tokio::net::unix::SocketAddr) -> Option<&[u8]> {
    address.as_abstract_name()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn abstract_name(_address: &tokio::net::unix::SocketAddr) -> Option<&[u8]> {
    None
}
