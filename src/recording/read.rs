//! Reading a recording, line by line.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
};

use super::{
    Entry, Header, VERSION,
    line::{First, Line, NotFirst},
};
use crate::limits::RECORDING_LINE_BYTES_MAX;

/// Why a recording, or the rest of one, cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The first line is not that of a recording.
    #[error("it is no recording: its first line is not that of one")]
    NotARecording,
    /// It was written by a later program.
    #[error("it is a recording of version {version}; this program reads version {VERSION}")]
    Version {
        /// What the first line says.
        version: u32,
    },
    /// A line is none of a recording.
    #[error("line {line} is not as in a recording: {why}")]
    BadLine {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A line is longer than any that is written.
    #[error("line {line} is longer than {bytes_max} bytes")]
    TooLong {
        /// Counted from 1.
        line: u64,
        /// The longest line, in bytes.
        bytes_max: usize,
    },
    /// The file ends within a line: whoever wrote it was stopped, or the disk was full. The lines
    /// before are good.
    #[error("the recording was cut short in line {line}")]
    CutShort {
        /// Counted from 1.
        line: u64,
    },
    /// What the system said.
    #[error("{0}")]
    Io(io::Error),
}

/// Yields the entries of a recording in their order. It ends after the first error.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    header: Header,
    /// The number of the last line that was read.
    line: u64,
    buffer: Vec<u8>,
    has_ended: bool,
}

impl Reader<BufReader<File>> {
    /// Opens a file. It blocks, and so does reading.
    ///
    /// # Errors
    ///
    /// When there is none, or it is no recording.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Self::new(BufReader::new(File::open(path).map_err(ReadError::Io)?))
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    ///
    /// When it is not that of a recording.
    pub fn new(mut input: R) -> Result<Self, ReadError> {
        let mut buffer = Vec::new();
        let header = match read_line(&mut input, &mut buffer, 1) {
            Ok(true) => first(&buffer)?,
            // What is that long, or ends within its first line, is anything but a recording.
            Ok(false) | Err(ReadError::TooLong { .. }) => return Err(ReadError::NotARecording),
            Err(error) => return Err(error),
        };
        Ok(Self { input, header, line: 1, buffer, has_ended: false })
    }

    /// What the first line says.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn read(&mut self) -> Result<Option<Entry>, ReadError> {
        let line = self.line + 1;
        if !read_line(&mut self.input, &mut self.buffer, line)? {
            return Ok(None);
        }
        self.line = line;
        let is_whole = self.buffer.last() == Some(&b'\n');
        let bad = |why: String| match is_whole {
            true => ReadError::BadLine { line, why },
            false => ReadError::CutShort { line },
        };
        let parsed: Line<'_> = serde_json::from_slice(&self.buffer)
            .map_err(|error| bad(format!("{}, column {}", what(&error), error.column())))?;
        parsed.entry().map(Some).map_err(|why| bad(why.to_owned()))
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let entry = self.read().transpose();
        self.has_ended = !matches!(entry, Some(Ok(_)));
        entry
    }
}

/// Reads a line with its ending, if it has one. False at the end.
fn read_line(input: &mut impl BufRead, buffer: &mut Vec<u8>, line: u64) -> Result<bool, ReadError> {
    buffer.clear();
    let bytes_max = RECORDING_LINE_BYTES_MAX;
    let room = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    input.take(room).read_until(b'\n', buffer).map_err(ReadError::Io)?;
    match buffer.len() > bytes_max {
        true => Err(ReadError::TooLong { line, bytes_max }),
        false => Ok(!buffer.is_empty()),
    }
}

fn first(line: &[u8]) -> Result<Header, ReadError> {
    let first: First<'_> = serde_json::from_slice(line).map_err(|_| ReadError::NotARecording)?;
    first.try_into().map_err(|error| match error {
        NotFirst::Other => ReadError::NotARecording,
        NotFirst::Version(version) => ReadError::Version { version },
    })
}

/// What serde says, without the place, which would be that within the line.
fn what(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}
