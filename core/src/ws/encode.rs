//! Frames to send, written into the caller's buffer.
//!
//! A server's frames are not masked, so what is written here once can be sent to every viewer. A
//! client's masking key is handed in, fresh and unpredictable for every frame (RFC 6455 §5.3),
//! because there is no randomness here.

use super::{
    CloseReason, Header, HeaderBytes, Opcode,
    deflate::Deflater,
    frame::{CONTROL_BYTES_MAX, HEADER_BYTES_MAX},
    mask,
};
use crate::{Kind, MessageRef};

/// Appends a whole message as one frame.
#[inline]
pub fn message(out: &mut Vec<u8>, message: MessageRef<'_>, mask: Option<[u8; 4]>) {
    if let (Ok(len @ 0..126), None) = (u8::try_from(message.payload.len()), mask) {
        // Most messages of a server, of which there may be millions a second.
        out.reserve(2 + message.payload.len());
        out.extend_from_slice(&[0x80 | opcode(message.kind).bits(), len]);
        out.extend_from_slice(message.payload);
        return;
    }
    frame(out, opcode(message.kind), message.payload, mask);
}

/// Writes a whole message as one frame, not masked, at the front of `room`, and says how long it
/// is; `None`, with nothing written, when there is no room for it.
#[inline]
pub fn message_into(room: &mut [u8], message: MessageRef<'_>) -> Option<usize> {
    let MessageRef { kind, payload } = message;
    if let Ok(len @ 0..126) = u8::try_from(payload.len()) {
        let (header, rest) = room.get_mut(..2 + payload.len())?.split_at_mut(2);
        header.copy_from_slice(&[0x80 | opcode(kind).bits(), len]);
        rest.copy_from_slice(payload);
        return Some(2 + payload.len());
    }
    let header = header(opcode(kind), payload.len(), None);
    let len = header.len() + payload.len();
    let (place, rest) = room.get_mut(..len)?.split_at_mut(header.len());
    place.copy_from_slice(&header);
    rest.copy_from_slice(payload);
    Some(len)
}

/// Appends a whole message as one compressed frame (RFC 7692 §6.1), whether that is shorter or not.
pub fn compressed(
    out: &mut Vec<u8>,
    kind: Kind,
    payload: &[u8],
    mask: Option<[u8; 4]>,
    deflater: &mut Deflater,
) {
    // The header's length depends on what compressing comes to.
    let from = out.len();
    out.resize(from + HEADER_BYTES_MAX, 0);
    deflater.compress(payload, out);
    let len = out.len() - from - HEADER_BYTES_MAX;
    let header =
        Header { fin: true, compressed: true, opcode: opcode(kind), mask, payload_len: len as u64 };
    let header = header.encode();
    out[from..from + header.len()].copy_from_slice(&header);
    out.drain(from + header.len()..from + HEADER_BYTES_MAX);
    if let Some(key) = mask {
        mask::apply(&mut out[from + header.len()..], key);
    }
}

/// Appends a whole message as one frame, compressed where that makes it shorter. What is shorter
/// than [`COMPRESSED_BYTES_MIN`] is not even tried. Says whether it was compressed.
pub fn shortest(
    out: &mut Vec<u8>,
    kind: Kind,
    payload: &[u8],
    mask: Option<[u8; 4]>,
    deflater: &mut Deflater,
) -> bool {
    if payload.len() >= COMPRESSED_BYTES_MIN {
        let from = out.len();
        compressed(out, kind, payload, mask, deflater);
        if out.len() - from < header(opcode(kind), payload.len(), mask).len() + payload.len() {
            return true;
        }
        out.truncate(from);
        deflater.forget();
    }
    message(out, MessageRef { kind, payload }, mask);
    false
}

/// The shortest payload, in bytes, that [`shortest`] tries to compress.
pub const COMPRESSED_BYTES_MIN: usize = 64;

fn opcode(kind: Kind) -> Opcode {
    match kind {
        Kind::Text => Opcode::Text,
        Kind::Binary => Opcode::Binary,
    }
}

/// Appends one final frame. A control frame carries at most 125 bytes (RFC 6455 §5.5): of a longer
/// payload the rest is left out.
pub fn frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) {
    let payload = match opcode.is_control() {
        true => &payload[..payload.len().min(CONTROL_BYTES_MAX)],
        false => payload,
    };
    let header = header(opcode, payload.len(), mask);
    out.reserve(header.len() + payload.len());
    out.extend_from_slice(&header);
    let from = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = mask {
        mask::apply(&mut out[from..], key);
    }
}

