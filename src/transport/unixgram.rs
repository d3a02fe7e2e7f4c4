//! Datagrams over Unix-domain sockets.

mod reply_name;

use std::io;

use bytes::BytesMut;
use reply_name::bind_reply_name;
use socket2::{Domain, SockRef, Type};
use tokio::net::UnixDatagram;
use tokio::time::{sleep, timeout};

use super::datagram::{self, Incoming, Outgoing, Server, send_error};
use super::unix::{self, Name, SocketFile, peer_of};
use super::{BindError, BindOptions, BindWarning, OpenError, OpenOptions, Peer, SendError};
use crate::address::UnixPath;
use crate::limits::{RETRY_PAUSE, UNIXGRAM_SEND_TIMEOUT};

/// A bound socket.
#[derive(Debug)]
pub(super) struct Socket {
    /// Before the socket, so that the file is gone while its inode is still ours.
    _file: Option<SocketFile>,
    socket: UnixDatagram,
}

pub(super) async fn bind(
    path: &UnixPath,
    options: &BindOptions,
) -> Result<(Server, Vec<BindWarning>), BindError> {
    let io_error = |error| BindError::Io { address: path.to_string(), error };
    let (socket, file) = unix::bind(path, Type::DGRAM).await?;
    options.sockets.apply(&socket).map_err(io_error)?;
    let warnings = options.sockets.clipped(&socket);
    let socket = UnixDatagram::from_std(socket.into()).map_err(io_error)?;
    let socket = datagram::Socket::Unix(Socket { _file: file, socket });
    Ok((Server::start(vec![socket], options.backlog, &options.datagrams), warnings))
}

/// Connects a socket that has a name of its own, so that the server can answer.
pub(super) async fn open(
    path: &UnixPath,
    options: &OpenOptions,
) -> Result<(Incoming, Outgoing, Peer), OpenError> {
    let io_error = |error| OpenError::io(path.to_string(), error);
    let socket = socket2::Socket::new(Domain::UNIX, Type::DGRAM, None).map_err(io_error)?;
    socket.set_nonblocking(true).map_err(io_error)?;
    let file = bind_reply_name(&socket).map_err(io_error)?;
    options.sockets.apply(&socket).map_err(io_error)?;
    options.sockets.log_clipped(&socket);
    unix::connect(&socket, path, options.timeout).await?;
    let socket = UnixDatagram::from_std(socket.into()).map_err(io_error)?;
    let peer = Peer::from(path);
    let (incoming, outgoing) =
        datagram::client(datagram::Socket::Unix(Socket { _file: file, socket }), &peer);
    Ok((incoming, outgoing, peer))
}

impl Socket {
    /// Safe to cancel.
    pub(super) async fn recv(&self, buffer: &mut BytesMut) -> io::Result<()> {
        self.socket.recv_buf(buffer).await.map(drop)
    }

    /// Safe to cancel.
    pub(super) async fn recv_from(&self, buffer: &mut BytesMut) -> io::Result<Peer> {
        self.socket.recv_buf_from(buffer).await.map(|(_length, peer)| peer_of(&peer))
    }

    pub(super) async fn send(&self, payload: &[u8]) -> io::Result<()> {
        self.socket.send(payload).await.map(drop)
    }

    /// Waits, when the peer's queue is full, by looking again: the system tells only a connected
    /// socket when there is room.
    pub(super) async fn send_to(&self, payload: &[u8], peer: &Peer) -> Result<(), SendError> {
        let address = Name::of_peer(peer).ok_or(SendError::Unnamed)?.address();
        let address = address.map_err(|_too_long| SendError::Unnamed)?;
        let sending = async {
            loop {
                match SockRef::from(&self.socket).send_to(payload, &address) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        sleep(RETRY_PAUSE).await
                    }
                    sent => return sent.map(drop),
                }
            }
        };
        match timeout(UNIXGRAM_SEND_TIMEOUT, sending).await {
            Ok(Ok(())) => Ok(()),
            // The peer's file is gone, and the peer with it.
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                Err(SendError::Closed { peer: peer.clone() })
            }
            Ok(Err(error)) => Err(send_error(peer, payload, error)),
            Err(_elapsed) => {
                Err(SendError::TimedOut { peer: peer.clone(), timeout: UNIXGRAM_SEND_TIMEOUT })
            }
        }
    }
}
