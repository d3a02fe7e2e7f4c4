//! The header of a frame (RFC 6455 §5.2): read, checked for itself, and written.

use std::{fmt, ops::Range};

use arrayvec::ArrayVec;

use super::{Role, ViolationKind};
use crate::Kind;

/// The longest header: two bytes, a 64-bit length and the masking key.
pub(super) const HEADER_BYTES_MAX: usize = 14;
/// The most a Close, Ping or Pong frame may carry (RFC 6455 §5.5).
pub(super) const CONTROL_BYTES_MAX: usize = 125;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_AND_3: u8 = 0x30;
const MASKED: u8 = 0x80;
/// Seven-bit lengths that say that the length follows in two or in eight bytes.
const LENGTH_IN_16_BITS: u8 = 126;
const LENGTH_IN_64_BITS: u8 = 127;

/// An encoded header.
pub type HeaderBytes = ArrayVec<u8, HEADER_BYTES_MAX>;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// A further fragment of a message.
    Continuation,
    /// A text message, or its first fragment.
    Text,
    /// A binary message, or its first fragment.
    Binary,
    /// The end of the connection.
    Close,
    /// A question that a Pong with the same payload answers.
    Ping,
    /// The answer to a Ping, or a sign of life.
    Pong,
}

impl Opcode {
    /// Whether it is a Close, Ping or Pong: short, whole, and allowed between two fragments.
    pub fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    /// The four bits on the wire.
    pub fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    fn from_bits(bits: u8) -> Result<Self, ViolationKind> {
        Ok(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return Err(ViolationKind::UnknownOpcode(bits)),
        })
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
        })
    }
}

/// Everything in front of a frame's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whether the frame ends its message.
    pub fin: bool,
    /// RSV1: the message is compressed (RFC 7692 §6). Only on a message's first frame, and only
    /// where both sides agreed to it.
    pub compressed: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The key the payload is masked with. Clients must have one and servers must not.
    pub mask: Option<[u8; 4]>,
    /// The length of the payload in bytes.
    pub payload_len: u64,
}

impl Header {
    /// Reads the header at the start of `bytes` and how many bytes it takes; `None` when they do
    /// not hold it whole. What is wrong is refused by the first byte that shows it.
    pub(super) fn parse(bytes: &[u8], role: Role) -> Result<Option<(Self, usize)>, ViolationKind> {
        let Some((&first, bytes)) = bytes.split_first() else { return Ok(None) };
        let fin = first & FIN != 0;
        let opcode = Opcode::from_bits(first & 0x0f)?;
        if first & RSV2_AND_3 != 0 || (first & RSV1 != 0 && opcode.is_control()) {
            return Err(ViolationKind::ReservedBits((first & (RSV1 | RSV2_AND_3)) >> 4));
        }
        if opcode.is_control() && !fin {
            return Err(ViolationKind::FragmentedControl(opcode));
        }

        let Some((&second, bytes)) = bytes.split_first() else { return Ok(None) };
        match (role, second & MASKED != 0) {
            (Role::Server, false) => return Err(ViolationKind::NotMasked),
            (Role::Client, true) => return Err(ViolationKind::Masked),
            (Role::Server, true) | (Role::Client, false) => {}
        }
        let short_len = second & !MASKED;
        if opcode.is_control() && usize::from(short_len) > CONTROL_BYTES_MAX {
            return Err(ViolationKind::LongControl(opcode));
        }
        let Some((payload_len, bytes, length_bytes)) = parse_length(short_len, bytes)? else {
            return Ok(None);
        };

        let (mask, mask_bytes) = match role {
            Role::Client => (None, 0),
            Role::Server => match bytes.first_chunk() {
                Some(&key) => (Some(key), 4),
                None => return Ok(None),
            },
        };
        let header = Self { fin, compressed: first & RSV1 != 0, opcode, mask, payload_len };
        Ok(Some((header, 2 + length_bytes + mask_bytes)))
    }

    /// The header as it stands on the wire, its length in the fewest bytes.
    pub fn encode(&self) -> HeaderBytes {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let first = flag(self.fin, FIN) | flag(self.compressed, RSV1) | self.opcode.bits();
        let masked = flag(self.mask.is_some(), MASKED);

        let mut bytes = HeaderBytes::new();
        let mut push = |more: &[u8]| {
            bytes.try_extend_from_slice(more).expect("a header is at most this long");
        };
        match (u8::try_from(self.payload_len), u16::try_from(self.payload_len)) {
            (Ok(len), _) if len < LENGTH_IN_16_BITS => push(&[first, masked | len]),
            (_, Ok(len)) => {
                push(&[first, masked | LENGTH_IN_16_BITS]);
                push(&len.to_be_bytes());
            }
            _ => {
                push(&[first, masked | LENGTH_IN_64_BITS]);
                push(&self.payload_len.to_be_bytes());
            }
        }
        if let Some(key) = self.mask {
            push(&key);
        }
        bytes
    }
}

