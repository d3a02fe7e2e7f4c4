//! What every datagram transport shares: connections over a socket of their own, as clients have,
//! and over one they share, as those of a server do.

mod server;
mod socket;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
pub(super) use server::Server;
use server::{Datagram, Seat};
pub(super) use socket::Socket;
#[cfg(unix)]
pub(super) use socket::send_error;
use tokio::sync::mpsc;

use super::{Peer, RecvError, SendError};
use crate::core::Message;
use crate::limits;

/// The bounds of a server that takes datagrams. What is beyond them is dropped, as datagrams may
/// be, and logged.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DatagramLimits {
    /// How many peers are known at the same time.
    pub peers_max: usize,
    /// How many datagrams wait for one connection to receive them.
    pub queue_len_max: usize,
    /// How many bytes of datagrams wait in all the queues of one address.
    pub queued_bytes_max: usize,
    /// When nothing has come from a peer for so long, its connection ends. What we send does not
    /// count: an address that was forged, or that went away, must not be sent to for ever.
    pub idle_timeout: std::time::Duration,
}

impl Default for DatagramLimits {
    fn default() -> Self {
        Self {
            peers_max: limits::DATAGRAM_PEERS_MAX,
            queue_len_max: limits::DATAGRAM_QUEUE_LEN_MAX,
            queued_bytes_max: limits::DATAGRAM_QUEUED_BYTES_MAX,
            idle_timeout: limits::DATAGRAM_IDLE_TIMEOUT,
        }
    }
}

/// Both halves of a client: a socket that is connected to one peer.
pub(super) fn client(socket: Socket, peer: &Peer) -> (Incoming, Outgoing) {
    let socket = Arc::new(socket);
    let from = From::Own { socket: Arc::clone(&socket), buffer: BytesMut::new() };
    (Incoming { from, peer: peer.clone() }, Outgoing { socket, seat: None, peer: peer.clone() })
}

/// The receiving half of a connection over datagrams.
#[derive(Debug)]
pub(super) struct Incoming {
    from: From,
    peer: Peer,
}

#[derive(Debug)]
enum From {
    Own { socket: Arc<Socket>, buffer: BytesMut },
    Shared { queue: mpsc::Receiver<Datagram>, _seat: Arc<Seat> },
}

impl Incoming {
    /// Safe to cancel: a datagram is taken from the socket, or the queue, only to be returned.
    pub(super) async fn recv(&mut self) -> Result<Option<Message>, RecvError> {
        match &mut self.from {
            From::Own { socket, buffer } => {
                let bytes_max = socket.bytes_max();
                // Room for one byte more shows whether the system had to cut the datagram.
                buffer.clear();
                buffer.reserve(bytes_max + 1);
                socket.recv(buffer).await.map_err(|error| RecvError::from_io(&self.peer, error))?;
                if buffer.len() > bytes_max {
                    return Err(RecvError::DatagramTooLong { peer: self.peer.clone(), bytes_max });
                }
                Ok(Some(Message::binary(Bytes::copy_from_slice(buffer))))
            }
            From::Shared { queue, .. } => {
                Ok(queue.recv().await.map(|datagram| Message::binary(datagram.payload)))
            }
        }
    }
}

/// The sending half of a connection over datagrams.
#[derive(Debug)]
pub(super) struct Outgoing {
    socket: Arc<Socket>,
    /// Only where the socket is shared.
    seat: Option<Arc<Seat>>,
    peer: Peer,
}

impl Outgoing {
    /// Safe to cancel: a datagram is sent whole or not at all.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), SendError> {
        let payload = &message.payload;
        match &self.seat {
            None => self.socket.send(payload, &self.peer).await,
            Some(seat) if seat.has_ended() => Err(SendError::Closed { peer: self.peer.clone() }),
            Some(_) => self.socket.send_to(payload, &self.peer).await,
        }
    }

    /// Ends the receiving half of a served connection too: no peer will ever close it.
    pub(super) fn close(self) {
        if let Some(seat) = self.seat {
            seat.end();
        }
    }
}
