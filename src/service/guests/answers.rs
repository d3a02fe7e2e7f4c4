//! What is sent to the clients of a service.
//!
//! Answers to what one read brought are written into the room in front of it, or, when there is no
//! more of that, into one buffer that all clients share, and sent from there. Only what a client does not take at once becomes its own, and until it has taken
//! that, nothing more of it is read: so nobody makes the server keep more than the answers to one
//! read.

use enchufe_core::ws::{CloseReason, encode};

use super::{Guest, Hot};
use crate::{
    limits,
    shard::{Full, Outlet, Slices, Transmit},
};

/// The shared buffer, whose bytes follow those in the room. Between two calls of the shard it is
/// empty.
#[derive(Default)]
pub(crate) struct Answers {
    out: Vec<u8>,
}

/// What a client has not taken yet.
pub(super) struct Waiting {
    bytes: Vec<u8>,
    sent: usize,
}

impl Answers {
    /// Where the next bytes for a client go.
    #[inline]
    pub(super) fn of<'a>(&'a mut self, waiting: &'a mut Option<Box<Waiting>>) -> &'a mut Vec<u8> {
        match waiting {
            Some(waiting) => &mut waiting.bytes,
            None => &mut self.out,
        }
    }

    /// Drops what was written for a client that has gone: the buffer is the next one's.
    pub(super) fn forget(&mut self) {
        if self.out.capacity() > limits::SHARD_OUT_BYTES_KEPT {
            self.out = Vec::new();
        }
        self.out.clear();
    }

    fn keep_rest(&mut self, guest: &mut Guest, front: &[u8], sent: usize) {
        // Its own memory, of just that size: the shared buffer may have much room to spare.
        let of_front = sent.min(front.len());
        let bytes = [&front[of_front..], &self.out[sent - of_front..]].concat();
        guest.waiting = Some(Box::new(Waiting { bytes, sent: 0 }));
        self.forget();
    }
}

impl Outlet for Answers {
    type Seat = Guest;

    const ANSWERS_AT_ONCE: bool = true;

    fn push(&mut self, guest: &mut Guest, frame: &[u8]) -> Result<(), Full> {
        // Who does not take what waits is not asked for a sign of life, and nothing of it is read.
        if guest.waiting.is_none() {
            self.out.extend_from_slice(frame);
        }
        Ok(())
    }

    fn close(&mut self, guest: &mut Guest, reason: &CloseReason) {
        if !guest.is_closing {
            guest.is_closing = true;
            if let Hot::Messages(_) = guest.service {
                encode::close(self.of(&mut guest.waiting), Some(reason), None);
            }
        }
    }

    fn finish(&mut self, guest: &mut Guest, reason: &CloseReason) {
        self.close(guest, reason);
    }

    fn end(&mut self, guest: &mut Guest) {
        guest.is_closing = true;
    }

    #[inline]
    fn is_closing(&self, guest: &Guest) -> bool {
        guest.is_closing
    }

    #[inline]
    fn is_filling(&self, _: &Guest) -> bool {
        self.out.len() >= limits::SHARD_BUFFER_BYTES
    }

    fn is_full(&self, guest: &Guest) -> bool {
        guest.waiting.is_some() && !guest.is_closing
    }

    fn next_ready(&mut self, _: &mut usize) -> Option<usize> {
        None
    }

    fn has_ready(&self) -> bool {
        false
    }

    fn transmit<'a>(
        &'a mut self,
        guest: &'a mut Guest,
        front: &'a [u8],
        _: usize,
        slices: &mut Slices<'a>,
    ) -> Transmit {
        // Nothing is answered for whom something waits.
        debug_assert!(front.is_empty() || guest.waiting.is_none());
        let bytes = match &guest.waiting {
            Some(waiting) => &waiting.bytes[waiting.sent..],
            None => &self.out[..],
        };
        slices.extend([front, bytes].into_iter().filter(|slice| !slice.is_empty()));
        match front.len() + bytes.len() {
            0 if guest.is_closing => Transmit::Closed,
            0 => Transmit::Idle,
            len => Transmit::Bytes(len),
        }
    }

    fn sent(&mut self, guest: &mut Guest, front: &[u8], bytes: usize) {
        match &mut guest.waiting {
            Some(waiting) => {
                waiting.sent += bytes;
                if waiting.sent == waiting.bytes.len() {
                    guest.waiting = None;
                }
            }
            None if bytes < front.len() + self.out.len() => self.keep_rest(guest, front, bytes),
            None => self.forget(),
        }
    }

    #[inline]
    fn is_done(&mut self, guest: &Guest) -> bool {
        guest.waiting.is_none() && !guest.is_closing
    }

    fn blocked(&mut self, guest: &mut Guest, front: &[u8]) {
        if guest.waiting.is_none() && !(front.is_empty() && self.out.is_empty()) {
            self.keep_rest(guest, front, 0);
        }
    }

    fn writable(&mut self, _: &mut Guest) {}

    /// Never: everything that waits is one slice, which is taken whole or not.
    fn again(&mut self, _: &mut Guest) {}
}