/// The kind, the place of the payload and the masking key of a frame at the front of `bytes`, if it
/// is a message by itself, not compressed and shorter than 64 KiB, with a header that is right. The
/// payload may reach beyond `bytes`.
#[inline(always)]
pub(super) fn whole_message(
    bytes: &[u8],
    role: Role,
) -> Option<(Kind, Range<usize>, Option<[u8; 4]>)> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    let kind = match first {
        0x81 => Kind::Text,
        0x82 => Kind::Binary,
        _ => return None,
    };
    let (len, at) = match second & !MASKED {
        LENGTH_IN_16_BITS => match u16::from_be_bytes(*rest.first_chunk()?) {
            0..126 => return None,
            len => (usize::from(len), 4),
        },
        LENGTH_IN_64_BITS => return None,
        len => (usize::from(len), 2),
    };
    match (role, second & MASKED != 0) {
        (Role::Client, false) => Some((kind, at..at + len, None)),
        (Role::Server, true) => {
            let key = *bytes.get(at..)?.first_chunk()?;
            Some((kind, at + 4..at + 4 + len, Some(key)))
        }
        _ => None,
    }
}

/// The payload's length, the bytes behind it, and how many bytes it took beyond the first seven bits.
type Length<'a> = (u64, &'a [u8], usize);

fn parse_length(short_len: u8, bytes: &[u8]) -> Result<Option<Length<'_>>, ViolationKind> {
    let (len, rest, len_bytes, least) = match short_len {
        LENGTH_IN_16_BITS => match bytes.split_first_chunk() {
            Some((len, rest)) => (u64::from(u16::from_be_bytes(*len)), rest, 2, 126),
            None => return Ok(None),
        },
        LENGTH_IN_64_BITS => match bytes.split_first_chunk() {
            Some((len, rest)) => (u64::from_be_bytes(*len), rest, 8, 1 << 16),
            None => return Ok(None),
        },
        short_len => (u64::from(short_len), bytes, 0, 0),
    };
    if len >> 63 != 0 {
        return Err(ViolationKind::LengthHighBit(len));
    }
    if len < least {
        return Err(ViolationKind::LengthNotMinimal(len));
    }
    Ok(Some((len, rest, len_bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(payload_len: u64, mask: Option<[u8; 4]>) -> Header {
        Header { fin: true, compressed: false, opcode: Opcode::Binary, mask, payload_len }
    }

    #[test]
    fn a_header_reads_back_as_it_was_written_at_every_change_of_its_length() {
        for payload_len in [0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, u64::MAX >> 1] {
            for (mask, role) in [(None, Role::Client), (Some([1, 2, 3, 4]), Role::Server)] {
                let header = header(payload_len, mask);
                let bytes = header.encode();
                assert_eq!(Header::parse(&bytes, role), Ok(Some((header, bytes.len()))));
                for len in 0..bytes.len() {
                    assert_eq!(Header::parse(&bytes[..len], role), Ok(None), "{len}");
                }
            }
        }
    }

    #[test]
    fn lengths_take_the_fewest_bytes() {
        for (payload_len, expected) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            assert_eq!(header(payload_len, None).encode().len(), expected);
            assert_eq!(header(payload_len, Some([0; 4])).encode().len(), expected + 4);
        }
    }

    #[test]
    fn a_length_in_more_bytes_than_it_needs_is_refused() {
        for (bytes, len) in [
            (&[0x82, 126, 0, 125][..], 125),
            (&[0x82, 126, 0, 0], 0),
            (&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], 65_535),
        ] {
            let refused = Err(ViolationKind::LengthNotMinimal(len));
            assert_eq!(Header::parse(bytes, Role::Client), refused);
        }
    }

    #[test]
    fn a_length_with_its_highest_bit_is_refused() {
        let bytes = [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 1];
        let refused = Err(ViolationKind::LengthHighBit((1 << 63) + 1));
        assert_eq!(Header::parse(&bytes, Role::Client), refused);
    }

    #[test]
    fn what_is_wrong_is_refused_by_the_first_byte_that_shows_it() {
        use ViolationKind as Kind;
        for (bytes, role, kind) in [
            (&[0xa1][..], Role::Server, Kind::ReservedBits(0b010)),
            (&[0x91], Role::Server, Kind::ReservedBits(0b001)),
            (&[0xc9], Role::Server, Kind::ReservedBits(0b100)),
            (&[0x83], Role::Server, Kind::UnknownOpcode(3)),
            (&[0x8b], Role::Server, Kind::UnknownOpcode(11)),
            (&[0x09], Role::Server, Kind::FragmentedControl(Opcode::Ping)),
            (&[0x81, 0x05], Role::Server, Kind::NotMasked),
            (&[0x81, 0x85], Role::Client, Kind::Masked),
            (&[0x8a, 126], Role::Client, Kind::LongControl(Opcode::Pong)),
        ] {
            assert_eq!(Header::parse(bytes, role), Err(kind), "{bytes:x?}");
        }
    }
}
