//! The protocol as naively as it can be written: the whole stream at hand, every payload copied.

use enchufe_core::{
    Kind,
    ws::{CloseCode, CloseReason, Limits, Role},
};

use crate::run::Seen;

/// The events of a stream, and the code of the violation that ends it.
pub(crate) fn decode(bytes: &[u8], role: Role, limits: Limits) -> (Vec<Seen>, Option<CloseCode>) {
    let mut model = Model { rest: bytes, role, limits, events: Vec::new(), message: None };
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
    events: Vec<Seen>,
    message: Option<(Kind, Vec<u8>, usize)>,
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
        if reserved != 0 || (opcode == 0) != self.message.is_some() && !control {
            return refuse(CloseCode::PROTOCOL);
        }
        if !control {
            self.start_or_go_on(opcode, len)?;
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

    fn start_or_go_on(&mut self, opcode: u8, len: u64) -> Result<(), End> {
        let kind = if opcode == 1 { Kind::Text } else { Kind::Binary };
        let (_, bytes, fragments) = self.message.get_or_insert((kind, Vec::new(), 0));
        *fragments += 1;
        let bytes = len + bytes.len() as u64;
        let charge = bytes + ((*fragments - 1) * self.limits.fragment_overhead_bytes) as u64;
        let bytes_max = self.limits.message_bytes_max as u64;
        if bytes > bytes_max || charge > 2 * bytes_max {
            return refuse(CloseCode::TOO_BIG);
        }
        Ok(())
    }

    fn data(&mut self, payload: Vec<u8>, last: bool) -> Result<(), End> {
        let Some((kind, bytes, _)) = &mut self.message else { panic!("a message was begun") };
        bytes.extend(payload);
        if *kind == Kind::Text {
            match std::str::from_utf8(bytes) {
                Err(error) if last || error.error_len().is_some() => {
                    return refuse(CloseCode::INVALID_PAYLOAD);
                }
                _ => {}
            }
        }
        if last && let Some((kind, bytes, _)) = self.message.take() {
            self.events.push(Seen::Message(kind, bytes));
        }
        Ok(())
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
