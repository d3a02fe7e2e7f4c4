//! Bytes from a peer in, messages and control frames out.
//!
//! The decoder works in the caller's buffer, which any number of connections can share: a frame
//! that lies in it whole is unmasked where it is and lent from there. Only what is unfinished at
//! the buffer's end is copied and kept.

use std::ops::Range;

use super::{
    CloseCode, CloseReason, Header, Limits, Opcode, Role, Violation, ViolationKind,
    deflate::{Direction, Inflater},
    frame, mask,
    partial::{OpenFrame, Partial, PartialMessage},
    utf8,
};
use crate::{Kind, MessageRef};

/// Decodes what one peer sends. Between two messages it owns no heap memory, except that with
/// context takeover it keeps the window that the next message may refer to.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    partial: Option<Box<Partial>>,
    inflater: Option<Box<Inflater>>,
    /// How the peer compresses, if it may.
    deflate: Option<Direction>,
    role: Role,
    /// A Close frame or a violation came: nothing after it counts.
    ended: bool,
}

/// What one call of [`Decoder::decode`] did.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// How many bytes of the input are done with. They have been overwritten by unmasking.
    pub consumed: usize,
    /// What became whole. `None` says that the whole input is consumed.
    pub event: Option<Event<'a>>,
    /// Whether the event is a message that came compressed, so that it can be answered in kind.
    pub compressed: bool,
}

