//! The hot form of a service: what it does with a message at once, without a task of its own.
//!
//! A service that only ever answers what it receives needs no task, no waker and no buffer for
//! each client. Its WebSocket clients live in a shard's table; messages are lent to its
//! [`Handler`] from the shard's one read buffer, and everything it answers to what one read
//! brought leaves in one write.

use enchufe_core::{
    MessageRef,
    ws::{CloseReason, deflate::Deflater, encode},
};

use crate::shard::Room;

/// From how many bytes on an answer is written where the question was. The cache that this spares
/// does not matter with shorter ones, which are cheaper to append elsewhere.
const ROOM_BYTES_MIN: usize = 1024;

/// What a service does with the messages of one client.
pub trait Handler: Send {
    /// Deals with a message, which is lent until this returns. It must not wait: every client of
    /// the shard would.
    fn on_message(&mut self, message: MessageRef<'_>, replies: &mut Replies<'_>) -> Flow;
}

/// What a service does with the bytes of one client of a stream, where it has no need to tell
/// messages apart.
pub trait StreamHandler: Send {
    /// Deals with the bytes that came and leaves at their front what is to be sent back, whose
    /// length it returns. It must not wait: every client of the shard would.
    fn on_bytes(&mut self, bytes: &mut [u8]) -> usize;
}

/// Whether a connection goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Continue,
    /// It is closed behind the replies; what the client still sends is not dealt with.
    Close(CloseReason),
}

/// Where the answers to a message go.
///
/// They are sent once everything that was read with the message has been dealt with. A client that
/// does not take its answers is not read any further until it does. A message that came compressed
/// is answered in kind: the client knows best what pays.
#[derive(Debug)]
pub struct Replies<'a> {
    /// Where an answer goes while it fits and nothing is in `out`, which is sent behind it.
    room: Room<'a>,
    out: &'a mut Vec<u8>,
    deflater: Option<&'a mut Deflater>,
}

impl<'a> Replies<'a> {
    pub(super) fn new(
        room: Room<'a>,
        out: &'a mut Vec<u8>,
        deflater: Option<&'a mut Deflater>,
    ) -> Self {
        Self { room, out, deflater }
    }

    fn has_room_for(&self, message: MessageRef<'_>) -> bool {
        self.out.is_empty() && message.payload.len() >= ROOM_BYTES_MIN
    }

    /// Answers with a message.
    #[inline]
    pub fn send(&mut self, message: MessageRef<'_>) {
        if let Some(deflater) = &mut self.deflater {
            encode::compressed(self.out, message.kind, message.payload, None, deflater);
        } else if !(self.has_room_for(message) && self.room.write(message)) {
            encode::message(self.out, message, None);
        }
    }
}
