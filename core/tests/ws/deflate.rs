//! Compressed messages, received and sent.

use enchufe_core::{
    Kind,
    ws::{
        CloseCode, Decoded, Decoder, Limits, Role, ViolationKind,
        deflate::{Deflater, Direction},
        encode,
    },
};

use crate::{
    generate::{Frame, stream},
    run::{Outcome, Seen, binary, decode_by, direction, feed, text},
};

/// A frame with RSV1.
fn compressed(fin: bool, opcode: u8, payload: impl Into<Vec<u8>>) -> Frame {
    Frame { reserved: 0b100, ..Frame::new(fin, opcode, payload) }
}

/// What a client gets from a server that may compress, however the stream is cut.
fn inflate(frames: &[Frame], direction: Direction) -> Outcome {
    let decoder = || Decoder::with_deflate(Role::Client, Limits::default(), direction);
    decode_by(decoder, &stream(frames))
}

/// "Hello" as RFC 7692 §7.2.3.1 compresses it.
const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

#[test]
fn the_examples_of_the_rfc_are_inflated() {
    for (name, payload) in [
        ("one block", &HELLO[..]),
        ("no compression", &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]),
        ("a final block", &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]),
        (
            "two blocks",
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ),
    ] {
        for takeover in [false, true] {
            let outcome = inflate(&[compressed(true, 1, payload)], direction(takeover));
            assert_eq!(outcome, Outcome { events: vec![text("Hello")], violation: None }, "{name}");
        }
    }
}

#[test]
fn fragments_of_a_compressed_message_continue_it() {
    let frames = [
        compressed(false, 1, &HELLO[..3]),
        Frame::new(true, 9, "?"),
        Frame::new(false, 0, ""),
        Frame::new(true, 0, &HELLO[3..]),
        Frame::new(true, 1, "plain"),
    ];
    let expected = [Seen::Ping(b"?".into()), text("Hello"), text("plain")];
    assert_eq!(inflate(&frames, direction(false)).events, expected);
}

#[test]
fn with_context_takeover_a_message_may_refer_to_the_one_before() {
    // The second message of RFC 7692 §7.2.3.2.
    let second = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let frames = [
        compressed(true, 1, HELLO),
        Frame::new(true, 1, "what is not compressed is not in the window"),
        compressed(true, 1, second),
    ];
    let plain = text("what is not compressed is not in the window");
    let outcome = inflate(&frames, direction(true));
    assert_eq!(outcome.events, [text("Hello"), plain, text("Hello")]);

    let outcome = inflate(&frames, direction(false));
    assert_eq!(outcome.events.len(), 2);
    let why = "it has an invalid block, code or distance";
    assert_eq!(outcome.violation().kind, ViolationKind::NotDeflate { why });
    assert_eq!(outcome.violation().code, CloseCode::INVALID_PAYLOAD);
}

#[test]
fn a_decoder_says_whether_a_message_came_compressed() {
    let mut decoder = Decoder::with_deflate(Role::Client, Limits::default(), direction(false));
    let mut bytes = stream(&[
        compressed(true, 1, HELLO),
        Frame::new(true, 1, "plain"),
        compressed(false, 1, HELLO),
        Frame::new(true, 9, "between"),
        Frame::new(true, 0, ""),
    ]);
    let (mut at, mut said) = (0, Vec::new());
    loop {
        let Decoded { consumed, event, compressed } =
            decoder.decode(&mut bytes[at..]).expect("no violation");
        at += consumed;
        match event {
            Some(_) => said.push(compressed),
            None => break,
        }
    }
    assert_eq!(said, [true, false, false, true]);
}

#[test]
fn nothing_may_be_compressed_that_was_not_agreed_on_or_never_can_be() {
    let agreed = || Decoder::with_deflate(Role::Client, Limits::default(), direction(true));
    let not_agreed = || Decoder::new(Role::Client, Limits::default());
    let reserved = ViolationKind::ReservedBits(0b100);

    let first = compressed(true, 1, HELLO).bytes();
    assert_eq!(decode_by(not_agreed, &first).violation().kind, reserved);
    let continuation = [compressed(false, 1, HELLO), compressed(true, 0, "")];
    assert_eq!(decode_by(agreed, &stream(&continuation)).violation().kind, reserved);
    for opcode in [8, 9, 10] {
        let control = compressed(true, opcode, "").bytes();
        assert_eq!(decode_by(agreed, &control).violation().kind, reserved);
    }
    let rsv2 = Frame { reserved: 0b110, ..Frame::new(true, 1, HELLO) };
    assert_eq!(
        decode_by(agreed, &rsv2.bytes()).violation().kind,
        ViolationKind::ReservedBits(0b110)
    );
}

#[test]
fn what_is_encoded_compressed_is_decoded_again() {
    for takeover in [false, true] {
        let mut deflater = Deflater::new(direction(takeover));
        let mut out = Vec::new();
        for (kind, payload) in
            [(Kind::Text, &b"Hola, hola, hola"[..]), (Kind::Binary, b""), (Kind::Text, b"Hola")]
        {
            encode::compressed(&mut out, kind, payload, Some([1, 2, 3, 4]), &mut deflater);
        }
        let mut decoder =
            Decoder::with_deflate(Role::Server, Limits::default(), direction(takeover));
        let mut outcome = Outcome::default();
        feed(&mut decoder, &out, &mut outcome);
        assert_eq!(outcome.events, [text("Hola, hola, hola"), binary(""), text("Hola")]);
    }
}
