//! The WebSocket protocol (RFC 6455) with compression (RFC 7692), sans-IO: bytes in, events out, and
//! events in, bytes out.
//!
//! It owns no socket, no clock and no randomness. Whoever drives it reads into a buffer of its
//! own, hands that buffer to a [`Decoder`] and gets messages borrowed from it; what is to be sent
//! is written by [`encode`] into a buffer of its own, too. That is what lets many thousand idle
//! connections share one read buffer, and lets one encoded frame serve every viewer.
//!
//! Both sides of the [`handshake`] may agree on [`deflate`]: a [`Decoder::with_deflate`] inflates
//! by itself, never beyond its [`Limits`], and [`encode::compressed`] compresses.
//!
//! ```
//! use enchufe_core::{Message, ws};
//!
//! let mut sent = Vec::new();
//! ws::encode::message(&mut sent, Message::text("Hola").as_ref(), None);
//!
//! let mut decoder = ws::Decoder::new(ws::Role::Client, ws::Limits::default());
//! let mut at = 0;
//! loop {
//!     let ws::Decoded { consumed, event, .. } = decoder.decode(&mut sent[at..])?;
//!     at += consumed;
//!     match event {
//!         Some(ws::Event::Message(message)) => assert_eq!(message.payload, b"Hola"),
//!         Some(_) => {}
//!         None => break, // everything is consumed, and what was lent is released
//!     }
//! }
//! # Ok::<(), ws::Violation>(())
//! ```

mod close;
mod codes;
mod decode;
pub mod deflate;
pub mod encode;
mod frame;
pub mod handshake;
mod mask;
mod partial;
mod utf8;
mod violation;

pub use close::{CloseCode, CloseReason, InvalidCloseCode};
pub use decode::{Decoded, Decoder, Event};
pub use frame::{Header, HeaderBytes, Opcode};
pub use violation::{Violation, ViolationKind};

/// Which side of the connection we are: clients mask what they send, servers do not (RFC 6455 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// We opened the connection: frames from the peer must not be masked.
    Client,
    /// We accepted the connection: frames from the peer must be masked.
    Server,
}

/// What a peer may make us keep before a message of its own is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest message accepted, in bytes of payload. A frame that would exceed it is refused
    /// when its header is read, before anything is reserved for it. A compressed message is refused
    /// as soon as it inflates to more.
    pub message_bytes_max: usize,
    /// What each fragment after a message's first is charged beyond its bytes. The charges of one
    /// message may add up to twice `message_bytes_max`, so that the longest message passes when
    /// its fragments are this long on average, and endless empty ones do not. 0 charges nothing.
    ///
    /// Of a compressed message the bytes on the wire are charged, with 64 to spare, and each
    /// deflate stream after the first as a fragment.
    pub fragment_overhead_bytes: usize,
}

impl Limits {
    /// How long a compressed message may be before it is inflated: even a bad compressor does not
    /// make a message of the longest size longer than this.
    fn compressed_bytes_max(&self) -> usize {
        self.message_bytes_max.saturating_mul(2).saturating_add(64)
    }
}

impl Default for Limits {
    /// Messages up to 1 MiB, and 64 bytes charged for each fragment.
    fn default() -> Self {
        Self { message_bytes_max: 1 << 20, fragment_overhead_bytes: 64 }
    }
}
