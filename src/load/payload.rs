//! What messages say: each another thing, so that an answer to another message is noticed.

use bytes::{BufMut as _, Bytes, BytesMut};

/// The messages of one connection, all of the same size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload {
    pub(super) size: usize,
}

/// How often the digits of a number are followed by letters, in bytes.
const PERIOD: usize = 16;
const HEX: &[u8; 16] = b"0123456789abcdef";
const LETTERS: &[u8; PERIOD - 8] = b" enchufe";

impl Payload {
    /// The message of that number: its last eight hexadecimal digits and eight letters, over and
    /// over.
    pub(super) fn message(self, number: u64) -> Bytes {
        let unit = unit(number);
        let mut message = BytesMut::with_capacity(self.size);
        while message.len() < self.size {
            let len = (self.size - message.len()).min(PERIOD);
            message.put_slice(&unit[..len]);
        }
        message.freeze()
    }

    /// Which message this is, if it is one that is long enough to say so.
    pub(super) fn number(self, message: &[u8]) -> Option<u64> {
        number(message)
            .filter(|number| message.len() == self.size && self.matches(*number, 0, message))
    }

    /// Whether `piece` is what the message of that number has from `offset` on.
    pub(super) fn matches(self, number: u64, offset: usize, piece: &[u8]) -> bool {
        let unit = unit(number);
        let expected = unit.iter().cycle().skip(offset % PERIOD);
        offset + piece.len() <= self.size
            && piece.iter().zip(expected).all(|(is, ought)| is == ought)
    }
}

/// The number that a message begins with.
fn number(message: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(message.get(..PERIOD - LETTERS.len())?).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

fn unit(number: u64) -> [u8; PERIOD] {
    let mut unit = [0; PERIOD];
    let (digits, letters) = unit.split_at_mut(PERIOD - LETTERS.len());
    for (pair, byte) in digits.chunks_exact_mut(2).zip(&number.to_be_bytes()[4..]) {
        pair.copy_from_slice(&[byte >> 4, byte & 0xf].map(|digit| HEX[usize::from(digit)]));
    }
    letters.copy_from_slice(LETTERS);
    unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_their_size_and_differ() {
        for size in [1, 7, 8, 16, 17, 64, 100] {
            let payload = Payload { size };
            let message = payload.message(0xabc);
            assert_eq!(message.len(), size);
            assert!(message.iter().all(u8::is_ascii_graphic) || size > 8);
            for cut in 0..=size {
                assert!(payload.matches(0xabc, cut, &message[cut..]), "{size} from {cut}");
            }
            let longer = [&message[..], b"x"].concat();
            assert!(!payload.matches(0xabc, 0, &longer));
        }
        assert_eq!(&Payload { size: 20 }.message(0xabc)[..], b"00000abc enchufe0000");
        assert_eq!(Payload { size: 20 }.number(b"00000abc enchufe0000"), Some(0xabc));
        assert_eq!(Payload { size: 20 }.number(b"00000abc enchufe0001"), None);
        assert_eq!(Payload { size: 7 }.number(b"00000ab"), None, "it has no room for it");
        assert!(!Payload { size: 8 }.matches(1, 0, &Payload { size: 8 }.message(2)));
    }
}
