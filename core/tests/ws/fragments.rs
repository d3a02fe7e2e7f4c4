//! Messages in several frames.

use enchufe_core::ws::{CloseCode, Decoder, Limits, Role, ViolationKind};

use crate::{
    generate::{Frame, stream},
    run::{Outcome, Seen, binary, feed, from_server, text},
};

#[test]
fn control_frames_may_come_between_fragments() {
    let frames = [
        Frame::new(false, 1, "Hola "),
        Frame::new(true, 9, "?"),
        Frame::new(false, 0, "Ana"),
        Frame::new(true, 10, "!"),
        Frame::new(true, 0, "!"),
        Frame::new(true, 2, "next"),
    ];
    let expected =
        [Seen::Ping(b"?".into()), Seen::Pong(b"!".into()), text("Hola Ana!"), binary("next")];
    assert_eq!(from_server(&stream(&frames)).events, expected);
}

#[test]
fn each_fragment_has_a_key_of_its_own() {
    let frames = [
        Frame::new(false, 2, vec![1; 37]).masked([1, 2, 3, 4]),
        Frame::new(false, 0, vec![2; 41]).masked([9, 8, 7, 6]),
        Frame::new(true, 0, vec![3; 43]).masked([0, 255, 0, 255]),
    ];
    let expected = [vec![1; 37], vec![2; 41], vec![3; 43]].concat();
    assert_eq!(crate::run::from_client(&stream(&frames)).events, [binary(expected)]);
}

#[test]
fn four_mebibytes_in_65536_fragments_pass_a_limit_of_16() {
    let limits = Limits { message_bytes_max: 16 << 20, ..Limits::default() };
    let outcome = fragments(65_536, 64, limits);
    assert_eq!(outcome.violation, None);
    assert_eq!(outcome.events, [binary(vec![b'x'; 4 << 20])]);
}

#[test]
fn the_longest_message_passes_in_fragments_as_long_as_their_charge() {
    let limits = Limits::default();
    let outcome = fragments(limits.message_bytes_max / 64, 64, limits);
    assert_eq!(outcome.events, [binary(vec![b'x'; limits.message_bytes_max])]);
}

#[test]
fn a_flood_of_empty_fragments_is_felled_at_the_bound() {
    // Twice 1,024 bytes pay for 32 fragments after the first at 64 bytes each.
    let limits = Limits { message_bytes_max: 1024, fragment_overhead_bytes: 64 };
    assert_eq!(fragments(33, 0, limits).events, [binary("")]);

    let violation = fragments(34, 0, limits).violation();
    assert_eq!(violation.code, CloseCode::TOO_BIG);
    assert_eq!(violation.kind, ViolationKind::TooManyFragments { bytes: 0, fragments: 34 });
}

#[test]
fn a_charge_of_nothing_fells_nobody() {
    let limits = Limits { message_bytes_max: 10, fragment_overhead_bytes: 0 };
    assert_eq!(fragments(10_000, 0, limits).events, [binary("")]);
}

#[test]
fn a_message_in_one_frame_is_charged_its_bytes_alone() {
    let limits = Limits { message_bytes_max: 10, fragment_overhead_bytes: usize::MAX };
    assert_eq!(fragments(1, 10, limits).events, [binary("xxxxxxxxxx")]);
    assert_eq!(fragments(2, 5, limits).violation().code, CloseCode::TOO_BIG);
}

/// A binary message of `count` fragments of `len` bytes each, in reads of 4 KiB.
fn fragments(count: usize, len: usize, limits: Limits) -> Outcome {
    let mut bytes = Vec::new();
    for index in 1..=count {
        let opcode = if index == 1 { 2 } else { 0 };
        bytes.extend(Frame::new(index == count, opcode, vec![b'x'; len]).bytes());
    }
    let mut decoder = Decoder::new(Role::Client, limits);
    let mut outcome = Outcome::default();
    for read in bytes.chunks(4096) {
        if outcome.violation.is_none() {
            feed(&mut decoder, read, &mut outcome);
        }
    }
    outcome
}
