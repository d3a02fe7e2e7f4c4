//! What can go wrong with receiving and sending.

use std::io;
use std::time::Duration;

use crate::core::ws::CloseCode;
use crate::transport::Peer;
#[cfg(unix)]
use crate::transport::child::Status;

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
    /// A message of a stream that is read by messages is longer than it may be.
    #[error("{peer} sent a message longer than {bytes_max} bytes")]
    TooLong {
        /// The other end.
        peer: Peer,
        /// The longest message, in bytes.
        bytes_max: usize,
    },
    /// A stream ended in the middle of a message whose length it had announced.
    #[error("{peer} ended {missing} bytes before the length it announced")]
    Unfinished {
        /// The other end.
        peer: Peer,
        /// How much did not come, in bytes.
        missing: usize,
    },
    /// A datagram was longer than what is kept of one. It is not delivered cut.
    #[error("{peer} sent a datagram longer than {bytes_max} bytes")]
    DatagramTooLong {
        /// The other end.
        peer: Peer,
        /// The longest datagram, in bytes.
        bytes_max: usize,
    },
    /// A WebSocket connection ended without a Close frame, or one over TLS without its word for it:
    /// something may be missing.
    #[error("{peer} broke the connection off without closing it")]
    Abnormal {
        /// The other end.
        peer: Peer,
    },
    /// A WebSocket peer broke the protocol; it was told so with this code.
    #[error("{peer} broke the WebSocket protocol or a bound: {reason} (close code {code})")]
    Violation {
        /// The other end.
        peer: Peer,
        /// The code it was told.
        code: CloseCode,
        /// What it did.
        reason: String,
    },
    /// A program failed.
    #[cfg(unix)]
    #[error("{peer} has ended with {status}")]
    Exited {
        /// The program.
        peer: Peer,
        /// How it ended.
        status: Status,
    },
    /// Nothing came from the peer, not even the answer to a ping.
    #[error("{peer} has been silent for {} s", silence.as_secs_f64())]
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
    #[error("{peer} took nothing for {} s", timeout.as_secs_f64())]
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
