//! Why a connection was lost, or did not come to stand.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

use crate::transport::{CloseReason, OpenError, RecvError};

/// Why a connection was lost, or did not come to stand. As data it is its message, in English.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Trouble {
    /// It did not come to stand.
    Open(Arc<OpenError>),
    /// The server would not have it, and says why.
    Refused(String),
    /// It broke.
    Recv(Arc<RecvError>),
    /// The server has closed it, over WebSocket with a code.
    Closed(Option<CloseReason>),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Refused(why) => f.write_str(why),
            Self::Recv(error) => error.fmt(f),
            Self::Closed(Some(CloseReason { code, reason })) if reason.is_empty() => {
                write!(f, "closed with {code}")
            }
            Self::Closed(Some(CloseReason { code, reason })) => {
                write!(f, "closed with {code}: {reason}")
            }
            Self::Closed(None) => f.write_str("closed"),
        }
    }
}

impl Serialize for Trouble {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
