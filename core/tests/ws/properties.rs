//! On any stream, cut anywhere, the decoder says what the naive model says.

use enchufe_core::{
    Kind, MessageRef,
    ws::{
        CloseCode, CloseReason, Decoder, Limits, Opcode, Role, Violation, ViolationKind,
        deflate::{Direction, WindowBits},
        encode,
    },
};
use proptest::prelude::*;

use crate::{
    generate, model,
    run::{Outcome, Seen, decode_cut, decode_cut_by, feed},
};

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn any_stream_cut_anywhere_decodes_as_the_model_does(
        (role, bytes) in generate::any_stream(),
        cuts in generate::cuts(),
        message_bytes_max in prop_oneof![Just(1 << 20), 0usize..400],
        fragment_overhead_bytes in 0usize..200,
    ) {
        let limits = Limits { message_bytes_max, fragment_overhead_bytes };
        let outcome = decode_cut(&bytes, &cuts, role, limits);
        let (events, code) = model::decode(&bytes, role, limits);
        prop_assert_eq!(&outcome.events, &events);
        prop_assert_eq!(outcome.violation.map(|violation| violation.code), code);
    }

    #[test]
    fn any_compressed_stream_cut_anywhere_decodes_as_the_model_does(
        (role, bytes) in generate::role().prop_flat_map(|role| {
            (Just(role), prop_oneof![3 => generate::compressed(role), 1 => generate::arbitrary(role)])
        }),
        cuts in generate::cuts(),
        context_takeover: bool,
        bits in prop_oneof![Just(15u8), 8u8..15],
        message_bytes_max in prop_oneof![Just(1 << 20), 0usize..400],
        fragment_overhead_bytes in 0usize..200,
    ) {
        let limits = Limits { message_bytes_max, fragment_overhead_bytes };
        let window_bits = WindowBits::new(bits).expect("8–15");
        let direction = Direction { context_takeover, window_bits };
        let decoder = || Decoder::with_deflate(role, limits, direction);
        let outcome = decode_cut_by(decoder(), &bytes, &cuts);
        prop_assert_eq!(&outcome, &decode_cut_by(decoder(), &bytes, &[]));
        let everywhere: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(&outcome, &decode_cut_by(decoder(), &bytes, &everywhere));

        let (events, code) = model::inflate(&bytes, role, limits, Some(direction));
        prop_assert_eq!(&outcome.events, &events);
        match outcome.violation {
            // Where the bytes end, ours may already see what the model needs more bits for.
            Some(Violation { kind: ViolationKind::NotDeflate { .. }, .. }) if code.is_none() => {}
            violation => prop_assert_eq!(violation.map(|violation| violation.code), code),
        }
    }

    #[test]
    fn random_bytes_decode_as_the_model_does(
        role in generate::role(),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
        cuts in prop::collection::vec(0usize..64, 0..4),
    ) {
        let limits = Limits::default();
        let outcome = decode_cut(&bytes, &cuts, role, limits);
        let (events, code) = model::decode(&bytes, role, limits);
        prop_assert_eq!(&outcome.events, &events);
        prop_assert_eq!(outcome.violation.map(|violation| violation.code), code);
    }

    #[test]
    fn a_valid_stream_is_never_refused_and_leaves_nothing_behind(
        (role, bytes) in generate::role().prop_flat_map(|role| (Just(role), generate::valid(role))),
        cut in 0usize..700,
    ) {
        let mut decoder = Decoder::new(role, Limits::default());
        let mut outcome = Outcome::default();
        let (before, after) = bytes.split_at(cut.min(bytes.len()));
        feed(&mut decoder, before, &mut outcome);
        feed(&mut decoder, after, &mut outcome);
        prop_assert_eq!(outcome.violation, None);
        prop_assert!(decoder.is_idle());
    }

    #[test]
    fn what_is_encoded_is_decoded_again(
        key: [u8; 4],
        text: String,
        payload in prop::collection::vec(any::<u8>(), 0..70_000),
        ping in prop::collection::vec(any::<u8>(), 0..126),
        code in 3000u16..5000,
        cuts in generate::cuts(),
    ) {
        let reason = CloseReason::new(CloseCode::new(code).expect("3000–4999"), text.clone());
        for (role, mask) in [(Role::Client, None), (Role::Server, Some(key))] {
            let mut out = Vec::new();
            let message = MessageRef { kind: Kind::Text, payload: text.as_bytes() };
            encode::message(&mut out, message, mask);
            let message = MessageRef { kind: Kind::Binary, payload: &payload };
            encode::message(&mut out, message, mask);
            encode::frame(&mut out, Opcode::Ping, &ping, mask);
            encode::frame(&mut out, Opcode::Pong, &ping, mask);
            encode::close(&mut out, Some(&reason), mask);
            let expected = [
                Seen::Message(Kind::Text, text.clone().into()),
                Seen::Message(Kind::Binary, payload.clone()),
                Seen::Ping(ping.clone()),
                Seen::Pong(ping.clone()),
                Seen::Close(Some(reason.clone())),
            ];
            let outcome = decode_cut(&out, &cuts, role, Limits::default());
            prop_assert_eq!(outcome.violation, None);
            prop_assert_eq!(&outcome.events[..], &expected[..]);
        }
    }
}
