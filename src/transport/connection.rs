//! A connection to one peer, whatever its transport.

use super::{
    Bare, CloseReason, Framing, OpenError, OpenOptions, Peer, RecvError, SendError, datagram,
    eyeballs, file, secure, stdio, stream, udp, ws,
};
#[cfg(unix)]
use super::{exec, unix, unixgram};
use crate::address::Address;
use crate::core::Message;
use crate::limits;
use crate::transport::wire::Wire;

/// A connection to one peer: both its halves. Dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    incoming: Incoming,
    outgoing: Outgoing,
    peer: Peer,
}

impl Connection {
    /// Connects to an address. Over datagrams, whether somebody listens there shows only when
    /// something is sent.
    ///
    /// # Errors
    ///
    /// When none of the host's addresses answers within the options' `timeout`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up.
    pub async fn open(address: &Address, options: &OpenOptions) -> Result<Self, OpenError> {
        Self::open_kind(address, options).await.map_err(|error| error.naming(address.redacted()))
    }

    async fn open_kind(address: &Address, options: &OpenOptions) -> Result<Self, OpenError> {
        Ok(match address {
            Address::Tcp(endpoint) => {
                let (socket, peer) = eyeballs::connect(endpoint, options).await?;
                let peer = Peer::from(peer);
                Self::stream(stream::tcp(socket, &peer), peer)
            }
            Address::Udp(endpoint) => {
                let (incoming, outgoing, peer) = udp::open(endpoint, options).await?;
                Self::datagram((incoming, outgoing), peer)
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                let (socket, peer) = unix::open(path, options).await?;
                Self::stream(stream::unix(socket, &peer), peer)
            }
            #[cfg(unix)]
            Address::Unixgram(path) => {
                let (incoming, outgoing, peer) = unixgram::open(path, options).await?;
                Self::datagram((incoming, outgoing), peer)
            }
            #[cfg(not(unix))]
            Address::Unix(_) | Address::Unixgram(_) => {
                let what = "Unix-domain sockets";
                return Err(OpenError::Unsupported { address: address.to_string(), what });
            }
            Address::Ws(ws) => {
                let (incoming, outgoing, peer) = ws::open(ws, options).await?;
                Self::new(IncomingKind::Ws(incoming), OutgoingKind::Ws(outgoing), peer)
            }
            #[cfg(unix)]
            Address::Exec(program) => {
                let (halves, peer) = exec::open(program, &options.exec).await?;
                Self::stream(halves, peer)
            }
            #[cfg(not(unix))]
            Address::Exec(_) => {
                let what = "programs that can be spoken to";
                return Err(OpenError::Unsupported { address: address.to_string(), what });
            }
            Address::File(path) => {
                let (halves, peer) = file::open(path, &options.file).await?;
                Self::stream(halves, peer)
            }
            Address::Tls(endpoint) => {
                let (wire, peer) = secure::open(endpoint, options).await?;
                Self::stream(stream::tls(wire, &peer), peer)
            }
            Address::Stdio => Self::stream(stdio::open(), Peer::Stdio),
        })
    }

    pub(super) fn new(incoming: IncomingKind, outgoing: OutgoingKind, peer: Peer) -> Self {
        Self { incoming: Incoming(incoming), outgoing: Outgoing(outgoing), peer }
    }

    pub(super) fn stream(halves: (stream::Incoming, stream::Outgoing), peer: Peer) -> Self {
        Self::new(IncomingKind::Stream(halves.0), OutgoingKind::Stream(halves.1), peer)
    }

    pub(super) fn datagram(halves: (datagram::Incoming, datagram::Outgoing), peer: Peer) -> Self {
        Self::new(IncomingKind::Datagram(halves.0), OutgoingKind::Datagram(halves.1), peer)
    }

    /// Receives the next message; `None` once the peer has closed, or, over datagrams, once a
    /// server has heard nothing from it for too long. Streams and datagrams yield binary messages.
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

    /// Queues a message, to leave in one write with those fed behind it. It is sent when
    /// [flushed](Self::flush), or before a further one when 64 KiB wait. Datagrams leave at once.
    ///
    /// # Errors
    ///
    /// See [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// Over WebSocket the message is queued whole or not at all. Not safe on streams, as
    /// [`Self::send`] is not.
    pub async fn feed(&mut self, message: Message) -> Result<(), SendError> {
        self.outgoing.feed(message).await
    }

