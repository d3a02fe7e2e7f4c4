//! Every way to reach a peer, in one shape: an [`Address`] is served as a [`Listener`] or opened as
//! a [`Connection`], and a connection receives and sends [`Message`]s.
//!
//! Dispatch is by enum: a new transport is one file, one variant here and one arm in each `match`.

mod accept;
mod bind;
mod endpoint;
mod error;
mod lines;
mod os;
mod peer;
mod stdio;
mod stream;
pub(crate) mod tcp;
pub mod ws;

use std::time::Duration;

pub use error::{BindError, BindWarning, OpenError, RecvError, SendError};
pub use peer::Peer;

use crate::address::Address;
use crate::core::Message;
pub use crate::core::ws::{CloseCode, CloseReason};
use crate::limits;

/// How to listen.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BindOptions {
    /// How many connections the kernel may hold that are not accepted yet (listen(2)).
    pub backlog: u32,
    /// What concerns WebSocket alone.
    pub ws: ws::ServerOptions,
}

impl Default for BindOptions {
    fn default() -> Self {
        Self { backlog: limits::BACKLOG, ws: ws::ServerOptions::default() }
    }
}

/// How to connect.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OpenOptions {
    /// How long it may take, name resolution included.
    pub timeout: Duration,
    /// What concerns WebSocket alone.
    pub ws: ws::ClientOptions,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { timeout: limits::OPEN_TIMEOUT, ws: ws::ClientOptions::default() }
    }
}

/// How the bytes of a stream become messages. Transports that have messages of their own keep
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// A message is whatever one read yields, and what is sent is sent as it is.
    #[default]
    Raw,
    /// A message is a line without its `\n` or `\r\n`, and `\n` is sent after each. The last line
    /// needs no ending. A line longer than [`limits::LINE_BYTES_MAX`] is an error.
    Lines,
}

/// A served address.
#[derive(Debug)]
pub struct Listener {
    kind: ListenerKind,
    local_addresses: Vec<Address>,
    warnings: Vec<BindWarning>,
}

#[derive(Debug)]
enum ListenerKind {
    Tcp(tcp::Listener),
    Ws(ws::Listener),
    Stdio(stdio::Listener),
}

impl Listener {
    /// Listens on an address: on every address of its host, or on none of them.
    ///
    /// # Errors
    ///
    /// When any of them cannot be listened on.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future listens on nothing.
    pub async fn bind(address: &Address, options: &BindOptions) -> Result<Self, BindError> {
        let bound = match address {
            Address::Tcp(endpoint) => {
                tcp::Listener::bind(endpoint, options.backlog).await.map(|(listener, warnings)| {
                    let local = listener.local_addresses().map(Address::Tcp).collect();
                    (ListenerKind::Tcp(listener), local, warnings)
                })
            }
            Address::Ws(ws) => ws::Listener::bind(ws, options).await.map(|(listener, warnings)| {
                let local = listener.local_addresses();
                (ListenerKind::Ws(listener), local, warnings)
            }),
            Address::Stdio => {
                let local = vec![Address::Stdio];
                Ok((ListenerKind::Stdio(stdio::Listener::default()), local, Vec::new()))
            }
            _ => Err(BindError::Unsupported { address: String::new(), what: "such transport" }),
        };
        match bound {
            Ok((kind, local_addresses, warnings)) => Ok(Self { kind, local_addresses, warnings }),
            Err(error) => Err(error.naming(address)),
        }
    }

    /// Where it listens, with the chosen port; one address for each socket.
    pub fn local_addresses(&self) -> &[Address] {
        &self.local_addresses
    }

    /// What is not as asked.
    pub fn warnings(&self) -> &[BindWarning] {
        &self.warnings
    }

    /// The next client. When the machine has no descriptors left, that is logged and tried again
    /// after a pause, so that this never fails.
    ///
    /// # Cancel safety
    ///
    /// Safe: no client is lost.
    pub async fn accept(&mut self) -> Connection {
        let (incoming, outgoing, peer) = match &mut self.kind {
            ListenerKind::Tcp(listener) => {
                let (stream, peer) = listener.accept().await;
                let peer = Peer::from(peer);
                let (incoming, outgoing) = stream::tcp(stream, &peer);
                (IncomingKind::Stream(incoming), OutgoingKind::Stream(outgoing), peer)
            }
            ListenerKind::Ws(listener) => {
                let (incoming, outgoing, peer) = listener.accept().await;
                (IncomingKind::Ws(incoming), OutgoingKind::Ws(outgoing), peer)
            }
            ListenerKind::Stdio(listener) => {
                let (incoming, outgoing) = listener.accept().await;
                (IncomingKind::Stream(incoming), OutgoingKind::Stream(outgoing), Peer::Stdio)
            }
        };
        Connection { incoming: Incoming(incoming), outgoing: Outgoing(outgoing), peer }
    }
}

/// A connection to one peer: both its halves.
#[derive(Debug)]
pub struct Connection {
    incoming: Incoming,
    outgoing: Outgoing,
    peer: Peer,
}

