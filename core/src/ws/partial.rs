//! What a decoder keeps of a frame or message that has not wholly arrived.
//!
//! It lies in a box of its own, made when something is unfinished and dropped when nothing is, so
//! that a connection between two messages costs no heap memory.

use arrayvec::ArrayVec;

use super::{
    Header, Limits, Opcode, ViolationKind,
    frame::{CONTROL_BYTES_MAX, HEADER_BYTES_MAX},
    mask, utf8,
};
use crate::{Kind, MessageRef};

/// Everything unfinished, and whatever the last call lent to its caller.
#[derive(Debug, Default)]
pub(super) struct Partial {
    /// The first bytes of a header.
    pub(super) header: ArrayVec<u8, HEADER_BYTES_MAX>,
    /// The frame whose payload is arriving.
    pub(super) frame: Option<OpenFrame>,
    /// The payload of a control frame.
    pub(super) control: ArrayVec<u8, CONTROL_BYTES_MAX>,
    /// The message whose frames are arriving; control frames may come in between.
    pub(super) message: Option<PartialMessage>,
}

impl Partial {
    /// Drops what the last call lent: a message or control frame that had become whole.
    pub(super) fn drop_lent(&mut self) {
        if self.message.as_ref().is_some_and(|message| message.whole) {
            self.message = None;
        }
        if self.frame.is_none() {
            self.control.clear();
        }
    }

    /// Whether nothing is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.header.is_empty()
            && self.frame.is_none()
            && self.control.is_empty()
            && self.message.is_none()
    }

    /// Takes the next bytes of the open frame's payload from the front of `input`, and says how
    /// many it took and, when that made the frame whole, what its header was.
    pub(super) fn receive(
        &mut self,
        input: &mut [u8],
        limits: Limits,
    ) -> Result<Received, ViolationKind> {
        let Some(frame) = &mut self.frame else { return Ok(Received::default()) };
        let consumed = frame.remaining.min(input.len());
        let piece = &mut input[..consumed];
        frame.unmask(piece);
        frame.remaining -= consumed;
        let header = frame.header;
        let remaining = frame.remaining;
        if remaining == 0 {
            self.frame = None;
        }

        if header.opcode.is_control() {
            // A control frame's header was refused unless its length fits.
            self.control.extend(piece.iter().copied());
        } else if let Some(message) = &mut self.message {
            let len_max = if header.fin {
                message.bytes.len() + consumed + remaining
            } else {
                limits.message_bytes_max
            };
            message.append(piece, len_max)?;
            if remaining == 0 && header.fin {
                message.finish()?;
            }
        }
        Ok(Received { consumed, whole: (remaining == 0).then_some(header) })
    }
}

/// What [`Partial::receive`] did.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) consumed: usize,
    pub(super) whole: Option<Header>,
}

/// A frame whose payload is arriving.
#[derive(Debug)]
pub(super) struct OpenFrame {
    header: Header,
    remaining: usize,
}

impl OpenFrame {
    /// `payload_len` is the header's, which has passed the limits and so fits a `usize`.
    pub(super) fn new(header: Header, payload_len: usize) -> Self {
        Self { header, remaining: payload_len }
    }

    /// Unmasks the next bytes and turns the key for those after them.
    fn unmask(&mut self, piece: &mut [u8]) {
        if let Some(key) = &mut self.header.mask {
            mask::apply(piece, *key);
            *key = mask::after(*key, piece.len());
        }
    }
}

/// A message whose frames are arriving.
#[derive(Debug)]
pub(super) struct PartialMessage {
    kind: Kind,
    bytes: Vec<u8>,
    /// How much of a text is known to be UTF-8.
    checked: usize,
    /// The fragments after the first.
    continuations: u32,
    whole: bool,
}

impl PartialMessage {
    pub(super) fn new(opcode: Opcode) -> Self {
        let kind = if opcode == Opcode::Text { Kind::Text } else { Kind::Binary };
        Self { kind, bytes: Vec::new(), checked: 0, continuations: 0, whole: false }
    }