    /// Sends what was fed, and waits until the system has taken it.
    ///
    /// # Errors
    ///
    /// See [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// Over WebSocket what is left goes out before whatever is sent next. Not safe on streams, as
    /// [`Self::send`] is not.
    pub async fn flush(&mut self) -> Result<(), SendError> {
        self.outgoing.flush().await
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

    /// Closes the connection. WebSocket peers are told the reason.
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

    /// Turns a client away that is not served: a WebSocket is told the reason, TCP is reset, so that
    /// nobody takes an end at once for an answer. Other streams have no word for it and end.
    ///
    /// # Errors
    ///
    /// See [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// As [`Self::close`].
    pub(crate) async fn turn_away(self, reason: CloseReason) -> Result<(), SendError> {
        if !self.is_stream() {
            return self.close(reason).await;
        }
        self.outgoing.abort();
        Ok(())
    }

    /// Both halves, for two tasks. The connection is closed when both are dropped; dropping the
    /// sending half of a stream half-closes it.
    pub fn split(self) -> (Incoming, Outgoing) {
        (self.incoming, self.outgoing)
    }

    /// The socket of a WebSocket client that has just been accepted, for a loop of its own; any
    /// other connection comes back as it was.
    pub(crate) fn into_ws_socket(self) -> Result<(ws::Socket, Peer), Box<Self>> {
        let Self { incoming, outgoing, peer } = self;
        match (incoming.0, outgoing.0) {
            (IncomingKind::Ws(incoming), OutgoingKind::Ws(outgoing)) => {
                match ws::take_apart(incoming, outgoing) {
                    Ok(socket) => Ok((socket, peer)),
                    Err(halves) => {
                        let (incoming, outgoing) =
                            (IncomingKind::Ws(halves.0), OutgoingKind::Ws(halves.1));
                        Err(Box::new(Self::new(incoming, outgoing, peer)))
                    }
                }
            }
            (incoming, outgoing) => Err(Box::new(Self::new(incoming, outgoing, peer))),
        }
    }

    /// What a WebSocket client asked for with its handshake, if the listener was told to
    /// [keep](ws::ServerOptions::keep_requests) that. It is given once.
    pub fn take_request(&mut self) -> Option<Box<ws::Request>> {
        match &mut self.incoming.0 {
            IncomingKind::Ws(incoming) => incoming.request.take(),
            IncomingKind::Stream(_) | IncomingKind::Datagram(_) => None,
        }
    }

    /// The socket of a client of a stream of which nothing has been read, for a loop of its own; any
    /// other connection comes back as it was.
    pub(crate) fn into_stream_socket(self) -> Result<(Wire, Peer), Box<Self>> {
        let Self { incoming, outgoing, peer } = self;
        match (incoming.0, outgoing.0) {
            (IncomingKind::Stream(incoming), OutgoingKind::Stream(outgoing)) => {
                match stream::take_apart(incoming, outgoing) {
                    Ok(wire) => Ok((wire, peer)),
                    Err(halves) => Err(Box::new(Self::stream(*halves, peer))),
                }
            }
            (incoming, outgoing) => Err(Box::new(Self::new(incoming, outgoing, peer))),
        }
    }

    /// The other end.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The same connection with its stream cut into messages another way, each of at most
    /// [`limits::LINE_BYTES_MAX`]. To be called before the first message is received.
    pub fn with_framing(self, framing: Framing) -> Self {
        self.with_framing_up_to(framing, limits::LINE_BYTES_MAX)
    }

    /// As [`Connection::with_framing`], with another bound on a message, in bytes.
    pub fn with_framing_up_to(mut self, framing: Framing, message_bytes_max: usize) -> Self {
        if let IncomingKind::Stream(incoming) = &mut self.incoming.0 {
            incoming.set_framing(framing, message_bytes_max);
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

    /// What the transport knows of messages and ends.
    pub(crate) fn nature(&self) -> Nature {
        match &self.incoming.0 {
            IncomingKind::Stream(_) => Nature::Stream,
            IncomingKind::Datagram(_) => Nature::Datagram,
            IncomingKind::Ws(_) => Nature::Ws,
        }
    }
}

/// What a transport knows of messages and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Bytes without messages. Each direction ends by itself.
    Stream,
    /// Messages, and no end.
    Datagram,
    /// Messages of two kinds. Both directions end together, with a reason.
    Ws,
}

/// The receiving half of a connection.
#[derive(Debug)]
pub struct Incoming(IncomingKind);

#[derive(Debug)]
pub(super) enum IncomingKind {
    Stream(stream::Incoming),
    Datagram(datagram::Incoming),
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
            IncomingKind::Datagram(incoming) => incoming.recv().await,
            IncomingKind::Ws(incoming) => incoming.recv().await,
        }
    }

