//! WebSocket over TCP or a Unix-domain socket, with TLS or without: the protocol of `enchufe_core::ws` on real sockets.
//!
//! HTTP is hyper's business up to the 101 response; then the raw socket is taken back, so that
//! neither side keeps more per connection than what it is in the middle of.

mod client;
mod handshake;
mod header;
mod incoming;
mod keys;
mod outgoing;
mod refusal;
mod server;
mod shared;
mod writer;

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use enchufe_core::ws::{
    CloseReason, Decoder, Limits, Role,
    deflate::{Agreed, Direction},
};

use self::{shared::Shared, writer::Writer};
use super::{Peer, SendError, os, wire::Wire};
use crate::limits;

pub use client::ClientOptions;
pub use handshake::{PageHandler, Request};
pub use header::{HeaderError, parse_header};
pub use refusal::Refusal;
pub use server::ServerOptions;

pub(crate) use client::host;
pub(crate) use header::check;
pub(crate) use incoming::Incoming;
pub(crate) use outgoing::Outgoing;
pub(super) use {client::open, server::Listener};

/// When to ask whether a peer is still there, and when to give it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// How often a ping is sent.
    pub ping_interval: Duration,
    /// How long after its last sign of life a peer is gone. Every byte received is one, and so is
    /// every byte it takes of a frame that had to wait.
    pub dead_after: Duration,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self { ping_interval: limits::PING_INTERVAL, dead_after: limits::DEAD_AFTER }
    }
}

impl Keepalive {
    /// How long a ping may stay without an answer, so that `dead_after` holds when the peer went
    /// just after its last sign of life.
    fn answer_timeout(&self) -> Duration {
        self.dead_after.saturating_sub(self.ping_interval)
    }
}

/// What a connection needs to know besides the socket itself.
#[derive(Debug)]
struct Terms {
    role: Role,
    message_bytes_max: usize,
    deflate: Option<Agreed>,
    keepalive: Option<Keepalive>,
}

impl Terms {
    /// How we may compress, and how the peer may.
    fn directions(&self) -> (Option<Direction>, Option<Direction>) {
        let (server, client) = self.deflate.map(|agreed| (agreed.server, agreed.client)).unzip();
        match self.role {
            Role::Server => (server, client),
            Role::Client => (client, server),
        }
    }
}

/// Takes over a socket after its handshake; `received` came in behind that already.
fn start(stream: Wire, peer: Peer, received: &[u8], terms: &Terms) -> (Incoming, Outgoing) {
    if let Some(tcp) = stream.carrier().tcp() {
        os::keep_unsent_short(tcp);
    }
    let limits = Limits { message_bytes_max: terms.message_bytes_max, ..Limits::default() };
    let (ours, peers) = terms.directions();
    let writer = Writer::new(terms.role, ours);
    let shared = Arc::new(Shared::new(stream, peer, writer, terms.keepalive));
    let decoder = match peers {
        Some(direction) => Decoder::with_deflate(terms.role, limits, direction),
        None => Decoder::new(terms.role, limits),
    };
    let buffer = BytesMut::from(received);
    let incoming = Incoming::new(Arc::clone(&shared), decoder, buffer, ours);
    (incoming, Outgoing::new(shared))
}

/// Sends a Close frame, waits for the peer's for a bounded time, and ends the connection. Messages
/// that still come are dropped. A connection that was closed before is left as it is.
pub(super) async fn close(
    mut incoming: Incoming,
    outgoing: Outgoing,
    reason: CloseReason,
) -> Result<(), SendError> {
    if incoming.has_ended() {
        return Ok(());
    }
    let sent = outgoing.close(&reason).await;
    while let Ok(Some(_)) = incoming.recv().await {}
    sent
}

/// A connection of which nothing was received yet, taken apart for a loop of its own.
#[derive(Debug)]
pub(crate) struct Socket {
    /// Non-blocking.
    pub(crate) stream: Wire,
    /// What came in behind the handshake.
    pub(crate) received: Bytes,
    /// For what the peer sends.
    pub(crate) decoder: Decoder,
    /// How we may compress.
    pub(crate) deflate: Option<Direction>,
}

/// Takes a connection apart whose halves were not used yet and whose peer is watched over as is
/// the custom here; any other comes back as it was.
pub(super) fn take_apart(
    incoming: Incoming,
    outgoing: Outgoing,
) -> Result<Socket, Box<(Incoming, Outgoing)>> {
    if !incoming.is_fresh() || incoming.shared.keepalive != Some(Keepalive::default()) {
        return Err(Box::new((incoming, outgoing)));
    }
    drop(outgoing);
    let Incoming { shared, decoder, buffer, deflate, .. } = incoming;
    let Shared { stream, .. } = Arc::into_inner(shared).expect("both halves were here");
    Ok(Socket { stream, received: buffer.freeze(), decoder, deflate })
}
