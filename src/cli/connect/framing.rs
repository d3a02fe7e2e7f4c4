//! How messages follow each other on standard input and output.
//!
//! Input is cut and output is framed by the same rule, so that the output of one `connect` can be
//! the input of another, whatever the messages hold.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;

use crate::{
    cli::args::Framing,
    transport::{self, CutError, Cutter},
};

/// Padding is written, and not asked for.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Framing {
    /// How a stream carries the messages.
    pub(super) fn of_stream(self) -> transport::Framing {
        match self {
            Self::Lines => transport::Framing::LineFeed,
            Self::Nul => transport::Framing::Nul,
            Self::Length => transport::Framing::Length,
            // A stream has no messages of its own.
            Self::Raw | Self::Base64 => transport::Framing::Raw,
        }
    }

    /// Whether what is sent may be text: it was written by people, or for them.
    pub(super) fn may_be_text(self) -> bool {
        match self {
            Self::Lines | Self::Nul | Self::Length => true,
            Self::Raw | Self::Base64 => false,
        }
    }

    /// A message in Base64, without a line break.
    pub(in crate::cli) fn in_base64(payload: &[u8]) -> String {
        BASE64.encode(payload)
    }

    /// Appends a message to what is to be written. What it holds is not changed: a line break
    /// within a line is the receiver's to tell from one between two.
    pub(in crate::cli) fn frame(self, payload: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Base64 => {
                out.extend_from_slice(Self::in_base64(payload).as_bytes());
                out.push(b'\n');
            }
            _ => {
                // No message is as long as to have no prefix: `--max-message` is checked for that.
                let (before, after) = self.of_stream().around(payload.len()).unwrap_or_default();
                out.extend_from_slice(&before);
                out.extend_from_slice(payload);
                out.extend_from_slice(after);
            }
        }
    }
}

/// The messages of an input, cut out of chunks that come as they like.
#[derive(Debug)]
pub(super) struct Unframer {
    cutter: Cutter,
    is_base64: bool,
    message_bytes_max: usize,
}

/// Why there is no next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FramingError {
    /// It is longer than it may be.
    TooLong { bytes_max: usize },
    /// The input ended so many bytes before the length it announced.
    Unfinished { missing: usize },
    /// The line is not Base64.
    NotBase64,
}

impl Unframer {
    /// `has_crlf` says that lines may end with `\r\n`, as those that are typed do on some systems.
    pub(super) fn new(framing: Framing, has_crlf: bool, message_bytes_max: usize) -> Self {
        let is_base64 = framing == Framing::Base64;
        let (rule, bytes_max) = match framing {
            Framing::Lines if has_crlf => (transport::Framing::Lines, message_bytes_max),
            Framing::Base64 => {
                let encoded = base64::encoded_len(message_bytes_max, true).unwrap_or(usize::MAX);
                (transport::Framing::Lines, encoded)
            }
            other => (other.of_stream(), message_bytes_max),
        };
        Self { cutter: Cutter::new(rule, bytes_max), is_base64, message_bytes_max }
    }

    /// As [`Cutter::push`].
    pub(super) fn push(&mut self, chunk: Bytes) {
        self.cutter.push(chunk);
    }

