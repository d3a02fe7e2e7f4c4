//! What a decoder makes of valid frames, and where the bytes of it lie.

use enchufe_core::{
    MessageRef,
    ws::{CloseCode, CloseReason, Decoded, Decoder, Event, Limits, Role},
};

use crate::{
    generate::Frame,
    run::{Outcome, Seen, binary, feed, from_client, from_server, text},
};

#[test]
fn the_unmasked_hello_of_the_rfc_is_a_text() {
    let bytes = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(from_server(&bytes).events, [text("Hello")]);
}

#[test]
fn the_masked_hello_of_the_rfc_is_a_text() {
    let bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(from_client(&bytes).events, [text("Hello")]);
}

#[test]
fn the_fragmented_hello_of_the_rfc_is_one_text() {
    let bytes = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
    assert_eq!(from_server(&bytes).events, [text("Hello")]);
}

#[test]
fn the_ping_and_the_masked_pong_of_the_rfc_carry_hello() {
    let ping = [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(from_server(&ping).events, [Seen::Ping(b"Hello".into())]);
    let pong = [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(from_client(&pong).events, [Seen::Pong(b"Hello".into())]);
}

#[test]
fn the_long_binaries_of_the_rfc_are_whole() {
    for len in [256, 65_536] {
        let bytes = Frame::new(true, 2, vec![7; len]).masked([1, 2, 3, 4]).bytes();
        let mut outcome = Outcome::default();
        feed(&mut Decoder::new(Role::Server, Limits::default()), &bytes, &mut outcome);
        assert_eq!(outcome.events, [binary(vec![7; len])]);
    }
}

#[test]
fn empty_frames_are_events_too() {
    let bytes = [0x81, 0, 0x82, 0, 0x89, 0, 0x8a, 0, 0x01, 0, 0x80, 0, 0x88, 0];
    let ping = Seen::Ping(vec![]);
    let pong = Seen::Pong(vec![]);
    let expected = [text(""), binary(""), ping, pong, text(""), Seen::Close(None)];
    assert_eq!(from_server(&bytes).events, expected);
}

#[test]
fn a_close_tells_its_code_and_reason() {
    let outcome = from_server(&[0x88, 5, 0x03, 0xe9, b'b', b'y', b'e']);
    let reason = CloseReason::new(CloseCode::GOING_AWAY, "bye");
    assert_eq!(outcome.events, [Seen::Close(Some(reason))]);
}

#[test]
fn nothing_counts_after_a_close() {
    let outcome = from_server(&[0x88, 0, 0x81, 1, b'x', 0xff, 0xff, 0xff]);
    assert_eq!(outcome, Outcome { events: vec![Seen::Close(None)], violation: None });
}

#[test]
fn nothing_counts_after_a_violation() {
    let mut decoder = Decoder::new(Role::Client, Limits::default());
    assert!(decoder.decode(&mut [0x01, 1, b'x', 0x83]).is_err());
    assert_eq!(next(&mut decoder, &[0x81, 1, b'x']), (3, None));
    assert!(decoder.is_idle());
}

#[test]
fn a_character_may_be_cut_by_a_fragment() {
    // "ñ€" is c3 b1 e2 82 ac.
    let bytes = [0x01, 1, 0xc3, 0x00, 2, 0xb1, 0xe2, 0x89, 0, 0x00, 0, 0x80, 2, 0x82, 0xac];
    assert_eq!(from_server(&bytes).events, [Seen::Ping(vec![]), text("ñ€")]);
}

#[test]
fn a_whole_frame_is_lent_from_the_callers_buffer() {
    for (first, kept_in) in [(0x81, "a message"), (0x89, "a ping"), (0x8a, "a pong")] {
        let mut decoder = Decoder::new(Role::Server, Limits::default());
        let mut buffer = [first, 0x83, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2, b'c' ^ 3];
        let payload_place = buffer[6..].as_ptr_range();
        let decoded = decoder.decode(&mut buffer).expect(kept_in);
        assert_eq!(decoded.consumed, 9);
        let payload = payload_of(decoded.event);
        assert_eq!(payload, b"abc");
        assert_eq!(payload.as_ptr_range(), payload_place, "{kept_in}");
        assert!(decoder.is_idle());
    }
}

#[test]
fn only_the_header_may_lie_in_the_read_before() {
    let mut decoder = Decoder::new(Role::Client, Limits::default());
    assert_eq!(next(&mut decoder, &[0x82]), (1, None));
    let mut buffer = [3, 7, 8, 9];
    let payload_place = buffer[1..].as_ptr_range();
    let decoded = decoder.decode(&mut buffer).expect("the rest of the frame");
    assert_eq!(payload_of(decoded.event).as_ptr_range(), payload_place);
}

#[test]
fn an_idle_decoder_is_small_and_owns_no_memory() {
    assert!(size_of::<Decoder>() <= 40, "{}", size_of::<Decoder>());
    let mut decoder = Decoder::new(Role::Client, Limits::default());
    assert!(decoder.is_idle());

    // A message in pieces, a ping between them.
    assert_eq!(next(&mut decoder, &[0x01, 2, b'a', b'b', 0x89, 1]), (6, None));
    assert!(!decoder.is_idle());
    assert_eq!(next(&mut decoder, b"p"), (1, Some(Seen::Ping(b"p".into()))));
    assert_eq!(next(&mut decoder, &[0x80, 1, b'c']), (3, Some(text("abc"))));

    // What was lent is released by the next call, which needs no input.
    assert_eq!(next(&mut decoder, &[]), (0, None));
    assert!(decoder.is_idle());
}

#[test]
fn an_idle_decoder_that_inflates_owns_no_memory_but_for_context_takeover() {
    for takeover in [false, true] {
        let direction = crate::run::direction(takeover);
        let mut decoder = Decoder::with_deflate(Role::Client, Limits::default(), direction);
        let hello = [0xc1, 7, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        for frame in [&hello[..], &[&[0x01, 0, 0x80, 0], &hello[..]].concat()[..]] {
            let mut buffer = frame.to_vec();
            let mut at = 0;
            while let Decoded { consumed, event: Some(_), .. } =
                decoder.decode(&mut buffer[at..]).expect("no violation")
            {
                at += consumed;
            }
            // Without takeover there is not even a window; see the figures of ADR 0007.
            assert!(decoder.is_idle());
        }
        assert_eq!(next(&mut decoder, &hello[..5]), (5, None));
        assert!(!decoder.is_idle(), "a message is arriving");
    }
}

#[test]
fn a_close_inside_a_message_releases_it() {
    let mut decoder = Decoder::new(Role::Client, Limits::default());
    let close = Some(Seen::Close(None));
    assert_eq!(next(&mut decoder, &[0x01, 1, b'a', 0x88, 0]), (5, close));
    assert!(decoder.is_idle());
}

/// One call of the decoder.
fn next(decoder: &mut Decoder, input: &[u8]) -> (usize, Option<Seen>) {
    let mut buffer = input.to_vec();
    let Decoded { consumed, event, .. } = decoder.decode(&mut buffer).expect("no violation");
    (consumed, event.map(Seen::from))
}

fn payload_of(event: Option<Event<'_>>) -> &[u8] {
    match event {
        Some(Event::Message(MessageRef { payload, .. }) | Event::Ping(payload)) => payload,
        Some(Event::Pong(payload)) => payload,
        event => panic!("no payload: {event:?}"),
    }
}