    /// The bytes received so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Charges one more fragment of `payload_len` bytes, which are known to be within the limit.
    pub(super) fn charge(
        &mut self,
        payload_len: usize,
        limits: Limits,
    ) -> Result<(), ViolationKind> {
        self.continuations = self.continuations.saturating_add(1);
        let bytes = (self.bytes.len() + payload_len) as u64;
        let overhead =
            u64::from(self.continuations).saturating_mul(limits.fragment_overhead_bytes as u64);
        let charge_max = (limits.message_bytes_max as u64).saturating_mul(2);
        if bytes.saturating_add(overhead) > charge_max {
            let fragments = self.continuations.saturating_add(1);
            return Err(ViolationKind::TooManyFragments { bytes, fragments });
        }
        Ok(())
    }

    pub(super) fn as_ref(&self) -> MessageRef<'_> {
        MessageRef { kind: self.kind, payload: &self.bytes }
    }

    /// Appends what has arrived. The capacity at most doubles, and never exceeds the `len_max`
    /// bytes the message can still come to: a length in a header reserves nothing by itself.
    fn append(&mut self, piece: &[u8], len_max: usize) -> Result<(), ViolationKind> {
        let needed = self.bytes.len() + piece.len();
        if needed > self.bytes.capacity() {
            let capacity = self.bytes.capacity().saturating_mul(2).min(len_max).max(needed);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(piece);
        if self.kind == Kind::Text {
            self.checked = utf8::check(&self.bytes, self.checked)
                .map_err(|invalid| ViolationKind::TextNotUtf8 { at: invalid.at })?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ViolationKind> {
        if self.kind == Kind::Text && self.checked < self.bytes.len() {
            return Err(ViolationKind::TextNotUtf8 { at: self.checked });
        }
        self.whole = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { message_bytes_max: 1 << 20, fragment_overhead_bytes: 64 };

    fn begin(partial: &mut Partial, fin: bool, opcode: Opcode, payload_len: usize) {
        let len = payload_len as u64;
        let header = Header { fin, compressed: false, opcode, mask: None, payload_len: len };
        partial.message.get_or_insert_with(|| PartialMessage::new(opcode));
        partial.frame = Some(OpenFrame::new(header, payload_len));
    }

    /// Receives in pieces of `piece_len` and checks after each how much was reserved.
    fn receive_all(partial: &mut Partial, frame_len: usize, piece_len: usize) {
        let capacity_max = frame_len.max(LIMITS.message_bytes_max);
        for _ in 0..frame_len.div_ceil(piece_len) {
            partial.receive(&mut vec![b'x'; piece_len], LIMITS).expect("it is within the limits");
            let bytes = &partial.message.as_ref().expect("it was begun").bytes;
            assert!(bytes.capacity() <= (2 * bytes.len()).min(capacity_max), "{}", bytes.len());
        }
    }

    #[test]
    fn no_more_is_reserved_than_twice_what_was_received() {
        for piece_len in [1, 7, 1000, 4096] {
            let mut partial = Partial::default();
            begin(&mut partial, true, Opcode::Binary, 100_000);
            receive_all(&mut partial, 100_000, piece_len);
            let message = partial.message.expect("it was begun");
            assert_eq!((message.bytes.len(), message.whole), (100_000, true));
            assert_eq!(message.bytes.capacity(), 100_000, "the last piece needs no spare room");
        }
    }

    #[test]
    fn fragments_reserve_no_more_than_the_longest_message() {
        let mut partial = Partial::default();
        begin(&mut partial, false, Opcode::Text, 700_000);
        receive_all(&mut partial, 700_000, 4096);
        begin(&mut partial, false, Opcode::Continuation, 348_576);
        receive_all(&mut partial, 348_576, 4096);
        let message = partial.message.expect("it was begun");
        assert_eq!(message.bytes.capacity(), LIMITS.message_bytes_max);
    }

    #[test]
    fn the_key_turns_with_pieces_of_any_length() {
        for piece_len in 1..9 {
            let mut partial = Partial::default();
            let mask = Some([1, 2, 3, 4]);
            let opcode = Opcode::Ping;
            let header = Header { fin: true, compressed: false, opcode, mask, payload_len: 23 };
            partial.frame = Some(OpenFrame::new(header, 23));
            let mut masked = [b'x'; 23];
            mask::apply(&mut masked, [1, 2, 3, 4]);
            for piece in masked.chunks_mut(piece_len) {
                partial.receive(piece, LIMITS).expect("a ping");
            }
            assert_eq!(partial.control[..], [b'x'; 23]);
        }
    }
}
