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

/// A mebibyte of zeros that ends between two blocks, so that it can be repeated.
fn mebibyte_of_zeros() -> Vec<u8> {
    let mut zeros = Vec::new();
    Deflater::new(direction(false)).compress(&vec![0; 1 << 20], &mut zeros);
    [&zeros[..], &[0, 0, 0xff, 0xff]].concat()
}

/// Feeds reads of 4 KiB until the first event or violation, and says after how many bytes it came.
fn until_something_comes(bytes: &[u8], limits: Limits) -> (usize, Outcome) {
    let mut decoder = Decoder::with_deflate(Role::Client, limits, direction(false));
    let mut outcome = Outcome::default();
    let mut at = 0;
    for read in bytes.chunks(4096) {
        at += read.len();
        feed(&mut decoder, read, &mut outcome);
        if outcome != Outcome::default() {
            break;
        }
    }
    (at, outcome)
}

#[test]
fn a_gibibyte_of_zeros_is_refused_by_its_second_mebibyte() {
    let piece = mebibyte_of_zeros();
    let bomb = piece.repeat(1024);
    assert!(bomb.len() < 2 << 20, "{}", bomb.len());
    let (at, outcome) =
        until_something_comes(&compressed(true, 2, bomb).bytes(), Limits::default());
    assert!(at <= (2 * piece.len()).next_multiple_of(4096), "{at}");
    assert_eq!(outcome.violation().code, CloseCode::TOO_BIG);
    let too_big = ViolationKind::InflatesTooBig { bytes_max: 1 << 20 };
    assert_eq!(outcome.violation().kind, too_big);
}

#[test]
fn what_inflates_to_the_limit_passes_and_one_byte_more_does_not() {
    let limits = Limits { message_bytes_max: 1000, fragment_overhead_bytes: 0 };
    for (len, passes) in [(999, true), (1000, true), (1001, false)] {
        let mut payload = Vec::new();
        Deflater::new(direction(false)).compress(&vec![b'x'; len], &mut payload);
        let decoder = || Decoder::with_deflate(Role::Client, limits, direction(false));
        let outcome = decode_by(decoder, &compressed(true, 2, payload).bytes());
        assert_eq!(outcome.violation.is_none(), passes, "{len}");
    }
}

#[test]
fn a_message_that_compressing_made_longer_passes_and_an_endless_one_does_not() {
    let limits = Limits { message_bytes_max: 100, fragment_overhead_bytes: 0 };
    let decoder = || Decoder::with_deflate(Role::Client, limits, direction(false));
    let empty_block = [0, 0, 0, 0xff, 0xff];
    let stored = [&[0, 100, 0, 155, 255][..], &[b'x'; 100], &[0]].concat();
    for (blocks, passes) in [(31, true), (32, false)] {
        let payload = [&empty_block.repeat(blocks)[..], &stored].concat();
        let outcome = decode_by(decoder, &compressed(true, 2, payload.clone()).bytes());
        assert_eq!(outcome.violation.is_none(), passes, "{} bytes", payload.len());
    }
    let bytes = 2 * 100 + 64;
    let refused = decode_by(decoder, &compressed(true, 2, vec![0; bytes + 1]).bytes()).violation();
    let too_big = ViolationKind::MessageTooBig { bytes: bytes as u64 + 1, bytes_max: bytes };
    assert_eq!((refused.code, refused.kind), (CloseCode::TOO_BIG, too_big));
}

#[test]
fn floods_of_tiny_compressed_fragments_and_of_final_blocks_are_felled() {
    let limits = Limits { message_bytes_max: 1024, fragment_overhead_bytes: 64 };
    let first = compressed(false, 2, [0]);
    let fragments = std::iter::once(first).chain(std::iter::repeat_n(Frame::new(false, 0, ""), 99));
    let (_, outcome) = until_something_comes(&stream(&fragments.collect::<Vec<_>>()), limits);
    assert_eq!(outcome.violation().code, CloseCode::TOO_BIG);
    let kind = ViolationKind::TooManyFragments { bytes: 1, fragments: 34 };
    assert_eq!(outcome.violation().kind, kind);

    // A whole stream takes two bytes, and each costs a new beginning.
    let streams = compressed(true, 2, [0x03, 0x00].repeat(100));
    let (_, outcome) = until_something_comes(&streams.bytes(), limits);
    assert_eq!(outcome.violation().code, CloseCode::TOO_BIG);
    let kind = ViolationKind::TooManyStreams { bytes: 200, streams: 30 };
    assert_eq!(outcome.violation().kind, kind);
}

#[test]
fn a_message_that_ends_inside_a_block_is_refused() {
    let why = "it ends inside a block";
    let whole = [&HELLO[..], &[0, 0, 0xff, 0xff]].concat();
    for payload in [&HELLO[..1], &HELLO[..4], &HELLO[..6], &[0, 5, 0, 250, 255, b'H'], &whole] {
        let outcome = inflate(&[compressed(true, 1, payload)], direction(false));
        assert_eq!(outcome.violation().kind, ViolationKind::NotDeflate { why }, "{payload:x?}");
    }
}

#[test]
fn what_follows_a_final_block_is_a_stream_or_is_refused() {
    let hello = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for (after, expected) in [
        (&[][..], Some("Hello")),
        (&[0x00], Some("Hello")),
        (&[0x03, 0x00, 0x00], Some("Hello")),
        (&hello, Some("HelloHello")),
        (b"\xff\xffgarbage", None),
    ] {
        let outcome = inflate(&[compressed(true, 1, [&hello, after].concat())], direction(false));
        match expected {
            Some(expected) => assert_eq!(outcome.events, [text(expected)]),
            None => assert_eq!(outcome.violation().code, CloseCode::INVALID_PAYLOAD),
        }
    }
}

#[test]
fn text_is_checked_as_it_comes_out() {
    let mut payload = Vec::new();
    Deflater::new(direction(false)).compress("ñandú\u{20ac}".as_bytes(), &mut payload);
    let outcome = inflate(&[compressed(true, 1, payload)], direction(false));
    assert_eq!(outcome.events, [text("ñandú€")]);

    // A stored block of which three bytes are there, the third impossible.
    let unfinished = [0, 200, 0, 55, 255, b'a', b'b', 0xff];
    let outcome = inflate(&[compressed(false, 1, unfinished)], direction(false));
    assert_eq!(outcome.violation().kind, ViolationKind::TextNotUtf8 { at: 2 });

    let half_a_character = [0, 1, 0, 254, 255, 0xc3, 0];
    let outcome = inflate(&[compressed(true, 1, half_a_character)], direction(false));
    assert_eq!(outcome.violation().kind, ViolationKind::TextNotUtf8 { at: 0 });
}
