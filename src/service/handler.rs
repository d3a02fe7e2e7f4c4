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

/// What a service does with the messages of one client.
pub trait Handler: Send {
    /// Deals with a message, which is lent until this returns. It must not wait: every client of
    /// the shard would.
    fn on_message(&mut self, message: MessageRef<'_>, replies: &mut Replies<'_>) -> Flow;
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
    out: &'a mut Vec<u8>,
    deflater: Option<&'a mut Deflater>,
}

impl<'a> Replies<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, deflater: Option<&'a mut Deflater>) -> Self {
        Self { out, deflater }
    }

    /// Answers with a message.
    pub fn send(&mut self, message: MessageRef<'_>) {
        match &mut self.deflater {
            None => encode::message(self.out, message, None),
            Some(deflater) => {
                encode::compressed(self.out, message.kind, message.payload, None, deflater);
            }
        }
    }
}
