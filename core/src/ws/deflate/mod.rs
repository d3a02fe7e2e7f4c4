//! permessage-deflate (RFC 7692): messages compressed one by one.
//!
//! [`Policy`] and [`Offer`] are what the two sides want, [`Agreed`] is what they settle on in the
//! handshake. A [`Decoder`](super::Decoder) that was told the peer's direction inflates by itself;
//! for sending there is the [`Deflater`]. The defaults grant no context takeover, so that nothing
//! is kept of a connection that is idle, and so that one compressed frame can be sent to many.

mod deflater;
mod inflater;
mod negotiate;

use std::fmt;

pub use deflater::Deflater;
pub(super) use inflater::{Inflater, Stop};
pub(super) use negotiate::settle;
pub use negotiate::{Offer, Policy};

/// The extension's name in `Sec-WebSocket-Extensions`.
pub const NAME: &str = "permessage-deflate";

/// What a flushed deflate stream ends with, and what a compressed message leaves out (RFC 7692
/// §7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// How far back a compressed message may refer: the base-2 logarithm of the window's size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 256 bytes.
    pub const MIN: Self = Self(8);
    /// 32 KiB, which is what is agreed when nobody says anything.
    pub const MAX: Self = Self(15);

    /// A window of two to the power of `bits` bytes.
    ///
    /// # Errors
    ///
    /// When `bits` is not within 8–15.
    pub fn new(bits: u8) -> Result<Self, InvalidWindowBits> {
        match bits {
            8..=15 => Ok(Self(bits)),
            _ => Err(InvalidWindowBits(bits)),
        }
    }

    /// The number as it stands in the handshake.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The size of the window in bytes.
    pub fn bytes(self) -> usize {
        1 << self.0
    }

    /// Reads a parameter's value: decimal, without leading zeros (RFC 7692 §7.1.2).
    fn parse(value: &str) -> Option<Self> {
        let is_canonical = !value.starts_with('0') && value.bytes().all(|b| b.is_ascii_digit());
        value.parse().ok().filter(|_| is_canonical).and_then(|bits| Self::new(bits).ok())
    }
}

impl Default for WindowBits {
    fn default() -> Self {
        Self::MAX
    }
}

impl fmt::Display for WindowBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number is no size of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} window bits are not possible: use 8 to 15")]
pub struct InvalidWindowBits(pub u8);

/// How one side compresses what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Direction {
    /// Whether a message may refer back into those before it. Both sides then keep a window.
    pub context_takeover: bool,
    /// How far back it may refer.
    pub window_bits: WindowBits,
}

/// What both sides settled on in the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Agreed {
    /// What the server sends.
    pub server: Direction,
    /// What the client sends.
    pub client: Direction,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_bits_are_8_to_15_without_leading_zeros() {
        for bits in 8..=15 {
            let parsed = WindowBits::parse(&bits.to_string()).expect("it is within 8–15");
            assert_eq!((parsed.number(), parsed.bytes()), (bits, 1 << bits));
        }
        for value in ["", "7", "16", "08", "015", "+9", "-9", "9 ", " 9", "9.0", "0x9", "265", "²"]
        {
            assert_eq!(WindowBits::parse(value), None, "{value}");
        }
        assert!(WindowBits::new(7).expect_err("too few").to_string().contains("7 window bits"));
    }
}
