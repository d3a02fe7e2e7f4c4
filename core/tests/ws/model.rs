//! The protocol as naively as it can be written: the whole stream at hand, every payload copied.

use enchufe_core::{
    Kind,
    ws::{CloseCode, CloseReason, Limits, Role, deflate::Direction},
};

use crate::{naive_inflate, run::Seen};

/// The events of a stream, and the code of the violation that ends it.
pub(crate) fn decode(bytes: &[u8], role: Role, limits: Limits) -> (Vec<Seen>, Option<CloseCode>) {
    inflate(bytes, role, limits, None)
}

/// The same where the peer may compress.
pub(crate) fn inflate(
    bytes: &[u8],
    role: Role,
    limits: Limits,
    deflate: Option<Direction>,
) -> (Vec<Seen>, Option<CloseCode>) {
    let mut model = Model {
        rest: bytes,
        role,
        limits,
        deflate,
        history: Vec::new(),
        events: Vec::new(),
        message: None,
    };
    loop {
        match model.frame() {
            Ok(()) => {}
            Err(End::OfInput | End::Closed) => return (model.events, None),
            Err(End::Violation(code)) => return (model.events, Some(code)),
        }
    }
}

struct Model<'a> {
    rest: &'a [u8],
    role: Role,
    limits: Limits,
    deflate: Option<Direction>,
    /// Every byte that a later message may refer to, and more.
    history: Vec<u8>,
    events: Vec<Seen>,
    message: Option<Unfinished>,
}

struct Unfinished {
    kind: Kind,
    compressed: bool,
    /// As they came.
    bytes: Vec<u8>,
    /// What the headers so far have announced.
    wire_bytes: u64,
    fragments: usize,
    /// The deflate streams after the first.
    streams: usize,
}

enum End {
    OfInput,
    Closed,
    Violation(CloseCode),
}

fn refuse<T>(code: CloseCode) -> Result<T, End> {
    Err(End::Violation(code))
}