    /// The next whole message.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, FramingError> {
        let cut = self.cutter.next();
        self.decoded(cut)
    }

    /// What is left at the end.
    pub(super) fn rest(&mut self) -> Result<Option<Bytes>, FramingError> {
        let cut = self.cutter.rest();
        self.decoded(cut)
    }

    fn decoded(&self, cut: Result<Option<Bytes>, CutError>) -> Result<Option<Bytes>, FramingError> {
        let bytes_max = self.message_bytes_max;
        let message = cut.map_err(|error| match error {
            CutError::TooLong => FramingError::TooLong { bytes_max },
            CutError::Unfinished { missing } => FramingError::Unfinished { missing },
        })?;
        let Some(line) = message.as_ref().filter(|_| self.is_base64) else { return Ok(message) };
        let message = BASE64.decode(line.trim_ascii()).map_err(|_| FramingError::NotBase64)?;
        if message.len() > bytes_max {
            return Err(FramingError::TooLong { bytes_max });
        }
        Ok(Some(message.into()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(
        framing: Framing,
        input: &[u8],
        chunk_bytes: usize,
        bytes_max: usize,
    ) -> Result<Vec<Bytes>, FramingError> {
        let mut unframer = Unframer::new(framing, false, bytes_max);
        let mut messages = Vec::new();
        for chunk in input.chunks(chunk_bytes) {
            unframer.push(Bytes::copy_from_slice(chunk));
            while let Some(message) = unframer.next()? {
                messages.push(message);
            }
        }
        messages.extend(unframer.rest()?);
        Ok(messages)
    }

    #[test]
    fn a_line_loses_its_line_feed_and_nothing_else() {
        let lines = cut(Framing::Lines, b"uno\r\n\ndos", 3, 10);
        assert_eq!(lines, Ok(vec!["uno\r".into(), "".into(), "dos".into()]));
        let mut typed = Unframer::new(Framing::Lines, true, 3);
        typed.push("uno\r\n".into());
        assert_eq!(typed.next(), Ok(Some("uno".into())));
    }

    #[test]
    fn base64_may_lack_its_padding_and_end_with_a_carriage_return() {
        let messages = cut(Framing::Base64, b"/w==\r\n/w\n\nAAE=", 2, 2);
        let expected: Vec<Bytes> =
            vec![vec![255].into(), vec![255].into(), Bytes::new(), vec![0, 1].into()];
        assert_eq!(messages, Ok(expected));
        assert_eq!(cut(Framing::Base64, b"a message\n", 4, 100), Err(FramingError::NotBase64));
    }

    #[test]
    fn a_message_beyond_the_bound_is_refused_in_every_framing() {
        let too_long = Err(FramingError::TooLong { bytes_max: 4 });
        for framing in [Framing::Lines, Framing::Nul, Framing::Length, Framing::Base64] {
            let mut out = Vec::new();
            framing.frame(b"1234", &mut out);
            assert_eq!(cut(framing, &out, 3, 4), Ok(vec!["1234".into()]), "{framing:?}");
            framing.frame(b"12345", &mut out);
            assert_eq!(cut(framing, &out, 3, 4), too_long, "{framing:?}");
        }
    }

    #[test]
    fn a_message_that_was_announced_and_does_not_come_is_an_error() {
        let cut = cut(Framing::Length, b"\0\0\0\x04ab", 3, 4);
        assert_eq!(cut, Err(FramingError::Unfinished { missing: 2 }));
    }

    proptest! {
        #[test]
        fn what_one_writes_another_reads_as_the_same_messages(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
            chunk_bytes in 1_usize..50,
        ) {
            for framing in [Framing::Length, Framing::Base64, Framing::Lines, Framing::Nul] {
                let ending = match framing {
                    Framing::Lines => Some(b'\n'),
                    Framing::Nul => Some(0),
                    _ => None,
                };
                let fits = |message: &&Vec<u8>| !ending.is_some_and(|end| message.contains(&end));
                let messages: Vec<&Vec<u8>> = messages.iter().filter(fits).collect();
                let mut out = Vec::new();
                messages.iter().for_each(|message| framing.frame(message, &mut out));
                let cut = cut(framing, &out, chunk_bytes, 40).expect("within the bound");
                prop_assert_eq!(cut, messages);
            }
        }

        #[test]
        fn nothing_that_comes_in_makes_it_panic(
            input in prop::collection::vec(any::<u8>(), 0..200),
            chunk_bytes in 1_usize..50,
        ) {
            for framing in
                [Framing::Lines, Framing::Nul, Framing::Length, Framing::Raw, Framing::Base64]
            {
                let _ = cut(framing, &input, chunk_bytes, 16);
            }
        }
    }
}
