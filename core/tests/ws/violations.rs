//! Each way to break the protocol, with the code that answers it.

use enchufe_core::ws::{CloseCode, Opcode, ViolationKind};

use crate::run::{Outcome, from_client, from_server, text};

#[track_caller]
fn refused(outcome: &Outcome, code: u16, kind: ViolationKind) {
    let violation = outcome.violation();
    assert_eq!(violation.kind, kind);
    assert_eq!(violation.code.number(), code);
}

#[test]
fn reserved_bits_are_refused_while_no_extension_uses_them() {
    for (first, bits) in [(0xc1, 0b100), (0xa1, 0b010), (0x91, 0b001), (0xc9, 0b100)] {
        refused(&from_server(&[first, 0]), 1002, ViolationKind::ReservedBits(bits));
    }
    refused(&from_server(&[0x01, 0, 0xc0, 0]), 1002, ViolationKind::ReservedBits(0b100));
}

#[test]
fn reserved_opcodes_are_refused() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let outcome = from_server(&[0x80 | opcode, 0]);
        refused(&outcome, 1002, ViolationKind::UnknownOpcode(opcode));
    }
}

#[test]
fn a_client_must_mask_and_a_server_must_not() {
    refused(&from_client(&[0x81, 1, b'x']), 1002, ViolationKind::NotMasked);
    refused(&from_server(&[0x81, 0x81, 0, 0, 0, 0, b'x']), 1002, ViolationKind::Masked);
}

#[test]
fn control_frames_are_whole_and_short() {
    use Opcode::{Close, Ping, Pong};
    for (opcode, bits) in [(Close, 8), (Ping, 9), (Pong, 10)] {
        refused(&from_server(&[bits, 0]), 1002, ViolationKind::FragmentedControl(opcode));
        let long = [&[0x80 | bits, 126, 0, 126][..], &[0; 126]].concat();
        refused(&from_server(&long), 1002, ViolationKind::LongControl(opcode));
    }
}

#[test]
fn a_continuation_needs_a_message() {
    refused(&from_server(&[0x80, 0]), 1002, ViolationKind::NothingToContinue);
    let outcome = from_server(&[0x01, 1, b'a', 0x80, 1, b'b', 0x80, 0]);
    assert_eq!(outcome.events, [text("ab")]);
    refused(&outcome, 1002, ViolationKind::NothingToContinue);
}

#[test]
fn a_message_inside_a_message_is_refused() {
    for (bits, opcode) in [(1, Opcode::Text), (2, Opcode::Binary)] {
        let outcome = from_server(&[0x01, 1, b'a', 0x80 | bits, 1, b'b']);
        refused(&outcome, 1002, ViolationKind::MessageInsideMessage(opcode));
    }
}

#[test]
fn lengths_are_written_in_the_fewest_bytes_and_without_their_highest_bit() {
    let outcome = from_server(&[0x81, 126, 0, 1, b'x']);
    refused(&outcome, 1002, ViolationKind::LengthNotMinimal(1));
    let outcome = from_server(&[0x81, 127, 0, 0, 0, 0, 0, 0, 0, 1, b'x']);
    refused(&outcome, 1002, ViolationKind::LengthNotMinimal(1));
    let outcome = from_server(&[0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]);
    refused(&outcome, 1002, ViolationKind::LengthHighBit(1 << 63));
}

#[test]
fn a_close_of_one_byte_or_with_a_code_that_is_never_sent_is_refused() {
    refused(&from_server(&[0x88, 1, 3]), 1002, ViolationKind::CloseTooShort);
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535_u16] {
        let [high, low] = code.to_be_bytes();
        let outcome = from_server(&[0x88, 2, high, low]);
        refused(&outcome, 1002, ViolationKind::CloseCodeInvalid(code));
    }
}

#[test]
fn a_reason_that_is_not_utf8_is_refused() {
    for reason in [&[0xff][..], &[b'a', 0xc3]] {
        let len = 2 + u8::try_from(reason.len()).expect("short");
        let bytes = [&[0x88, len, 0x03, 0xe8], reason].concat();
        refused(&from_server(&bytes), 1007, ViolationKind::CloseReasonNotUtf8);
    }
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    for (payload, at) in [
        (&b"\xff"[..], 0),
        (b"Hola \xc0\x80", 5),
        (b"\xed\xa0\x80", 0),
        (b"\xf4\x90\x80\x80", 0),
        (b"a\xe2\x82", 1),
    ] {
        let len = u8::try_from(payload.len()).expect("short");
        let not_utf8 = ViolationKind::TextNotUtf8 { at };
        let whole = [&[0x81, len], payload].concat();
        refused(&from_server(&whole), 1007, not_utf8);
        let in_two = [&[0x01, len], payload, &[0x80, 0]].concat();
        refused(&from_server(&in_two), 1007, not_utf8);
    }
}

#[test]
fn text_is_refused_by_the_first_byte_that_cannot_be_utf8() {
    // Neither the frame nor the message is whole: 70 bytes are announced, 4 come.
    let outcome = from_server(&[0x01, 70, b'a', 0xf4, 0x90]);
    refused(&outcome, 1007, ViolationKind::TextNotUtf8 { at: 1 });
    let calm = from_server(&[0x01, 70, b'a', 0xf4, 0x8f]);
    assert_eq!(calm, Outcome::default());
}

#[test]
fn binary_messages_may_hold_any_bytes() {
    assert_eq!(from_server(&[0x82, 2, 0xff, 0xc0]).violation, None);
}

#[test]
fn a_violation_is_answered_with_its_code_and_says_what_was_wrong() {
    let reason = from_server(&[0x80, 0]).violation().reason();
    assert_eq!(reason.code, CloseCode::PROTOCOL);
    assert!(reason.reason.contains("continuation"), "{reason}");
    let reason = from_server(&[0x09]).violation().reason();
    assert!(reason.reason.contains("a ping frame is fragmented"), "{reason}");
}
