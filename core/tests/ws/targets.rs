//! What the fuzz targets of `fuzz/` check of any input. The ordinary tests check it of their seeds
//! and of a few thousand inputs made from them.

use enchufe_core::{
    Kind, MessageRef,
    ws::{
        Decoder, Limits, Opcode, Role, ViolationKind,
        deflate::{Deflater, Direction, Offer, Policy, WindowBits},
        encode,
        handshake::{Request, accept, verify},
    },
};

use crate::{
    model,
    run::{self, Seen},
};

const PROTOCOLS: [&str; 2] = ["enchufe.v1", "chat"];

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

/// Any head of a request is accepted or refused with a fitting answer, and what is accepted opens
/// the connection for a client. The input is the method on a line of its own, then one header field
/// a line.
pub(crate) fn handshake(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let method = lines.next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or("GET");
    let headers: Vec<(&str, &[u8])> = lines
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((std::str::from_utf8(&line[..colon]).ok()?, &line[colon + 1..]))
        })
        .collect();

    let full = Direction { context_takeover: true, window_bits: WindowBits::MAX };
    let policy = Policy { server: full, client: full };
    let request = Request { method, http_11: true, headers: &headers };
    match accept(&request, &PROTOCOLS, Some(&policy)) {
        Ok(accepted) => {
            let key = headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("Sec-WebSocket-Key"))
                .and_then(|(_, value)| std::str::from_utf8(value.trim_ascii()).ok())
                .expect("it was accepted for its key");
            let mut answer: Vec<(&str, &[u8])> = vec![
                ("upgrade", b"websocket"),
                ("connection", b"Upgrade"),
                ("sec-websocket-accept", accepted.accept.as_bytes()),
            ];
            if let Some(protocol) = &accepted.protocol {
                answer.push(("sec-websocket-protocol", protocol.as_bytes()));
            }
            if let Some(extensions) = &accepted.extensions {
                answer.push(("sec-websocket-extensions", extensions.as_bytes()));
            }
            let opened = verify(101, &answer, key, &PROTOCOLS, Some(&Offer::default()));
            let opened = opened.expect("the answer fits any offer that asks for nothing");
            assert_eq!(opened.protocol, accepted.protocol);
            assert_eq!(opened.deflate, accepted.deflate);
        }
        Err(refusal) => {
            assert!(matches!(refusal.status(), 400 | 405 | 426), "{refusal}");
            shown(&refusal.to_string());
        }
    }
    if let Err(error) =
        verify(101, &headers, "dGhlIHNhbXBsZSBub25jZQ==", &PROTOCOLS, Some(&Offer::default()))
    {
        shown(&error.to_string());
    }
}

/// What people see of a peer's words.
fn shown(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
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
