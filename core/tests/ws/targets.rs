//! What the fuzz targets of `fuzz/` check of any input. The ordinary tests check it of their seeds
//! and of a few thousand inputs made from them.

use enchufe_core::{
    Kind, MessageRef,
    ws::{
        Decoder, Limits, Opcode, Role, ViolationKind,
        deflate::{Deflater, Direction, WindowBits},
        encode,
    },
};

use crate::{
    model,
    run::{self, Seen},
};

/// A stream decodes as the model says, whole, byte by byte and cut in two at every place. The first
/// byte chooses our role and the limits.
pub(crate) fn decode(data: &[u8]) {
    let Some((choice, stream)) = data.split_first() else { return };
    let (role, limits) = (role(*choice), limits(*choice));
    let outcome = run::decode(stream, role, limits);
    let (events, code) = model::decode(stream, role, limits);
    assert_eq!(outcome.events, events);
    assert_eq!(outcome.violation.map(|violation| violation.code), code);
}

/// The same where the peer may compress, of which the first byte chooses the terms, too.
pub(crate) fn deflate(data: &[u8]) {
    let Some((choice, stream)) = data.split_first() else { return };
    let (role, limits, direction) = (role(*choice), limits(*choice), direction(*choice));
    let decoder = || Decoder::with_deflate(role, limits, direction);
    let outcome = run::decode_by(decoder, stream);
    let (events, code) = model::inflate(stream, role, limits, Some(direction));
    assert_eq!(outcome.events, events);
    match outcome.violation.map(|violation| (violation.kind, violation.code)) {
        // Where the bytes end, ours may already see what the model needs more bits for.
        Some((ViolationKind::NotDeflate { .. }, _)) if code.is_none() => {}
        violation => assert_eq!(violation.map(|(_, code)| code), code),
    }
}

/// Whatever is encoded, compressed or not, is decoded again. The first byte chooses role and terms;
/// then comes a byte for each message, which says how it is made from those that follow.
pub(crate) fn round_trip(data: &[u8]) {
    let Some((choice, mut rest)) = data.split_first() else { return };
    let (role, direction) = (role(*choice), direction(*choice));
    let mask = (role == Role::Server).then_some([1, 2, 3, *choice]);
    let mut deflater = Deflater::new(direction);
    let (mut stream, mut expected) = (Vec::new(), Vec::new());
    while let Some((how, after)) = rest.split_first() {
        let (piece, after) = after.split_at(after.len().min(usize::from(how & 31)));
        rest = after;
        let payload = piece.repeat(1 + usize::from(how >> 5 & 1) * 9);
        match how >> 6 {
            0 => encode::compressed(&mut stream, Kind::Binary, &payload, mask, &mut deflater),
            1 => drop(encode::shortest(&mut stream, Kind::Binary, &payload, mask, &mut deflater)),
            2 => {
                let message = MessageRef { kind: Kind::Binary, payload: &payload };
                encode::message(&mut stream, message, mask);
            }
            _ => {
                let payload = &payload[..payload.len().min(125)];
                encode::frame(&mut stream, Opcode::Ping, payload, mask);
                expected.push(Seen::Ping(payload.to_vec()));
                continue;
            }
        }
        expected.push(Seen::Message(Kind::Binary, payload));
    }
    let decoder = || Decoder::with_deflate(role, Limits::default(), direction);
    let outcome = run::decode_by(decoder, &stream);
    assert_eq!(outcome.violation, None);
    assert_eq!(outcome.events, expected);
}

fn role(choice: u8) -> Role {
    if choice & 1 == 0 { Role::Server } else { Role::Client }
}

fn limits(choice: u8) -> Limits {
    let message_bytes_max = [1 << 20, 200, 64, 0][usize::from(choice >> 1 & 3)];
    Limits { message_bytes_max, fragment_overhead_bytes: 16 }
}

fn direction(choice: u8) -> Direction {
    let window_bits = WindowBits::new(8 + (choice >> 4 & 7)).expect("8–15");
    Direction { context_takeover: choice & 8 != 0, window_bits }
}
