//! What is compressed is inflated again: by our decoder, however it is cut, and by a naive reader
//! that looks at every distance.

use enchufe_core::{
    Kind,
    ws::{
        Decoder, Limits, Role,
        deflate::{Deflater, Direction, WindowBits},
        encode,
    },
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{
    generate::{self, Frame, stream},
    naive_inflate,
    run::{Seen, decode_cut_by},
};

fn direction(context_takeover: bool, bits: u8) -> Direction {
    Direction { context_takeover, window_bits: WindowBits::new(bits).expect("8–15") }
}

/// A message's payload with the tail that is left out on the wire.
fn with_tail(payload: &[u8]) -> Vec<u8> {
    [payload, &[0, 0, 0xff, 0xff]].concat()
}

/// Pseudo-random bytes, which never repeat by themselves.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..len).map(|_| random.u8(..)).collect()
}

#[test]
fn no_distance_exceeds_the_window_not_even_one_of_8_bits() {
    for bits in 8..=15 {
        for takeover in [false, true] {
            let window = 1usize << bits;
            let mut deflater = Deflater::new(direction(takeover, bits));
            let mut before = Vec::new();
            // Repeats at every distance around those that matter, some longer than any match.
            let distances = [200, 249, 250, 251, 255, 256, 257, window - 1, window, window + 1];
            for (seed, distance) in (0..).zip(distances) {
                for len in [distance + 3, 3 * distance + 300] {
                    let period = noise(distance, seed);
                    let payload: Vec<u8> = period.iter().copied().cycle().take(len).collect();
                    let mut compressed = Vec::new();
                    deflater.compress(&payload, &mut compressed);
                    let history = if takeover { &before[..] } else { &[] };
                    let read = naive_inflate::inflate(&with_tail(&compressed), history);
                    assert!(read.is_between_blocks && !read.is_corrupt, "{bits} {distance} {len}");
                    assert_eq!(&read.output[history.len()..], payload, "{bits} {distance} {len}");
                    assert!(read.distance_max <= window, "{} in {bits} bits", read.distance_max);
                    before.extend(payload);
                }
            }
        }
    }
}

#[test]
fn a_window_of_8_bits_is_used() {
    let mut compressed = Vec::new();
    let payload: Vec<u8> = noise(240, 1).into_iter().cycle().take(720).collect();
    Deflater::new(direction(false, 8)).compress(&payload, &mut compressed);
    let read = naive_inflate::inflate(&with_tail(&compressed), &[]);
    assert_eq!(read.distance_max, 240);
}

#[test]
fn a_message_that_was_forgotten_is_referred_to_by_none() {
    let text = noise(500, 3);
    let mut deflater = Deflater::new(direction(true, 15));
    let mut out = Vec::new();
    assert!(!encode::shortest(&mut out, Kind::Binary, &text, None, &mut deflater));
    assert!(!encode::shortest(&mut out, Kind::Binary, &text, None, &mut deflater));
    assert!(encode::shortest(&mut out, Kind::Text, &[b'x'; 500], None, &mut deflater));
    assert!(!encode::shortest(&mut out, Kind::Text, &[b'x'; 63], None, &mut deflater));
    let decoder = Decoder::with_deflate(Role::Client, Limits::default(), direction(true, 15));
    let expected = [
        Seen::Message(Kind::Binary, text.clone()),
        Seen::Message(Kind::Binary, text),
        Seen::Message(Kind::Text, vec![b'x'; 500]),
        Seen::Message(Kind::Text, vec![b'x'; 63]),
    ];
    assert_eq!(decode_cut_by(decoder, &out, &[]).events, expected);
}

/// Messages that repeat within themselves and each other.
fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let words = vec(prop::sample::select(vec!["Hola", " mundo", "ñandú €", "0123456789"]), 0..80);
    let payload = prop_oneof![
        4 => words.prop_map(|words| words.concat().into_bytes()),
        1 => vec(any::<u8>(), 0..400),
        1 => (any::<u64>(), 0usize..40_000).prop_map(|(seed, len)| {
            noise(300, seed).into_iter().cycle().take(len).collect()
        }),
    ];
    vec(payload, 1..6)
}

/// Cuts a compressed payload into frames.
fn fragmented(payload: &[u8], places: &[Index]) -> Vec<Frame> {
    let mut cuts: Vec<usize> = places.iter().map(|place| place.index(payload.len() + 1)).collect();
    cuts.push(payload.len());
    cuts.sort_unstable();
    let last = cuts.len() - 1;
    let mut from = 0;
    let mut frames = Vec::new();
    for (index, to) in cuts.into_iter().enumerate() {
        let opcode = if index == 0 { 2 } else { 0 };
        let frame = Frame::new(index == last, opcode, &payload[from..to]);
        frames.push(Frame { reserved: if index == 0 { 4 } else { 0 }, ..frame });
        from = to;
    }
    frames
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..generate::config() })]

    #[test]
    fn whatever_is_compressed_is_inflated_again_however_it_is_cut(
        bits in 8u8..=15,
        takeover: bool,
        payloads in payloads(),
        fragments in vec(any::<Index>(), 0..4),
        cuts in vec(any::<Index>(), 0..8),
        key: [u8; 4],
    ) {
        let direction = direction(takeover, bits);
        let mut deflater = Deflater::new(direction);
        let (mut frames, mut before) = (Vec::new(), Vec::new());
        for payload in &payloads {
            let mut compressed = Vec::new();
            deflater.compress(payload, &mut compressed);

            let history = if takeover { &before[..] } else { &[] };
            let read = naive_inflate::inflate(&with_tail(&compressed), history);
            prop_assert!(read.is_between_blocks && read.distance_max <= direction.window_bits.bytes());
            prop_assert_eq!(&read.output[history.len()..], payload);
            before.extend_from_slice(payload);

            frames.extend(fragmented(&compressed, &fragments));
        }
        let frames: Vec<Frame> = frames.into_iter().map(|frame| frame.masked(key)).collect();
        let bytes = stream(&frames);
        let cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        let decoder = Decoder::with_deflate(Role::Server, Limits::default(), direction);
        let outcome = decode_cut_by(decoder, &bytes, &cuts);
        prop_assert_eq!(outcome.violation, None);
        let expected: Vec<Seen> =
            payloads.into_iter().map(|payload| Seen::Message(Kind::Binary, payload)).collect();
        prop_assert_eq!(outcome.events, expected);
    }
}
