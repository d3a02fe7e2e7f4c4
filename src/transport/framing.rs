//! A stream of bytes as messages, and back: how a message is told from the next one.
//!
//! A [`Cutter`] takes chunks as they come, wherever they were cut, and yields whole messages; it
//! does no I/O, so that sockets and standard input share it.

use bytes::{Buf as _, Bytes, BytesMut};

/// How the bytes of a stream become messages. Transports that have messages of their own keep
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Framing {
    /// A message is whatever one read yields, and what is sent is sent as it is.
    #[default]
    Raw,
    /// A message is a line as people and their programs send it: without its `\n` or `\r\n`, and
    /// `\n` is sent after each. The last line needs no ending.
    Lines,
    /// A message is a line without its `\n`; a `\r` before that is part of the message. `\n` is
    /// sent after each. The last line needs no ending.
    LineFeed,
    /// A message ends with a byte of 0, and one is sent after each. The last one needs none.
    Nul,
    /// Before each message stands its length in bytes, as four bytes, the highest first.
    Length,
}

/// The bytes of a length prefix.
const PREFIX_BYTES: usize = 4;

impl Framing {
    /// What stands before and after a message of so many bytes; `None` when no prefix can say as
    /// much.
    pub(crate) fn around(self, bytes: usize) -> Option<(Bytes, &'static [u8])> {
        Some(match self {
            Self::Raw => (Bytes::new(), b""),
            Self::Lines | Self::LineFeed => (Bytes::new(), b"\n"),
            Self::Nul => (Bytes::new(), b"\0"),
            Self::Length => {
                let prefix = u32::try_from(bytes).ok()?.to_be_bytes();
                (Bytes::copy_from_slice(&prefix), b"")
            }
        })
    }
}

/// Cuts messages off the chunks it is given.
#[derive(Debug)]
pub(crate) struct Cutter {
    framing: Framing,
    pending: BytesMut,
    /// How much of `pending` is known to hold no ending.
    scanned: usize,
    bytes_max: usize,
    /// What is too long becomes several messages.
    splits: bool,
}

/// Why there is no next message. Where the one after it begins is then unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CutError {
    /// It is longer than it may be.
    #[error("a message is longer than it may be")]
    TooLong,
    /// The stream ended before the length that was announced.
    #[error("the end came {missing} bytes before the length that was announced")]
    Unfinished {
        /// So many bytes are missing.
        missing: usize,
    },
}

impl Cutter {
    /// `bytes_max` bounds a message, its ending or its prefix not counted.
    pub(crate) fn new(framing: Framing, bytes_max: usize) -> Self {
        Self { framing, pending: BytesMut::new(), scanned: 0, bytes_max, splits: false }
    }

    /// One that makes several messages of what is too long, and says so in the log, so that nothing
    /// is left out: for those whom no error would help. What announces its length cannot be split.
    pub(crate) fn splitting(framing: Framing, bytes_max: usize) -> Self {
        Self { splits: true, ..Self::new(framing, bytes_max) }
    }

    /// Where the next chunk can be read to, as if it was [pushed](Self::push), with room for so many
    /// bytes.
    pub(crate) fn room(&mut self, bytes: usize) -> &mut BytesMut {
        self.pending.reserve(bytes);
        &mut self.pending
    }

    /// How much waits for the rest of its message, in bytes.
    pub(crate) fn unfinished_bytes(&self) -> usize {
        self.pending.len()
    }

    /// Forgets what waits for the rest of its message.
    pub(crate) fn clear(&mut self) {
        (self.pending, self.scanned) = (BytesMut::new(), 0);
    }

    /// The longest message, in bytes.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Takes the next chunk. To be called once [`Cutter::next`] has given `None`, so that what is
    /// kept is at most one message and one chunk.
    pub(crate) fn push(&mut self, chunk: Bytes) {
        if self.pending.is_empty() {
            // Free when nobody else has the chunk: its messages are then cut out without a copy.
            self.pending =
                chunk.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        } else {
            self.pending.extend_from_slice(&chunk);
        }
    }

