//! A stream of bytes, cut into lines.

use bytes::{Bytes, BytesMut};

/// Cuts lines off the chunks it is given. A line ends with `\n` or `\r\n`, which is not part of it.
#[derive(Debug)]
pub(super) struct Splitter {
    pending: BytesMut,
    /// How much of `pending` is known to hold no line ending.
    scanned: usize,
    bytes_max: usize,
}

/// A line is longer than it may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Splitter {
    /// `bytes_max` bounds a line, its ending not counted.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { pending: BytesMut::new(), scanned: 0, bytes_max }
    }

    /// Takes the next chunk. To be called once [`Splitter::next`] has given `None`, so that what
    /// is kept is at most one line and one chunk.
    pub(super) fn push(&mut self, chunk: Bytes) {
        if self.pending.is_empty() {
            // Free when nobody else has the chunk: its lines are then cut out without a copy.
            self.pending =
                chunk.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        } else {
            self.pending.extend_from_slice(&chunk);
        }
    }

    /// The next whole line.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, TooLong> {
        let Some(found) = memchr::memchr(b'\n', &self.pending[self.scanned..]) else {
            self.scanned = self.pending.len();
            // The last byte may be the first half of `\r\n`.
            let length = self.pending.strip_suffix(b"\r").unwrap_or(&self.pending).len();
            return if length > self.bytes_max { Err(TooLong) } else { Ok(None) };
        };
        let mut line = self.pending.split_to(self.scanned + found + 1).freeze();
        self.scanned = 0;
        line.truncate(line.len() - 1);
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        if line.len() > self.bytes_max { Err(TooLong) } else { Ok(Some(line)) }
    }

    /// What is left at the end of the stream: a last line without an ending.
    pub(super) fn rest(&mut self) -> Result<Option<Bytes>, TooLong> {
        self.scanned = 0;
        let line = std::mem::take(&mut self.pending).freeze();
        match line.len() {
            0 => Ok(None),
            bytes if bytes > self.bytes_max => Err(TooLong),
            _ => Ok(Some(line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(input: &[u8], chunk_bytes: usize, bytes_max: usize) -> Result<Vec<Bytes>, TooLong> {
        let mut splitter = Splitter::new(bytes_max);
        let mut lines = Vec::new();
        for chunk in input.chunks(chunk_bytes) {
            splitter.push(Bytes::copy_from_slice(chunk));
            while let Some(line) = splitter.next()? {
                lines.push(line);
            }
        }
        lines.extend(splitter.rest()?);
        Ok(lines)
    }

    #[test]
    fn both_line_endings_end_a_line_and_the_last_one_needs_none() {
        assert_eq!(
            split(b"a\r\nb\n\nc", 2, 10),
            Ok(vec!["a".into(), "b".into(), "".into(), "c".into()])
        );
    }

    #[test]
    fn a_carriage_return_alone_is_part_of_the_line() {
        assert_eq!(split(b"a\rb\nc\r", 1, 10), Ok(vec!["a\rb".into(), "c\r".into()]));
    }

    #[test]
    fn a_line_of_the_bound_passes_and_one_byte_more_does_not() {
        for chunk_bytes in 1..8 {
            assert_eq!(split(b"abc\r\n", chunk_bytes, 3), Ok(vec!["abc".into()]));
            assert_eq!(split(b"abc", chunk_bytes, 3), Ok(vec!["abc".into()]));
            assert_eq!(split(b"abcd\n", chunk_bytes, 3), Err(TooLong));
            assert_eq!(split(b"abcd", chunk_bytes, 3), Err(TooLong));
        }
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(input in "[ab\r\n]{0,64}", chunk_bytes in 1usize..9) {
            let whole = split(input.as_bytes(), usize::MAX, 100);
            prop_assert_eq!(split(input.as_bytes(), chunk_bytes, 100), whole);
        }
    }
}
