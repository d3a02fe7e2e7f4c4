//! Any head of a request is accepted or refused with a fitting answer.
//!
//! The input is the method on a line of its own, then one header field a line.
#![no_main]

use enchufe_core::ws::handshake::{Request, accept, verify};
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

    match accept(&Request { method, http_11: true, headers: &headers }, &PROTOCOLS) {
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
            assert_eq!(verify(101, &answer, key, &PROTOCOLS), Ok(accepted.protocol.clone()));
        }
        Err(refusal) => {
            assert!(matches!(refusal.status(), 400 | 405 | 426), "{refusal}");
            shown(&refusal.to_string());
        }
    }
    if let Err(error) = verify(101, &headers, "dGhlIHNhbXBsZSBub25jZQ==", &PROTOCOLS) {
        shown(&error.to_string());
    }
});

/// What people see of a peer's words.
fn shown(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
}
