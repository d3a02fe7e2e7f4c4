//! What decides that a talk is over, apart from the peer.

use std::time::Duration;

use enchufe_core::Message;
use memchr::memchr_iter;
use tokio::time::Instant;

use super::sender::Progress;
use crate::limits;

/// What decides that a talk is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    /// How long after the last message, either way, nothing means that nothing will come. Unless
    /// told, streams are waited for until their peer closes, and others for a bounded time.
    pub(super) wait: Option<Duration>,
    /// So many received messages are enough.
    pub(super) count: Option<u32>,
    /// What is counted is lines, since there are no messages.
    pub(super) counts_lines: bool,
    /// Only the peer ends it.
    pub(super) keep_open: bool,
    /// The peer can be told that the input has ended, and itself tells when it is done.
    pub(super) is_stream: bool,
    /// A person types, and Ctrl-D means the end.
    pub(super) is_dialogue: bool,
    /// The input ends when it says so, also when nothing was in it.
    pub(super) is_replay: bool,
    /// Whether it is a failure when nothing at all comes back.
    pub(super) wants_reply: bool,
    /// The transport has a closing handshake.
    pub(super) has_goodbye: bool,
}

/// What was said so far, on all connections.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Account {
    /// Messages received; lines, where those are counted.
    pub(super) received: u64,
    /// Messages of the input that were sent.
    pub(super) sent: u64,
    /// Bytes of the input that were sent.
    pub(super) sent_bytes: u64,
}

impl Ending {
    /// How long silence is borne, if it ever ends a talk, when so much has come back.
    pub(super) fn patience(&self, received: u64) -> Option<Duration> {
        let until_it_closes = self.is_stream && !self.is_dialogue;
        // A datagram may have got lost; a WebSocket's server has what it was sent.
        let is_asked = received == 0 && self.wants_reply && self.has_goodbye;
        let unless_told = if is_asked { limits::FIRST_REPLY_WAIT } else { limits::REPLY_WAIT };
        self.wait.or_else(|| (!until_it_closes).then_some(unless_told))
    }

    /// Whether the end of the input counts although nothing was in it. Else it only listens.
    pub(super) fn ends_when_empty(&self) -> bool {
        self.is_dialogue || self.is_replay || self.wait.is_some()
    }

    /// Whether silence alone is a failure, after so many messages.
    pub(super) fn wants_reply_to(&self, messages: u64) -> bool {
        self.wants_reply && (messages > 0 || self.wait.is_some())
    }

    /// When silence means the end; never while there is more to send, or the peer decides.
    pub(super) fn silence(
        &self,
        sent: &Progress,
        received: u64,
        last_received: Option<Instant>,
    ) -> Option<Instant> {
        if self.keep_open || self.count.is_some() {
            return None;
        }
        let ended = sent.ended?;
        let patience = self.patience(received)?;
        let last = sent.last.max(last_received);
        if sent.messages > 0 && !self.is_replay {
            return last.map(|last| last + patience);
        }
        // A person who says nothing leaves, unless told to wait; an empty input listens.
        if self.is_dialogue && self.wait.is_none() {
            return Some(Instant::now());
        }
        self.ends_when_empty().then(|| last.max(Some(ended)).unwrap_or(ended) + patience)
    }

    /// Counts what was received, cuts off what is more than was asked for, and says whether it is
    /// enough now.
    pub(super) fn count(&self, received: &mut u64, message: &mut Message) -> bool {
        let Some(count) = self.count.map(u64::from) else {
            *received += 1;
            return false;
        };
        if !self.counts_lines {
            *received += 1;
            return *received >= count;
        }
        let left = usize::try_from(count - *received).unwrap_or(usize::MAX);
        match memchr_iter(b'\n', &message.payload).nth(left.saturating_sub(1)) {
            Some(last) => {
                message.payload.truncate(last + 1);
                true
            }
            None => {
                *received += memchr_iter(b'\n', &message.payload).count() as u64;
                false
            }
        }
    }
}
