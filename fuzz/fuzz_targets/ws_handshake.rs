//! Any head of a request is accepted or refused with a fitting answer.
//!
//! The input is the method on a line of its own, then one header field a line.
#![no_main]

use enchufe_core::ws::{
    deflate::{Direction, Offer, Policy, WindowBits},
    handshake::{Request, accept, verify},
};
use libfuzzer_sys::fuzz_target;

const PROTOCOLS: [&str; 2] = ["enchufe.v1", "chat"];

fuzz_target!(|data: &[u8]| {
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
});

/// What people see of a peer's words.
fn shown(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
}