impl Connection {
    /// Connects to an address.
    ///
    /// # Errors
    ///
    /// When none of the host's addresses answers within the options' `timeout`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up.
    pub async fn open(address: &Address, options: &OpenOptions) -> Result<Self, OpenError> {
        let opened = match address {
            Address::Tcp(endpoint) => {
                tcp::connect(endpoint, options.timeout).await.map(|(tcp, peer)| {
                    let peer = Peer::from(peer);
                    let (incoming, outgoing) = stream::tcp(tcp, &peer);
                    (IncomingKind::Stream(incoming), OutgoingKind::Stream(outgoing), peer)
                })
            }
            Address::Ws(ws) => ws::open(ws, options).await.map(|(incoming, outgoing, peer)| {
                (IncomingKind::Ws(incoming), OutgoingKind::Ws(outgoing), peer)
            }),
            Address::Stdio => {
                let (incoming, outgoing) = stdio::open();
                Ok((IncomingKind::Stream(incoming), OutgoingKind::Stream(outgoing), Peer::Stdio))
            }
            _ => Err(OpenError::Unsupported { address: String::new(), what: "such transport" }),
        };
        match opened {
            Ok((incoming, outgoing, peer)) => {
                Ok(Self { incoming: Incoming(incoming), outgoing: Outgoing(outgoing), peer })
            }
            Err(error) => Err(error.naming(address)),
        }
    }

    /// Receives the next message; `None` once the peer has closed.
    ///
    /// # Errors
    ///
    /// See [`RecvError`].
    ///
    /// # Cancel safety
    ///
    /// Safe: what was received is kept for the next call.
    pub async fn recv(&mut self) -> Result<Option<Message>, RecvError> {
        self.incoming.recv().await
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// See [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// Not safe on streams: a part of the message may have been sent.
    pub async fn send(&mut self, message: Message) -> Result<(), SendError> {
        self.outgoing.send(message).await
    }

    /// Tells the peer of a stream that nothing more will come, and goes on receiving. Transports
    /// that cannot be half closed ignore it.
    ///
    /// # Errors
    ///
    /// See [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// Safe to call again.
    pub async fn finish(&mut self) -> Result<(), SendError> {
        self.outgoing.finish().await
    }

    /// Closes the connection. WebSocket peers are told the reason; for the rest it is dropped.
    ///
    /// # Errors
    ///
    /// See [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// The connection is closed, though perhaps without the reason.
    pub async fn close(self, reason: CloseReason) -> Result<(), SendError> {
        match (self.incoming.0, self.outgoing) {
            (IncomingKind::Ws(incoming), Outgoing(OutgoingKind::Ws(outgoing))) => {
                ws::close(incoming, outgoing, reason).await
            }
            (_incoming, outgoing) => outgoing.close(reason).await,
        }
    }

    /// Both halves, for two tasks.
    pub fn split(self) -> (Incoming, Outgoing) {
        (self.incoming, self.outgoing)
    }

    /// The other end.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The same connection with its stream cut into messages another way. To be called before the
    /// first message is received.
    pub fn with_framing(mut self, framing: Framing) -> Self {
        if let IncomingKind::Stream(incoming) = &mut self.incoming.0 {
            incoming.set_framing(framing);
        }
        if let OutgoingKind::Stream(outgoing) = &mut self.outgoing.0 {
            outgoing.set_framing(framing);
        }
        self
    }

    /// Whether it is a stream of bytes, without messages of its own.
    pub fn is_stream(&self) -> bool {
        matches!(self.incoming.0, IncomingKind::Stream(_))
    }

    /// What the Close frame of a WebSocket peer said, once `recv` gave `None`.
    pub fn closed_with(&self) -> Option<&CloseReason> {
        self.incoming.closed_with()
    }
}

/// The receiving half of a connection.
#[derive(Debug)]
pub struct Incoming(IncomingKind);

#[derive(Debug)]
enum IncomingKind {
    Stream(stream::Incoming),
    Ws(ws::Incoming),
}

impl Incoming {
    /// As [`Connection::recv`].
    ///
    /// # Errors
    ///
    /// See [`RecvError`].
    ///
    /// # Cancel safety
    ///
    /// Safe: what was received is kept for the next call.
    pub async fn recv(&mut self) -> Result<Option<Message>, RecvError> {
        match &mut self.0 {
            IncomingKind::Stream(incoming) => incoming.recv().await,
            IncomingKind::Ws(incoming) => incoming.recv().await,
        }
    }

    /// As [`Connection::closed_with`].
    pub fn closed_with(&self) -> Option<&CloseReason> {
        match &self.0 {
            IncomingKind::Ws(incoming) => incoming.closed_with(),
            IncomingKind::Stream(_) => None,
        }
    }
}

/// The sending half of a connection.
#[derive(Debug)]
pub struct Outgoing(OutgoingKind);

#[derive(Debug)]
enum OutgoingKind {
    Stream(stream::Outgoing),
    Ws(ws::Outgoing),
}

impl Outgoing {
    /// As [`Connection::send`].
    ///
    /// # Errors
    ///
    /// See [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// Not safe on streams: a part of the message may have been sent.
    pub async fn send(&mut self, message: Message) -> Result<(), SendError> {
        match &mut self.0 {
            OutgoingKind::Stream(outgoing) => outgoing.send(message).await,
            OutgoingKind::Ws(outgoing) => outgoing.send(message).await,
        }
    }

    /// As [`Connection::finish`].
    ///
    /// # Errors
    ///
    /// See [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// Safe to call again.
    pub async fn finish(&mut self) -> Result<(), SendError> {
        match &mut self.0 {
            OutgoingKind::Stream(outgoing) => outgoing.finish().await,
            OutgoingKind::Ws(_) => Ok(()),
        }
    }

    /// As [`Connection::close`]. The receiving half, if it is still there, goes on until the peer
    /// closes too.
    ///
    /// # Errors
    ///
    /// See [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// This half is closed, though perhaps without the reason.
    pub async fn close(self, reason: CloseReason) -> Result<(), SendError> {
        match self.0 {
            OutgoingKind::Stream(mut outgoing) => outgoing.finish().await,
            OutgoingKind::Ws(outgoing) => outgoing.close(&reason).await,
        }
    }
}
