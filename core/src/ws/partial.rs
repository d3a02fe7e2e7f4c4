//! What a decoder keeps of a frame or message that has not wholly arrived.
//!
//! It lies in a box of its own, made when something is unfinished and dropped when nothing is, so
//! that a connection between two messages costs no heap memory.

use arrayvec::ArrayVec;

use super::{
    Header, Limits, Opcode, ViolationKind,
    deflate::{Inflater, Stop},
    frame::{CONTROL_BYTES_MAX, HEADER_BYTES_MAX},
    mask, utf8,
};
use crate::{Kind, MessageRef};

/// What inflating makes room for at least, in bytes, where the limit allows it.
const ROOM_MIN: usize = 256;

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

    /// Whether it keeps a compressed message.
    pub(super) fn is_inflating(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.compressed)
    }

    /// Takes the next bytes of the open frame's payload from the front of `input`, and says how
    /// many it took and, when that made the frame whole, what its header was.
    pub(super) fn receive(
        &mut self,
        input: &mut [u8],
        limits: Limits,
        inflater: Option<&mut Inflater>,
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
            let is_last = remaining == 0 && header.fin;
            match inflater.filter(|_| message.compressed) {
                Some(inflater) => {
                    message.inflate(piece, limits, inflater)?;
                    if is_last {
                        message.finish_inflating(inflater)?;
                    }
                }
                None => {
                    let len_max = if header.fin {
                        message.bytes.len() + consumed + remaining
                    } else {
                        limits.message_bytes_max
                    };
                    message.append(piece, len_max)?;
                }
            }
            if is_last {
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
    /// Whether it comes compressed; `bytes` are what it inflates to.
    pub(super) compressed: bool,
    bytes: Vec<u8>,
    /// How much of a text is known to be UTF-8.
    checked: usize,
    /// The payload of all its frames so far, announced by their headers.
    wire_bytes: usize,
    /// The fragments after the first.
    continuations: u32,
    /// The deflate streams after the first.
    streams: u32,
    whole: bool,
}

impl PartialMessage {
    pub(super) fn new(opcode: Opcode, compressed: bool, payload_len: usize) -> Self {
        Self {
            kind: if opcode == Opcode::Text { Kind::Text } else { Kind::Binary },
            compressed,
            bytes: Vec::new(),
            checked: 0,
            wire_bytes: payload_len,
            continuations: 0,
            streams: 0,
            whole: false,
        }
    }

    /// The payload of all its frames so far.
    pub(super) fn wire_bytes(&self) -> usize {
        self.wire_bytes
    }

    /// The memory it takes.
    pub(super) fn reserved_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Charges one more fragment of `payload_len` bytes, which are known to be within the limit.
    pub(super) fn charge(
        &mut self,
        payload_len: usize,
        limits: Limits,
    ) -> Result<(), ViolationKind> {
        self.continuations = self.continuations.saturating_add(1);
        self.wire_bytes += payload_len;
        if self.exceeds_charge(limits) {
            let fragments = self.continuations.saturating_add(1);
            let bytes = self.wire_bytes as u64;
            return Err(ViolationKind::TooManyFragments { bytes, fragments });
        }
        Ok(())
    }

    fn exceeds_charge(&self, limits: Limits) -> bool {
        let charged = u64::from(self.continuations) + u64::from(self.streams);
        let overhead = charged.saturating_mul(limits.fragment_overhead_bytes as u64);
        let charge_max = match self.compressed {
            true => limits.compressed_bytes_max(),
            false => limits.message_bytes_max.saturating_mul(2),
        } as u64;
        (self.wire_bytes as u64).saturating_add(overhead) > charge_max
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
        self.check()
    }

    /// Appends what the piece inflates to. No more is ever reserved than the longest message.
    fn inflate(
        &mut self,
        mut piece: &[u8],
        limits: Limits,
        inflater: &mut Inflater,
    ) -> Result<(), ViolationKind> {
        let bytes_max = limits.message_bytes_max;
        loop {
            if inflater.is_between_streams() && !piece.is_empty() {
                // The first stream is free, as the first frame is.
                self.streams = inflater.streams();
                if self.streams > 0 && self.exceeds_charge(limits) {
                    let bytes = self.wire_bytes as u64;
                    return Err(ViolationKind::TooManyStreams { bytes, streams: self.streams });
                }
            }
            let stop = inflater.inflate(&mut piece, &mut self.bytes);
            // Text that came out before something went wrong went wrong earlier.
            self.check()?;
            match stop.map_err(|why| ViolationKind::NotDeflate { why })? {
                Stop::NeedsInput => return Ok(()),
                Stop::NeedsRoom if self.bytes.len() >= bytes_max => {
                    let exceeds = inflater.exceeds(&mut piece, &mut self.bytes);
                    if exceeds.map_err(|why| ViolationKind::NotDeflate { why })? {
                        return Err(ViolationKind::InflatesTooBig { bytes_max });
                    }
                    if piece.is_empty() {
                        return Ok(());
                    }
                }
                Stop::NeedsRoom => {
                    let room = self.bytes.len().max(piece.len().saturating_mul(3)).max(ROOM_MIN);
                    self.bytes.reserve_exact(room.min(bytes_max - self.bytes.len()));
                }
                Stop::StreamEnd if piece.is_empty() => return Ok(()),
                Stop::StreamEnd => {}
            }
        }
    }

    fn finish_inflating(&self, inflater: &mut Inflater) -> Result<(), ViolationKind> {
        inflater.finish(&self.bytes).map_err(|why| ViolationKind::NotDeflate { why })
    }

    /// Checks as much of a text as can be.
    fn check(&mut self) -> Result<(), ViolationKind> {
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
    use crate::ws::deflate::{Deflater, Direction, WindowBits};

    const LIMITS: Limits = Limits { message_bytes_max: 1 << 20, fragment_overhead_bytes: 64 };

    fn begin(partial: &mut Partial, fin: bool, opcode: Opcode, payload_len: usize) {
        let len = payload_len as u64;
        let header = Header { fin, compressed: false, opcode, mask: None, payload_len: len };
        partial.message.get_or_insert_with(|| PartialMessage::new(opcode, false, payload_len));
        partial.frame = Some(OpenFrame::new(header, payload_len));
    }

    /// Receives in pieces of `piece_len` and checks after each how much was reserved.
    fn receive_all(partial: &mut Partial, frame_len: usize, piece_len: usize) {
        let capacity_max = frame_len.max(LIMITS.message_bytes_max);
        for _ in 0..frame_len.div_ceil(piece_len) {
            partial
                .receive(&mut vec![b'x'; piece_len], LIMITS, None)
                .expect("it is within the limits");
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
                partial.receive(piece, LIMITS, None).expect("a ping");
            }
            assert_eq!(partial.control[..], [b'x'; 23]);
        }
    }

    #[test]
    fn inflating_reserves_no_more_than_the_longest_message() {
        let direction = Direction { context_takeover: false, window_bits: WindowBits::MAX };
        let mut zeros = Vec::new();
        Deflater::new(direction).compress(&vec![0; 4 << 20], &mut zeros);
        for (message_bytes_max, piece_len) in [(0, 9), (100, 1), (5000, 7), (1 << 20, 4096)] {
            let limits = Limits { message_bytes_max, ..LIMITS };
            let mut inflater = Inflater::new(direction);
            let mut message = PartialMessage::new(Opcode::Binary, true, zeros.len());
            let refused = zeros.chunks(piece_len).find_map(|piece| {
                let inflated = message.inflate(piece, limits, &mut inflater);
                assert!(message.bytes.capacity() <= message_bytes_max);
                inflated.err()
            });
            let bytes_max = message_bytes_max;
            assert_eq!(refused, Some(ViolationKind::InflatesTooBig { bytes_max }));
        }
    }
}
