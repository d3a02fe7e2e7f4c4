//! Message sizes at, below and above the limit.

use enchufe_core::ws::{CloseCode, Limits, Role, ViolationKind};

use crate::{
    generate::{Frame, stream},
    run::{Outcome, Seen, binary, decode},
};

const LIMITS: Limits = Limits { message_bytes_max: 100, fragment_overhead_bytes: 0 };

#[test]
fn a_message_of_the_limit_passes_and_one_byte_more_does_not() {
    for len in [99, 100] {
        let outcome = decode(&Frame::new(true, 2, vec![1; len]).bytes(), Role::Client, LIMITS);
        assert_eq!(outcome.events, [binary(vec![1; len])]);
    }
    let outcome = decode(&Frame::new(true, 2, vec![1; 101]).bytes(), Role::Client, LIMITS);
    assert_eq!(outcome.events, []);
    assert_eq!(outcome.violation().code, CloseCode::TOO_BIG);
    let too_big = ViolationKind::MessageTooBig { bytes: 101, bytes_max: 100 };
    assert_eq!(outcome.violation().kind, too_big);
    assert_eq!(
        outcome.violation().reason().to_string(),
        "1009 \"a message of at least 101 bytes is longer than the limit of 100\""
    );
}

#[test]
fn fragments_add_up_to_the_limit() {
    for (last, passes) in [(19, true), (20, true), (21, false)] {
        let frames = [
            Frame::new(false, 2, vec![1; 50]),
            Frame::new(false, 0, vec![1; 30]),
            Frame::new(true, 0, vec![1; last]),
        ];
        let outcome = decode(&stream(&frames), Role::Client, LIMITS);
        assert_eq!(outcome.violation.is_none(), passes, "{last}");
        assert_eq!(outcome.events.len(), usize::from(passes));
    }
}

#[test]
fn an_oversize_frame_is_refused_by_its_header_alone() {
    for header in [&[0x82, 101][..], &[0x82, 126, 0x10, 0], &[0x82, 127, 0x7f, 0, 0, 0, 0, 0, 0, 0]]
    {
        let outcome = decode(header, Role::Client, LIMITS);
        assert_eq!(outcome.violation().code, CloseCode::TOO_BIG, "{header:x?}");
    }
}

#[test]
fn what_one_message_used_is_free_for_the_next() {
    let frames = [
        Frame::new(false, 2, vec![1; 60]),
        Frame::new(true, 0, vec![1; 40]),
        Frame::new(false, 2, vec![2; 60]),
        Frame::new(true, 0, vec![2; 40]),
    ];
    let outcome = decode(&stream(&frames), Role::Client, LIMITS);
    assert_eq!(outcome.events, [binary(vec![1; 100]), binary(vec![2; 100])]);
}

#[test]
fn control_frames_are_not_charged_to_a_message() {
    let limits = Limits { message_bytes_max: 0, fragment_overhead_bytes: 64 };
    let ping = vec![1; 125];
    let frames =
        [Frame::new(false, 1, ""), Frame::new(true, 9, ping.clone()), Frame::new(true, 8, "")];
    let outcome = decode(&stream(&frames), Role::Client, limits);
    assert_eq!(outcome.events, [Seen::Ping(ping), Seen::Close(None)]);
}

#[test]
fn a_limit_of_nothing_still_takes_empty_messages() {
    let limits = Limits { message_bytes_max: 0, fragment_overhead_bytes: 64 };
    assert_eq!(decode(&[0x82, 0], Role::Client, limits).events, [binary("")]);
    assert_eq!(decode(&[0x82, 1], Role::Client, limits).violation().code, CloseCode::TOO_BIG);
}

#[test]
fn limits_as_large_as_they_can_be_do_not_overflow() {
    let limits = Limits { message_bytes_max: usize::MAX, fragment_overhead_bytes: usize::MAX };
    let longest = [127, 0x7f, 255, 255, 255, 255, 255, 255, 255];
    let mut bytes = stream(&[Frame::new(false, 2, "a"), Frame::new(false, 0, "b")]);
    bytes.push(0x80);
    bytes.extend(longest);
    bytes.push(b'x');
    assert_eq!(decode(&bytes, Role::Client, limits), Outcome::default());

    let mut bytes = vec![0x02];
    bytes.extend(longest);
    bytes.push(b'x');
    assert_eq!(decode(&bytes, Role::Client, limits), Outcome::default());
}