/// Appends a Close frame, without a payload when there is no reason. The reason's text is cut at
/// the end of a character where it is longer than a Close frame can carry.
pub fn close(out: &mut Vec<u8>, reason: Option<&CloseReason>, mask: Option<[u8; 4]>) {
    let mut payload = arrayvec::ArrayVec::<u8, CONTROL_BYTES_MAX>::new();
    if let Some(reason) = reason {
        payload.extend(reason.code.number().to_be_bytes());
        payload.extend(reason.sendable_text().bytes());
    }
    frame(out, Opcode::Close, &payload, mask);
}

/// The header of one final frame, for a vectored write next to a payload that lies elsewhere. For
/// fragments and compressed messages write a [`Header`] yourself.
pub fn header(opcode: Opcode, payload_len: usize, mask: Option<[u8; 4]>) -> HeaderBytes {
    let payload_len = payload_len as u64;
    Header { fin: true, compressed: false, opcode, mask, payload_len }.encode()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::CloseCode;

    fn framed(opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut out = Vec::new();
        frame(&mut out, opcode, payload, mask);
        out
    }

    #[test]
    fn the_examples_of_the_rfc_are_written_as_it_prints_them() {
        let hello = [0x48, 0x65, 0x6c, 0x6c, 0x6f];
        assert_eq!(framed(Opcode::Text, b"Hello", None), [&[0x81, 0x05], &hello[..]].concat());
        assert_eq!(framed(Opcode::Ping, b"Hello", None), [&[0x89, 0x05], &hello[..]].concat());
        let key = Some([0x37, 0xfa, 0x21, 0x3d]);
        let masked = [0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        assert_eq!(framed(Opcode::Text, b"Hello", key), [&[0x81, 0x85], &masked[..]].concat());
        assert_eq!(framed(Opcode::Pong, b"Hello", key), [&[0x8a, 0x85], &masked[..]].concat());
        assert_eq!(framed(Opcode::Binary, &[7; 256], None)[..4], [0x82, 0x7e, 0x01, 0x00]);
        assert_eq!(
            framed(Opcode::Binary, &[7; 65_536], None)[..10],
            [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]
        );
    }

    #[test]
    fn frames_are_appended_to_what_is_there() {
        let mut out = b"before".to_vec();
        frame(&mut out, Opcode::Text, b"abcdef", Some([1, 2, 3, 4]));
        assert_eq!(&out[..6], b"before");
        assert_eq!(out[6..12], [0x81, 0x86, 1, 2, 3, 4]);
        assert_eq!(out[12..], [b'a' ^ 1, b'b' ^ 2, b'c' ^ 3, b'd' ^ 4, b'e' ^ 1, b'f' ^ 2]);
    }

    #[test]
    fn a_message_is_the_same_in_a_room_that_is_given_and_no_room_is_overrun() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; len];
            let text = MessageRef { kind: Kind::Text, payload: &payload };
            let mut expected = Vec::new();
            message(&mut expected, text, None);

            let mut room = vec![0; expected.len() + 1];
            assert_eq!(message_into(&mut room, text), Some(expected.len()));
            assert_eq!(room[..expected.len()], expected);
            assert_eq!(room[expected.len()], 0);

            let mut small = vec![0; expected.len() - 1];
            assert_eq!(message_into(&mut small, text), None);
            assert!(small.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn a_control_frame_is_never_longer_than_the_protocol_allows() {
        let out = framed(Opcode::Ping, &[9; 126], None);
        assert_eq!((out[1], out.len()), (125, 127));
        assert_eq!(framed(Opcode::Binary, &[9; 126], None).len(), 130);
    }

    #[test]
    fn a_close_carries_its_code_and_reason_or_nothing() {
        let mut out = Vec::new();
        close(&mut out, None, None);
        assert_eq!(out, [0x88, 0]);

        out.clear();
        close(&mut out, Some(&CloseReason::new(CloseCode::GOING_AWAY, "bye")), None);
        assert_eq!(out, [0x88, 5, 0x03, 0xe9, b'b', b'y', b'e']);
    }

    #[test]
    fn a_reason_lengthened_by_hand_is_cut_at_the_end_of_a_character() {
        let mut out = Vec::new();
        let reason = CloseReason { code: CloseCode::NORMAL, reason: "ñ".repeat(100) };
        close(&mut out, Some(&reason), None);
        assert_eq!(out[1], 124);
        assert_eq!(std::str::from_utf8(&out[4..]), Ok("ñ".repeat(61).as_str()));
    }
}
