//! The messages that are published: each says which one it is, and every byte of it is known to
//! whoever reads that.

use std::{fmt, sync::LazyLock};

/// Which message it is, of all that are ever published in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) channel: u8,
    pub(crate) producer: u8,
    /// Its last two bits say what kind of payload it has.
    pub(crate) number: u32,
}

/// What a payload is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One line of text.
    Line,
    /// Text with the ends of lines that a wire form may trip over.
    Lines,
    /// No text at all.
    Bytes,
    /// A string of JSON, as batches have them.
    Json,
}

/// How much there is to take the rest of a payload from.
const FILLER_BYTES: usize = 64 << 10;

/// It, for each shape.
static FILLER: LazyLock<[Vec<u8>; 4]> = LazyLock::new(|| {
    let mut rng = fastrand::Rng::with_seed(1);
    let bytes = std::iter::repeat_with(|| rng.u8(..)).take(2 * FILLER_BYTES).collect();
    let mut letters = |some: &[char]| -> Vec<u8> {
        let mut text = String::new();
        while text.len() < 2 * FILLER_BYTES {
            text.push(some[rng.usize(..some.len())]);
        }
        text.into_bytes()
    };
    [
        letters(&['a', 'b', ' ', 'ñ', '"', '\\', ':']),
        letters(&['a', '\n', '\r', '\t', '\u{1}', '€']),
        bytes,
        letters(&['a', 'b', ' ', 'ñ', '\u{2028}']),
    ]
});

/// Some of it, as whole characters.
fn excerpt(shape: Shape, start: usize, len: usize) -> &'static [u8] {
    let filler = &FILLER[shape as usize];
    let goes_on = |at: usize| shape != Shape::Bytes && filler[at] & 0xc0 == 0x80;
    let whole = |at: usize| (at..).find(|at| !goes_on(*at)).expect("characters end");
    &filler[whole(start)..whole(start + len)]
}

/// The first byte of what is no text.
const NO_TEXT: u8 = 0xff;

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.channel, self.producer, self.number)
    }
}

impl Id {
    pub(crate) fn shape(self) -> Shape {
        [Shape::Line, Shape::Lines, Shape::Bytes, Shape::Json][(self.number & 3) as usize]
    }

    /// The next number after `counter` for a payload of this shape.
    pub(crate) fn number(counter: u32, shape: Shape) -> u32 {
        counter * 4 + shape as u32
    }

    /// All of its bytes.
    pub(crate) fn payload(self) -> Vec<u8> {
        let seed = (u64::from(self.channel) << 40 | u64::from(self.producer) << 32)
            + u64::from(self.number);
        let mut rng = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let filler = match rng.u32(..100) {
            0..60 => rng.usize(0..200),
            60..97 => rng.usize(500..4_000),
            _ => rng.usize(20_000..60_000),
        };
        let mut payload = Vec::with_capacity(filler + 40);
        payload.extend_from_slice(match self.shape() {
            Shape::Line | Shape::Lines => b"",
            Shape::Bytes => &[NO_TEXT],
            Shape::Json => b"\"",
        });
        payload.extend_from_slice(format!("{self}:").as_bytes());
        payload.extend_from_slice(excerpt(self.shape(), rng.usize(..FILLER_BYTES), filler));
        if self.shape() == Shape::Json {
            payload.push(b'"');
        }
        payload
    }

    /// The message that these bytes are, if they are one to the last byte.
    pub(crate) fn of(payload: &[u8], is_text: bool) -> Result<Self, String> {
        let strange = || {
            let start = String::from_utf8_lossy(&payload[..payload.len().min(40)]).into_owned();
            format!("{} bytes that nobody published: {start:?}", payload.len())
        };
        let id = Self::named(payload).ok_or_else(strange)?;
        if is_text == (id.shape() == Shape::Bytes) {
            return Err(format!("{id} came as the other kind of message"));
        }
        if id.payload() != payload {
            return Err(format!("{id} was altered"));
        }
        Ok(id)
    }

    fn named(payload: &[u8]) -> Option<Self> {
        let payload = payload.strip_prefix(&[NO_TEXT]).unwrap_or(payload);
        let payload = payload.strip_prefix(b"\"").unwrap_or(payload);
        let end = payload.iter().take(30).position(|byte| *byte == b':')?;
        let mut parts = std::str::from_utf8(&payload[..end]).ok()?.split('.');
        let id = Self {
            channel: parts.next()?.parse().ok()?,
            producer: parts.next()?.parse().ok()?,
            number: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(id)
    }
}

#[test]
fn a_message_is_known_by_all_of_its_bytes() {
    for counter in 0..200 {
        for shape in [Shape::Line, Shape::Lines, Shape::Bytes, Shape::Json] {
            let id = Id { channel: 1, producer: 2, number: Id::number(counter, shape) };
            let (mut payload, is_text) = (id.payload(), shape != Shape::Bytes);
            assert_eq!(std::str::from_utf8(&payload).is_ok(), is_text);
            assert_eq!(Id::of(&payload, is_text), Ok(id));
            assert!(Id::of(&payload, !is_text).is_err());
            *payload.last_mut().expect("it has a name") ^= 1;
            assert!(Id::of(&payload, is_text).is_err());
        }
    }
}