    /// Whether there is a socket below, which resets its connection when it is closed while it has
    /// something to read.
    pub(crate) fn is_socket(&self) -> bool {
        match &self.0 {
            IncomingKind::Stream(incoming) => incoming.is_socket(),
            IncomingKind::Datagram(_) | IncomingKind::Ws(_) => true,
        }
    }

    /// The socket, when what it has is handed on as it comes and nothing of it waits here.
    pub(crate) fn bare(&self) -> Option<Bare<'_>> {
        match &self.0 {
            IncomingKind::Stream(incoming) => incoming.bare(),
            IncomingKind::Datagram(_) | IncomingKind::Ws(_) => None,
        }
    }

    /// As [`Connection::closed_with`].
    pub fn closed_with(&self) -> Option<&CloseReason> {
        match &self.0 {
            IncomingKind::Ws(incoming) => incoming.closed_with(),
            IncomingKind::Stream(_) | IncomingKind::Datagram(_) => None,
        }
    }

    /// Whether the peer has gone, though reading would not show it: because what it sent before is
    /// still to be read, or because it had closed its side long ago.
    pub(crate) fn is_gone(&self) -> bool {
        match &self.0 {
            IncomingKind::Stream(incoming) => incoming.is_gone(),
            IncomingKind::Datagram(_) => false,
            IncomingKind::Ws(incoming) => incoming.is_gone(),
        }
    }

    /// Has the system look after a peer that says nothing: see [`Self::is_gone`].
    pub(crate) fn look_after_peer(&self) {
        if let IncomingKind::Stream(incoming) = &self.0 {
            incoming.look_after_peer();
        }
    }

    /// Whether the peer broke its protocol, which `recv` says once the peer has had time to read
    /// what it was told.
    pub(crate) fn has_violation(&self) -> bool {
        match &self.0 {
            IncomingKind::Ws(incoming) => incoming.has_violation(),
            IncomingKind::Stream(_) | IncomingKind::Datagram(_) => false,
        }
    }
}

/// The sending half of a connection.
#[derive(Debug)]
pub struct Outgoing(OutgoingKind);

#[derive(Debug)]
pub(super) enum OutgoingKind {
    Stream(stream::Outgoing),
    Datagram(datagram::Outgoing),
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
            OutgoingKind::Datagram(outgoing) => outgoing.send(message).await,
            OutgoingKind::Ws(outgoing) => outgoing.send(message).await,
        }
    }

    /// As [`Connection::feed`].
    ///
    /// # Errors
    ///
    /// See [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// Over WebSocket the message is queued whole or not at all. Not safe on streams.
    pub async fn feed(&mut self, message: Message) -> Result<(), SendError> {
        match &mut self.0 {
            OutgoingKind::Stream(outgoing) => outgoing.feed(message).await,
            OutgoingKind::Datagram(outgoing) => outgoing.send(message).await,
            OutgoingKind::Ws(outgoing) => outgoing.feed(message).await,
        }
    }

    /// As [`Connection::flush`].
    ///
    /// # Errors
    ///
    /// See [`SendError`].
    ///
    /// # Cancel safety
    ///
    /// Over WebSocket what is left goes out before whatever is sent next. Not safe on streams.
    pub async fn flush(&mut self) -> Result<(), SendError> {
        match &mut self.0 {
            OutgoingKind::Stream(outgoing) => outgoing.flush().await,
            OutgoingKind::Datagram(_) => Ok(()),
            OutgoingKind::Ws(outgoing) => outgoing.flush().await,
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
            OutgoingKind::Datagram(_) | OutgoingKind::Ws(_) => Ok(()),
        }
    }

    /// The socket, when it takes bytes as they are and nothing waits here to be sent before them.
    pub(crate) fn bare(&self) -> Option<Bare<'_>> {
        match &self.0 {
            OutgoingKind::Stream(outgoing) => outgoing.bare(),
            OutgoingKind::Datagram(_) | OutgoingKind::Ws(_) => None,
        }
    }

    /// Gives the connection up so that the peer of a stream does not take what it has for
    /// everything: TCP is reset once the other half is dropped too. A WebSocket is to be
    /// [closed](Self::close) instead, with the reason.
    pub(crate) fn abort(self) {
        match self.0 {
            OutgoingKind::Stream(outgoing) => outgoing.abort(),
            OutgoingKind::Datagram(outgoing) => outgoing.close(),
            OutgoingKind::Ws(_) => {}
        }
    }

    /// As [`Connection::close`]. The receiving half of a stream or a WebSocket, if it is still
    /// there, goes on until the peer closes too.
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
            OutgoingKind::Datagram(outgoing) => {
                outgoing.close();
                Ok(())
            }
            OutgoingKind::Ws(outgoing) => outgoing.close(&reason).await,
        }
    }
}
