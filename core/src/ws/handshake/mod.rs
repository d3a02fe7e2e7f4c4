//! The opening handshake (RFC 6455 §4) on headers that an HTTP parser has already taken apart.
//!
//! Both sides are pure functions of what was received, so that any HTTP library can carry them.

mod client;
mod extensions;
mod fields;
mod server;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use sha1::{Digest as _, Sha1};

pub use client::{HandshakeError, Opened, verify};
pub(super) use extensions::Extension;
pub use fields::is_token;
pub use server::{Accepted, Refusal, Request, accept};

/// The only version of the protocol there is (RFC 6455 §4.1).
pub const VERSION: &str = "13";

/// What is appended to a key before it is hashed (RFC 6455 §1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Padding is required. The bits that the last character has to spare may be anything: clients
/// exist that draw a key's characters instead of its bytes, and it still decodes to 16 bytes.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// The value of `Sec-WebSocket-Key` for a nonce, which must be random and used once.
pub fn key(nonce: [u8; 16]) -> String {
    BASE64.encode(nonce)
}

/// The value of `Sec-WebSocket-Accept` that answers a key (RFC 6455 §4.2.2).
pub fn accept_key(key: &str) -> String {
    let hash = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    BASE64.encode(hash)
}

/// Whether the value of `Sec-WebSocket-Key` stands for 16 bytes (RFC 6455 §4.2.1).
fn is_key(value: &str) -> bool {
    // 24 characters carry at most 18 bytes.
    let mut nonce = [0; 18];
    value.len() == 24 && BASE64.decode_slice(value, &mut nonce) == Ok(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_and_its_answer_are_those_of_the_rfc() {
        assert_eq!(key(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_key_is_16_bytes_in_base64() {
        assert!(is_key("dGhlIHNhbXBsZSBub25jZQ=="));
        assert!(is_key("dGhlIHNhbXBsZSBub25jZR=="), "spare bits may be set");
        for value in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ===",
            "dGhlIHNhbXBsZSBub25jZTE=",
            "dGhlIHNhbXBsZSBub25jZTEx",
            "dGhlIHNhbXBsZSBub25j!Q==",
            "dGhlIHNhbXBsZSBub25j",
            "ñGhlIHNhbXBsZSBub25jZQ=",
        ] {
            assert!(!is_key(value), "{value}");
        }
    }
}