impl Model<'_> {
    fn frame(&mut self) -> Result<(), End> {
        let first = self.take(1)?[0];
        let (fin, reserved, opcode) = (first >> 7 == 1, first >> 4 & 7, first & 15);
        let control = opcode >= 8;
        let unknown = !matches!(opcode, 0..=2 | 8..=10);
        // RSV1 on a message is only judged with the whole header, since it may become legal.
        if unknown || reserved & 3 != 0 || (control && (reserved != 0 || !fin)) {
            return refuse(CloseCode::PROTOCOL);
        }
        let second = self.take(1)?[0];
        let masked = second >> 7 == 1;
        if masked != (self.role == Role::Server) || (control && second & 127 > 125) {
            return refuse(CloseCode::PROTOCOL);
        }
        let (len, least) = match second & 127 {
            126 => (self.number(2)?, 126),
            127 => (self.number(8)?, 65_536),
            len => (u64::from(len), 0),
        };
        if len >= 1 << 63 || len < least {
            return refuse(CloseCode::PROTOCOL);
        }
        let key = if masked { self.take(4)? } else { vec![0; 4] };
        let may_compress = self.deflate.is_some() && matches!(opcode, 1 | 2);
        if reserved != 0 && !may_compress || (opcode == 0) != self.message.is_some() && !control {
            return refuse(CloseCode::PROTOCOL);
        }
        if !control {
            self.start_or_go_on(opcode, reserved != 0, len)?;
        }

        let len = usize::try_from(len).expect("within the limits");
        let payload = &self.rest[..len.min(self.rest.len())];
        let payload: Vec<u8> =
            payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        let whole = payload.len() == len;
        self.rest = &self.rest[payload.len()..];
        match opcode {
            8 if whole => return self.close(&payload),
            9 if whole => self.events.push(Seen::Ping(payload)),
            10 if whole => self.events.push(Seen::Pong(payload)),
            0..=2 => self.data(payload, whole && fin)?,
            _ => {}
        }
        if whole { Ok(()) } else { Err(End::OfInput) }
    }

    fn start_or_go_on(&mut self, opcode: u8, compressed: bool, len: u64) -> Result<(), End> {
        let message = self.message.get_or_insert_with(|| Unfinished {
            kind: if opcode == 1 { Kind::Text } else { Kind::Binary },
            compressed,
            bytes: Vec::new(),
            wire_bytes: 0,
            fragments: 0,
            streams: 0,
        });
        message.fragments += 1;
        let bytes = len + message.wire_bytes;
        message.wire_bytes = bytes;
        let bytes_max = self.limits.message_bytes_max as u64;
        let wire_bytes_max = if message.compressed { 2 * bytes_max + 64 } else { bytes_max };
        let is_charged = message.fragments > 1;
        if bytes > wire_bytes_max || is_charged && exceeds_charge(message, self.limits) {
            return refuse(CloseCode::TOO_BIG);
        }
        Ok(())
    }

    fn data(&mut self, payload: Vec<u8>, last: bool) -> Result<(), End> {
        let Some(mut message) = self.message.take() else { panic!("a message was begun") };
        message.bytes.extend(payload);
        let plain = match (self.deflate, message.compressed) {
            (Some(direction), true) => self.inflated(&mut message, direction, last)?,
            _ => message.bytes.clone(),
        };
        check_text(message.kind, &plain, last)?;
        if last {
            self.events.push(Seen::Message(message.kind, plain));
        } else {
            self.message = Some(message);
        }
        Ok(())
    }

    /// What the message comes to so far, all of it inflated again from the beginning.
    fn inflated(
        &mut self,
        message: &mut Unfinished,
        direction: Direction,
        last: bool,
    ) -> Result<Vec<u8>, End> {
        let window =
            &self.history[self.history.len().saturating_sub(direction.window_bits.bytes())..];
        let mut out = window.to_vec();
        let mut rest = &message.bytes[..];
        message.streams = 0;
        let mut is_whole = true;
        while !rest.is_empty() {
            if message.streams > 0 && exceeds_charge(message, self.limits) {
                return refuse(CloseCode::TOO_BIG);
            }
            // The decoder keeps no more of what is before than a window, wherever that begins.
            let from = match message.streams {
                0 => 0,
                _ => out.len().saturating_sub(direction.window_bits.bytes()),
            };
            let with_tail = [rest, &[0, 0, 0xff, 0xff]].concat();
            let ending = naive_inflate::inflate(&with_tail, &out[from..]);
            let read = naive_inflate::inflate(rest, &out[from..]);
            // The tail ends a block, and perhaps a final one, and nothing more comes out of it.
            is_whole = read.ended_at.is_some()
                || ending.output.len() == read.output.len()
                    && (ending.is_between_blocks || ending.ended_at == Some(with_tail.len()));
            out.truncate(from);
            out.extend(read.output);
            let plain = &out[window.len()..];
            let bytes_max = self.limits.message_bytes_max;
            check_text(message.kind, &plain[..plain.len().min(bytes_max)], false)?;
            if plain.len() > bytes_max {
                return refuse(CloseCode::TOO_BIG);
            }
            if read.is_corrupt {
                return refuse(CloseCode::INVALID_PAYLOAD);
            }
            rest = &rest[read.ended_at.unwrap_or(rest.len())..];
            if !rest.is_empty() {
                message.streams += 1;
            }
        }
        let plain = out.split_off(window.len());
        if last {
            if !is_whole {
                return refuse(CloseCode::INVALID_PAYLOAD);
            }
            if direction.context_takeover {
                self.history.extend_from_slice(&plain);
            }
        }
        Ok(plain)
    }

    fn close(&mut self, payload: &[u8]) -> Result<(), End> {
        let reason = match payload.split_at_checked(2) {
            None if payload.is_empty() => None,
            None => return refuse(CloseCode::PROTOCOL),
            Some((code, reason)) => {
                let code = u16::from_be_bytes([code[0], code[1]]);
                let Ok(code) = CloseCode::new(code) else { return refuse(CloseCode::PROTOCOL) };
                let Ok(reason) = String::from_utf8(reason.to_vec()) else {
                    return refuse(CloseCode::INVALID_PAYLOAD);
                };
                Some(CloseReason { code, reason })
            }
        };
        self.events.push(Seen::Close(reason));
        Err(End::Closed)
    }

    fn take(&mut self, len: usize) -> Result<Vec<u8>, End> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(End::OfInput)?;
        self.rest = rest;
        Ok(taken.to_vec())
    }

    fn number(&mut self, len: usize) -> Result<u64, End> {
        Ok(self.take(len)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

fn exceeds_charge(message: &Unfinished, limits: Limits) -> bool {
    let overhead = (message.fragments - 1 + message.streams) * limits.fragment_overhead_bytes;
    message.wire_bytes + overhead as u64
        > 2 * limits.message_bytes_max as u64 + u64::from(message.compressed) * 64
}

fn check_text(kind: Kind, bytes: &[u8], last: bool) -> Result<(), End> {
    match std::str::from_utf8(bytes) {
        Err(error) if kind == Kind::Text && (last || error.error_len().is_some()) => {
            refuse(CloseCode::INVALID_PAYLOAD)
        }
        _ => Ok(()),
    }
}
