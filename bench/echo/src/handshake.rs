//! The least of an opening handshake (RFC 6455 §4.2), for servers whose crate begins after it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// What a key is joined with before it is hashed.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The answer to a request that is complete, or `None` while it is not.
///
/// # Panics
///
/// When the request has no `Sec-WebSocket-Key`: nothing but the generator connects here.
pub fn answer(request: &[u8]) -> Option<String> {
    if !request.ends_with(b"\r\n\r\n") {
        return None;
    }
    let request = std::str::from_utf8(request).expect("a request is text");
    let key = request
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .map(|(_, value)| value.trim())
        .expect("a request has a key");
    let accept = STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize());
    Some(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    ))
}