    /// The next whole message.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, CutError> {
        match self.framing {
            Framing::Raw => Ok((!self.pending.is_empty()).then(|| self.pending.split().freeze())),
            Framing::Lines => self.ended_by(b'\n', true),
            Framing::LineFeed => self.ended_by(b'\n', false),
            Framing::Nul => self.ended_by(0, false),
            Framing::Length => self.of_announced_length(),
        }
    }

    fn ended_by(&mut self, ending: u8, may_be_crlf: bool) -> Result<Option<Bytes>, CutError> {
        let bare = |message: &[u8]| match message {
            [bare @ .., b'\r'] if may_be_crlf => bare.len(),
            whole => whole.len(),
        };
        let Some(found) = memchr::memchr(ending, &self.pending[self.scanned..]) else {
            self.scanned = self.pending.len();
            // The last byte may be the first half of `\r\n`.
            let is_too_long = bare(&self.pending) > self.bytes_max;
            return match is_too_long {
                true if self.splits => Ok(Some(self.piece())),
                true => Err(CutError::TooLong),
                false => Ok(None),
            };
        };
        if self.splits && bare(&self.pending[..self.scanned + found]) > self.bytes_max {
            return Ok(Some(self.piece()));
        }
        let mut message = self.pending.split_to(self.scanned + found + 1).freeze();
        self.scanned = 0;
        message.truncate(message.len() - 1);
        message.truncate(bare(&message));
        if message.len() > self.bytes_max { Err(CutError::TooLong) } else { Ok(Some(message)) }
    }

    /// As much of what is too long as one message takes, not in the middle of a character.
    fn piece(&mut self) -> Bytes {
        tracing::warn!(limit = self.bytes_max, "a message is too long and is split");
        let is_inside = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
        let mut at = self.bytes_max;
        while at > self.bytes_max.saturating_sub(4).max(1) && is_inside(self.pending[at]) {
            at -= 1;
        }
        self.scanned = 0;
        self.pending.split_to(at).freeze()
    }

    fn of_announced_length(&mut self) -> Result<Option<Bytes>, CutError> {
        let Some(length) = self.announced() else { return Ok(None) };
        // Before any room is made for it.
        if length > self.bytes_max {
            return Err(CutError::TooLong);
        }
        if self.pending.len() - PREFIX_BYTES < length {
            return Ok(None);
        }
        self.pending.advance(PREFIX_BYTES);
        Ok(Some(self.pending.split_to(length).freeze()))
    }

    /// What the prefix says, once it is there.
    fn announced(&self) -> Option<usize> {
        let prefix = self.pending.first_chunk::<PREFIX_BYTES>()?;
        // On machines whose lengths are shorter it is too long for any bound.
        Some(usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX))
    }

    /// What is left at the end of the stream: a last message without an ending. To be called until it
    /// gives `None` where what is too long is split.
    pub(crate) fn rest(&mut self) -> Result<Option<Bytes>, CutError> {
        self.scanned = 0;
        if self.pending.is_empty() {
            return Ok(None);
        }
        if let Framing::Length = self.framing {
            let length = self.announced().unwrap_or(0);
            let whole = PREFIX_BYTES.saturating_add(length);
            return Err(CutError::Unfinished { missing: whole - self.pending.len() });
        }
        if self.splits && self.pending.len() > self.bytes_max {
            return Ok(Some(self.piece()));
        }
        let message = std::mem::take(&mut self.pending).freeze();
        if message.len() > self.bytes_max { Err(CutError::TooLong) } else { Ok(Some(message)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(framing: Framing, chunks: &[&[u8]], bytes_max: usize) -> Result<Vec<Bytes>, CutError> {
        let mut cutter = Cutter::new(framing, bytes_max);
        let mut messages = Vec::new();
        for chunk in chunks {
            cutter.push(Bytes::copy_from_slice(chunk));
            while let Some(message) = cutter.next()? {
                messages.push(message);
            }
        }
        messages.extend(cutter.rest()?);
        Ok(messages)
    }

    fn in_chunks(
        framing: Framing,
        input: &[u8],
        chunk_bytes: usize,
        bytes_max: usize,
    ) -> Result<Vec<Bytes>, CutError> {
        cut(framing, &input.chunks(chunk_bytes).collect::<Vec<_>>(), bytes_max)
    }

    #[test]
    fn both_line_endings_end_a_line_and_the_last_one_needs_none() {
        assert_eq!(
            in_chunks(Framing::Lines, b"a\r\nb\n\nc", 2, 10),
            Ok(vec!["a".into(), "b".into(), "".into(), "c".into()])
        );
    }

    #[test]
    fn a_carriage_return_alone_is_part_of_the_line() {
        let lines = in_chunks(Framing::Lines, b"a\rb\nc\r", 1, 10);
        assert_eq!(lines, Ok(vec!["a\rb".into(), "c\r".into()]));
    }

    #[test]
    fn where_a_line_ends_with_a_line_feed_a_carriage_return_before_it_is_part_of_it() {
        let lines = in_chunks(Framing::LineFeed, b"a\r\nb\n\r\n", 2, 10);
        assert_eq!(lines, Ok(vec!["a\r".into(), "b".into(), "\r".into()]));
    }

    #[test]
    fn a_zero_ends_a_message_and_line_breaks_do_not() {
        let messages = in_chunks(Framing::Nul, b"a\nb\0\0c\r", 2, 10);
        assert_eq!(messages, Ok(vec!["a\nb".into(), "".into(), "c\r".into()]));
    }

    #[test]
    fn a_line_of_the_bound_passes_and_one_byte_more_does_not() {
        for chunk_bytes in 1..8 {
            let lines = |input: &[u8]| in_chunks(Framing::Lines, input, chunk_bytes, 3);
            assert_eq!(lines(b"abc\r\n"), Ok(vec!["abc".into()]));
            assert_eq!(lines(b"abc"), Ok(vec!["abc".into()]));
            assert_eq!(lines(b"abcd\n"), Err(CutError::TooLong));
            assert_eq!(lines(b"abcd"), Err(CutError::TooLong));
            let exact = in_chunks(Framing::LineFeed, b"abc\r\n", chunk_bytes, 3);
            assert_eq!(exact, Err(CutError::TooLong));
        }
    }

    #[test]
    fn a_length_beyond_the_bound_is_refused_before_anything_of_it_comes() {
        assert_eq!(in_chunks(Framing::Length, &[0, 0, 0, 4], 1, 3), Err(CutError::TooLong));
        assert_eq!(in_chunks(Framing::Length, &[255; 4], 4, 1 << 20), Err(CutError::TooLong));
        let messages = in_chunks(Framing::Length, b"\0\0\0\x03abc\0\0\0\0", 2, 3);
        assert_eq!(messages, Ok(vec!["abc".into(), "".into()]));
    }

    #[test]
    fn a_stream_that_ends_within_a_length_or_a_message_says_what_is_missing() {
        for (input, missing) in [(&b"\0"[..], 3), (b"\0\0\0\x05", 5), (b"\0\0\0\x05ab", 3)] {
            let cut = in_chunks(Framing::Length, input, 1, 10);
            assert_eq!(cut, Err(CutError::Unfinished { missing }));
        }
    }

    /// A framing, and messages that it can carry.
    fn framed() -> impl Strategy<Value = (Framing, Vec<Vec<u8>>)> {
        let messages = |byte| prop::collection::vec(prop::collection::vec(byte, 0..20), 0..8);
        prop_oneof![
            messages(prop_oneof![0..b'\n', b'\n' + 1..=255].boxed())
                .prop_map(|messages| (Framing::LineFeed, messages)),
            messages((1..=255_u8).boxed()).prop_map(|messages| (Framing::Nul, messages)),
            messages(any::<u8>().boxed()).prop_map(|messages| (Framing::Length, messages)),
        ]
    }

    proptest! {
        #[test]
        fn what_was_framed_is_cut_into_the_same_messages_however_it_comes(
            (framing, messages) in framed(),
            chunk_bytes in prop::collection::vec(1_usize..9, 1..20),
        ) {
            let mut stream = Vec::new();
            for message in &messages {
                let (before, after) = framing.around(message.len()).expect("short messages");
                stream.extend([&before, &message[..], after].concat());
            }
            let (mut chunks, mut rest) = (Vec::new(), &stream[..]);
            for bytes in chunk_bytes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (chunk, after) = rest.split_at((*bytes).min(rest.len()));
                chunks.push(chunk);
                rest = after;
            }
            let cut = cut(framing, &chunks, 20).expect("within the bound");
            prop_assert_eq!(cut, messages);
        }

        #[test]
        fn chunks_make_no_difference(input in "[ab\r\n\0]{0,64}", chunk_bytes in 1_usize..9) {
            for framing in [Framing::Lines, Framing::LineFeed, Framing::Nul, Framing::Length] {
                let whole = in_chunks(framing, input.as_bytes(), usize::MAX, 100);
                let cut = in_chunks(framing, input.as_bytes(), chunk_bytes, 100);
                prop_assert_eq!(cut, whole);
            }
        }
    }
}
