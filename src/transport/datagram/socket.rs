//! One shape for the sockets of every kind of datagram.

use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::BytesMut;
use tokio::net::UdpSocket;

use super::super::{Peer, SendError};
use crate::limits::UDP_BYTES_MAX;

/// A socket that takes and sends datagrams. Dispatch is by enum, as everywhere.
#[derive(Debug)]
pub(in crate::transport) enum Socket {
    Udp {
        socket: UdpSocket,
        /// Whether it is an IPv6 socket that takes IPv4 too, whose addresses it wants mapped.
        dual_stack: bool,
    },
    #[cfg(unix)]
    Unix(super::super::unixgram::Socket),
}

impl Socket {
    /// The longest datagram that is taken.
    pub(super) fn bytes_max(&self) -> usize {
        match self {
            Self::Udp { .. } => UDP_BYTES_MAX,
            #[cfg(unix)]
            Self::Unix(_) => crate::limits::UNIXGRAM_BYTES_MAX,
        }
    }

    /// Receives from the peer the socket is connected to, into the room that `buffer` has. Safe
    /// to cancel.
    pub(super) async fn recv(&self, buffer: &mut BytesMut) -> io::Result<()> {
        match self {
            Self::Udp { socket, .. } => socket.recv_buf(buffer).await.map(drop),
            #[cfg(unix)]
            Self::Unix(socket) => socket.recv(buffer).await,
        }
    }

    /// Receives from anyone, into the room that `buffer` has. Safe to cancel.
    pub(super) async fn recv_from(&self, buffer: &mut BytesMut) -> io::Result<Peer> {
        match self {
            Self::Udp { socket, .. } => {
                socket.recv_buf_from(buffer).await.map(|(_length, peer)| Peer::from(peer))
            }
            #[cfg(unix)]
            Self::Unix(socket) => socket.recv_from(buffer).await,
        }
    }

    /// Sends to the peer the socket is connected to.
    pub(super) async fn send(&self, payload: &[u8], peer: &Peer) -> Result<(), SendError> {
        let sent = match self {
            Self::Udp { socket, .. } => socket.send(payload).await.map(drop),
            #[cfg(unix)]
            Self::Unix(socket) => socket.send(payload).await,
        };
        sent.map_err(|error| send_error(peer, payload, error))
    }

    /// Sends to anyone.
    pub(super) async fn send_to(&self, payload: &[u8], peer: &Peer) -> Result<(), SendError> {
        match (self, peer) {
            (Self::Udp { socket, dual_stack }, Peer::Inet(to)) => {
                let to = if *dual_stack { mapped(*to) } else { *to };
                let sent = socket.send_to(payload, to).await;
                sent.map(drop).map_err(|error| send_error(peer, payload, error))
            }
            #[cfg(unix)]
            (Self::Unix(socket), _) => socket.send_to(payload, peer).await,
            (Self::Udp { .. }, _) => Err(SendError::Unnamed),
        }
    }
}

/// What the system said, in our words.
pub(in crate::transport) fn send_error(peer: &Peer, payload: &[u8], error: io::Error) -> SendError {
    match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::MSGSIZE) => {
            SendError::TooLong { peer: peer.clone(), bytes: payload.len() }
        }
        _ => SendError::from_io(peer, error),
    }
}

fn mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(v4) => SocketAddr::from((v4.to_ipv6_mapped(), address.port())),
        IpAddr::V6(_) => address,
    }
}