/// Something the peer said. Payloads are lent from the input, or from the decoder until its next
/// call when they came in pieces.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole message. A text is valid UTF-8.
    Message(MessageRef<'a>),
    /// A Ping, to be answered with a Pong of the same payload of at most 125 bytes.
    Ping(&'a [u8]),
    /// A Pong, asked for or not.
    Pong(&'a [u8]),
    /// The peer closes, with its reason if it gives one; answer with a Close frame, unless that is
    /// what was waited for. The decoder ignores whatever follows.
    Close(Option<CloseReason>),
}

impl Decoder {
    /// A decoder for what our peer sends, where `role` is ours.
    pub fn new(role: Role, limits: Limits) -> Self {
        Self { limits, partial: None, inflater: None, deflate: None, role, ended: false }
    }

    /// A decoder that also inflates: the peer may compress as the handshake agreed for its side.
    pub fn with_deflate(role: Role, limits: Limits, peer: Direction) -> Self {
        Self { deflate: Some(peer), ..Self::new(role, limits) }
    }

    /// Decodes the next event at the front of `input`, unmasking there.
    ///
    /// Call it again with the rest, `&mut input[consumed..]`, until there is no event: that last
    /// call, even with an empty rest, also releases what was kept for the event before.
    ///
    /// # Errors
    ///
    /// The first [`Violation`] of RFC 6455, RFC 7692 or the [`Limits`], as soon as the bytes that show it
    /// are there. After it, as after [`Event::Close`], all input is consumed and ignored.
    #[inline(always)]
    pub fn decode<'a>(&'a mut self, input: &'a mut [u8]) -> Result<Decoded<'a>, Violation> {
        if let Some((kind, place)) = self.whole_message(input) {
            let consumed = place.end;
            let message = MessageRef { kind, payload: &input[place] };
            let event = Some(Event::Message(message));
            return Ok(Decoded { consumed, event, compressed: false });
        }
        if input.is_empty() && self.partial.is_none() && self.inflater.is_none() {
            return Ok(Decoded { consumed: 0, event: None, compressed: false });
        }
        self.decode_any(input)
    }

    /// The way of nearly every message: it lies in the input as one frame, not compressed, and
    /// nothing is wrong with it. Whatever is different is left as it was, for [`Self::decode_any`]
    /// to judge.
    #[inline(always)]
    fn whole_message(&self, input: &mut [u8]) -> Option<(Kind, Range<usize>)> {
        if self.partial.is_some() || self.ended {
            return None;
        }
        let (kind, place, key) = frame::whole_message(input, self.role)?;
        if place.len() > self.limits.message_bytes_max {
            return None;
        }
        let payload = input.get_mut(place.clone())?;
        let is_ascii = key.is_some_and(|key| mask::apply(payload, key));
        let is_text = kind == Kind::Text && !is_ascii;
        if is_text && utf8::check(payload, 0) != Ok(payload.len()) {
            if let Some(key) = key {
                mask::apply(payload, key);
            }
            return None;
        }
        Some((kind, place))
    }

    #[inline(never)]
    fn decode_any<'a>(&'a mut self, input: &'a mut [u8]) -> Result<Decoded<'a>, Violation> {
        self.release();
        if self.ended {
            return Ok(Decoded { consumed: input.len(), event: None, compressed: false });
        }
        let (consumed, found) = self.advance(input).map_err(|kind| {
            self.end();
            Violation::from(kind)
        })?;
        let mut compressed = false;
        let event = match found {
            Found::Nothing => {
                self.rest();
                None
            }
            Found::Close(reason) => {
                self.end();
                Some(Event::Close(reason))
            }
            Found::InInput(opcode, payload) => Some(event(opcode, &input[payload])),
            Found::Kept(opcode) => {
                compressed = !opcode.is_control() && self.is_inflating();
                self.kept(opcode)
            }
        };
        Ok(Decoded { consumed, event, compressed })
    }

    /// Whether the decoder stands between two messages and keeps nothing, but for the window of a
    /// peer with context takeover.
    pub fn is_idle(&self) -> bool {
        self.partial.is_none()
            && self.inflater.as_ref().is_none_or(|inflater| inflater.is_resting())
    }

    /// How much memory the message takes that is arriving, in bytes. A decoder bounds it for its
    /// own peer; whoever has many decoders may want a bound for all of them.
    pub fn unfinished_bytes(&self) -> usize {
        let message = self.partial.as_ref().and_then(|partial| partial.message.as_ref());
        message.map_or(0, PartialMessage::reserved_bytes)
    }

    /// Drops the unfinished message, and ignores whatever still comes as after a violation, which
    /// this returns: what to tell the peer.
    pub fn give_up(&mut self) -> Violation {
        let bytes = self.unfinished_bytes();
        self.end();
        ViolationKind::TooMuchUnfinished { bytes }.into()
    }

    /// What it accepts.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    fn end(&mut self) {
        self.ended = true;
        self.partial = None;
        self.inflater = None;
    }

    /// Drops what inflates, when all input is consumed and no message waits for more.
    fn rest(&mut self) {
        let is_inflating = self.is_inflating();
        if let Some(inflater) = &mut self.inflater
            && !is_inflating
            && !inflater.rest()
        {
            self.inflater = None;
        }
    }

    fn is_inflating(&self) -> bool {
        self.partial.as_ref().is_some_and(|partial| partial.is_inflating())
    }

    /// Drops what the last call lent, and the box when nothing else is in it.
    fn release(&mut self) {
        if let Some(partial) = &mut self.partial {
            partial.drop_lent();
            if partial.is_empty() {
                self.partial = None;
            }
        }
    }

    /// Consumes input until something is whole or nothing is left. It answers with places rather
    /// than borrows, so that `decode` alone decides what is lent.
    fn advance(&mut self, input: &mut [u8]) -> Result<(usize, Found), ViolationKind> {
        let mut at = 0;
        loop {
            if self.partial.as_ref().is_none_or(|partial| partial.frame.is_none()) {
                let Some(header) = self.read_header(input, &mut at)? else {
                    return Ok((at, Found::Nothing));
                };
                let payload_len = self.admit(&header)?;
                let whole = header.fin && header.opcode != Opcode::Continuation;
                if whole && !header.compressed && payload_len <= input.len() - at {
                    let payload = at..at + payload_len;
                    let found = found_in_input(&header, input, payload.clone())?;
                    return Ok((payload.end, found));
                }
                self.open(header, payload_len)?;
            }

            let limits = self.limits;
            let partial = self.partial.get_or_insert_default();
            let inflater = self.inflater.as_deref_mut();
            let received = partial.receive(&mut input[at..], limits, inflater)?;
            at += received.consumed;
            match received.whole.map(|header| (header.opcode, header.fin)) {
                None => return Ok((at, Found::Nothing)),
                Some((Opcode::Close, _)) => {
                    let reason = close_reason(&self.partial().control)?;
                    return Ok((at, Found::Close(reason)));
                }
                Some((opcode, true)) => return Ok((at, Found::Kept(opcode))),
                Some((_, false)) => {}
            }
        }
    }

    /// Reads a header from what was kept of it and from the input. `None` keeps all there is.
    fn read_header(
        &mut self,
        input: &[u8],
        at: &mut usize,
    ) -> Result<Option<Header>, ViolationKind> {
        let rest = &input[*at..];
        let kept = self.partial.as_ref().map_or(0, |partial| partial.header.len());
        if kept == 0 {
            if let Some((header, len)) = Header::parse(rest, self.role)? {
                *at += len;
                return Ok(Some(header));
            }
            if !rest.is_empty() {
                // It is shorter than a header, since it does not hold one.
                self.partial().header.extend(rest.iter().copied());
                *at = input.len();
            }
            return Ok(None);
        }

        let role = self.role;
        let bytes = &mut self.partial().header;
        bytes.extend(rest.iter().copied().take(bytes.remaining_capacity()));
        let header = match Header::parse(bytes, role)? {
            Some((header, len)) => {
                bytes.clear();
                *at += len - kept;
                Some(header)
            }
            None => {
                *at = input.len();
                None
            }
        };
        Ok(header)
    }

    /// Refuses a frame that does not belong here or exceeds a limit, before a byte of it is kept,
    /// and returns the length of its payload.
    fn admit(&self, header: &Header) -> Result<usize, ViolationKind> {
        // Only a message's first frame says that it is compressed (RFC 7692 §6).
        let may_compress = self.deflate.is_some() && header.opcode != Opcode::Continuation;
        if header.compressed && !may_compress {
            return Err(ViolationKind::ReservedBits(0b100));
        }
        let message = self.partial.as_ref().and_then(|partial| partial.message.as_ref());
        let (before, compressed) = match (header.opcode, message) {
            (Opcode::Continuation, Some(message)) => (message.wire_bytes(), message.compressed),
            (Opcode::Continuation, None) => return Err(ViolationKind::NothingToContinue),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(ViolationKind::MessageInsideMessage(header.opcode));
            }
            _ => (0, header.compressed),
        };
        let bytes_max = match compressed {
            true => self.limits.compressed_bytes_max(),
            false => self.limits.message_bytes_max,
        };
        match usize::try_from(header.payload_len) {
            Ok(len) if header.opcode.is_control() || len <= bytes_max.saturating_sub(before) => {
                Ok(len)
            }
            _ => {
                let bytes = header.payload_len.saturating_add(before as u64);
                Err(ViolationKind::MessageTooBig { bytes, bytes_max })
            }
        }
    }

    /// Begins to keep a frame that was admitted.
    fn open(&mut self, header: Header, payload_len: usize) -> Result<(), ViolationKind> {
        let limits = self.limits;
        let partial = self.partial();
        match (header.opcode, &mut partial.message) {
            (Opcode::Continuation, Some(message)) => message.charge(payload_len, limits)?,
            (Opcode::Text | Opcode::Binary, message) => {
                let compressed = header.compressed;
                *message = Some(PartialMessage::new(header.opcode, compressed, payload_len));
            }
            _ => {}
        }
        partial.frame = Some(OpenFrame::new(header, payload_len));
        if let (true, Some(direction)) = (header.compressed, self.deflate) {
            self.inflater.get_or_insert_with(|| Box::new(Inflater::new(direction)));
        }
        Ok(())
    }

    fn partial(&mut self) -> &mut Partial {
        self.partial.get_or_insert_default()
    }

    /// The event whose payload is kept here.
    fn kept(&self, opcode: Opcode) -> Option<Event<'_>> {
        let partial = self.partial.as_ref()?;
        match opcode {
            Opcode::Ping | Opcode::Pong => Some(event(opcode, &partial.control)),
            _ => Some(Event::Message(partial.message.as_ref()?.as_ref())),
        }
    }
}

