//! What can go wrong with using one network interface.

use std::io;

/// Why a network interface cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InterfaceError {
    /// There is none of that name.
    #[error("this machine has no network interface {name:?}")]
    Missing {
        /// The name.
        name: String,
    },
    /// This user may not.
    #[error("this user may not bind to the network interface {name:?}")]
    Forbidden {
        /// The name.
        name: String,
    },
    /// This system has nothing of the kind.
    #[error("this system cannot bind to the network interface {name:?}")]
    Unsupported {
        /// The name.
        name: String,
    },
    /// Anything else the system said.
    #[error("the network interface {name:?} cannot be used: {error}")]
    Io {
        /// The name.
        name: String,
        /// What the system said.
        error: io::Error,
    },
}

impl InterfaceError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } => "'ip link' lists the interfaces of this machine".to_owned(),
            Self::Forbidden { .. } => {
                "it needs the capability CAP_NET_RAW, or an address of the interface instead"
                    .to_owned()
            }
            Self::Unsupported { .. } => {
                "only Linux can: elsewhere name an address of the interface".to_owned()
            }
            Self::Io { .. } => return None,
        })
    }
}