/// What became whole, and where it lies.
enum Found {
    /// The input is consumed, and nothing became whole.
    Nothing,
    /// A frame that is a message or a Ping or Pong by itself.
    InInput(Opcode, Range<usize>),
    /// The last frame of a kept message, or a kept Ping or Pong.
    Kept(Opcode),
    Close(Option<CloseReason>),
}

fn found_in_input(
    header: &Header,
    input: &mut [u8],
    place: Range<usize>,
) -> Result<Found, ViolationKind> {
    let payload = &mut input[place.clone()];
    if let Some(key) = header.mask {
        mask::apply(payload, key);
    }
    match header.opcode {
        Opcode::Close => return Ok(Found::Close(close_reason(payload)?)),
        Opcode::Text => match utf8::check(payload, 0) {
            Ok(checked) if checked == payload.len() => {}
            Ok(at) | Err(utf8::Invalid { at }) => return Err(ViolationKind::TextNotUtf8 { at }),
        },
        Opcode::Binary | Opcode::Continuation | Opcode::Ping | Opcode::Pong => {}
    }
    Ok(Found::InInput(header.opcode, place))
}

/// The event of a frame that is neither a Close nor part of a longer message.
fn event(opcode: Opcode, payload: &[u8]) -> Event<'_> {
    match opcode {
        Opcode::Ping => Event::Ping(payload),
        Opcode::Pong => Event::Pong(payload),
        Opcode::Text => Event::Message(MessageRef { kind: Kind::Text, payload }),
        _ => Event::Message(MessageRef { kind: Kind::Binary, payload }),
    }
}

/// Reads a Close frame's payload (RFC 6455 §5.5.1).
fn close_reason(payload: &[u8]) -> Result<Option<CloseReason>, ViolationKind> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(ViolationKind::CloseTooShort),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    let code = CloseCode::new(code).map_err(|_| ViolationKind::CloseCodeInvalid(code))?;
    let reason = std::str::from_utf8(reason).map_err(|_| ViolationKind::CloseReasonNotUtf8)?;
    Ok(Some(CloseReason::new(code, reason)))
}
