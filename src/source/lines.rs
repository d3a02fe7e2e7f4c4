//! Lines of a stream: standard input, or what a program prints.

use bytes::{Bytes, BytesMut};
use enchufe_core::Message;
use tokio::io::{AsyncRead, AsyncReadExt, Stdin};

use super::Source;
use crate::limits;

/// The lines of a stream, each a message: text if it is UTF-8, else binary. The line's end (`\n`
/// or `\r\n`) is left out, and the last line needs none. A line longer than
/// [`limits::MESSAGE_BYTES_MAX`] becomes several messages, with a warning in the log: nothing is
/// left out.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    buffer: BytesMut,
    /// How far the buffer is known to have no line's end.
    searched: usize,
    line_bytes_max: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    Open,
    /// The stream has ended; what is in the buffer is the last line.
    Ended,
    Broken(String),
}

impl Lines<Stdin> {
    /// The lines of this program's standard input.
    pub fn stdin() -> Self {
        Self::new(tokio::io::stdin())
    }
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// The lines of `reader`.
    pub fn new(reader: R) -> Self {
        Self::up_to(reader, limits::MESSAGE_BYTES_MAX)
    }

    /// The lines of `reader`, with another bound on a line, in bytes.
    pub fn up_to(reader: R, line_bytes_max: usize) -> Self {
        let (buffer, state) = (BytesMut::new(), State::Open);
        Self { reader, buffer, searched: 0, line_bytes_max, state }
    }

    fn buffered(&mut self) -> Option<Bytes> {
        let bare = |line: &[u8]| line.strip_suffix(b"\r").unwrap_or(line).len();
        let found = memchr::memchr(b'\n', &self.buffer[self.searched..]);
        if let Some(at) = found.map(|at| self.searched + at)
            && bare(&self.buffer[..at]) <= self.line_bytes_max
        {
            let mut line = self.buffer.split_to(at + 1);
            line.truncate(bare(&line[..at]));
            self.searched = 0;
            return Some(line.freeze());
        }
        self.searched = self.buffer.len();
        // A carriage return that comes last may belong to the line's end.
        if bare(&self.buffer) > self.line_bytes_max {
            tracing::warn!(limit = self.line_bytes_max, "a line is too long and is split");
            return Some(self.take_piece());
        }
        None
    }

    /// As much of an overlong line as one message takes, not in the middle of a character.
    fn take_piece(&mut self) -> Bytes {
        let is_inside = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
        let mut at = self.line_bytes_max;
        while at > self.line_bytes_max.saturating_sub(4).max(1) && is_inside(self.buffer[at]) {
            at -= 1;
        }
        self.searched = 0;
        self.buffer.split_to(at).freeze()
    }
}

impl<R: AsyncRead + Unpin + Send> Source for Lines<R> {
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(line) = self.buffered() {
                return Some(Message::detect(line));
            }
            if !matches!(self.state, State::Open) {
                if self.buffer.len() > self.line_bytes_max {
                    // The carriage return that came last ended no line.
                    return Some(Message::detect(self.take_piece()));
                }
                let rest = std::mem::take(&mut self.buffer).freeze();
                self.searched = 0;
                return (!rest.is_empty()).then(|| Message::detect(rest));
            }
            self.buffer.reserve(limits::READ_BYTES);
            // Cancel-safe: what was read is in the buffer, which this cursor keeps.
            match self.reader.read_buf(&mut self.buffer).await {
                Ok(0) => self.state = State::Ended,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => self.state = State::Broken(error.to_string()),
            }
        }
    }

    async fn status(&mut self) -> String {
        match &self.state {
            State::Broken(error) => format!("read error: {error}"),
            State::Open | State::Ended => "end of input".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use enchufe_core::Kind;
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    async fn all(mut lines: Lines<&[u8]>) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(message) = lines.next().await {
            all.push(message.payload.to_vec());
        }
        all
    }

    #[tokio::test]
    async fn every_line_is_a_message_and_the_last_needs_no_end() {
        for (input, expected) in [
            ("", &[] as &[&str]),
            ("a\n", &["a"]),
            ("a\nb", &["a", "b"]),
            ("a\r\n\r\n\nb\r", &["a", "", "", "b\r"]),
        ] {
            let lines = all(Lines::new(input.as_bytes())).await;
            assert_eq!(lines, expected.iter().map(|l| l.as_bytes()).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn a_line_that_is_not_text_is_binary() {
        let mut lines = Lines::new(&b"ok\n\xff\n"[..]);
        assert_eq!(lines.next().await.expect("a line").kind, Kind::Text);
        assert_eq!(lines.next().await.expect("a line").kind, Kind::Binary);
    }

    #[tokio::test]
    async fn an_overlong_line_is_split_between_characters_and_loses_nothing() {
        let input = format!("{}\nshort\n", "ñ".repeat(25));
        let mut lines = Lines::new(input.as_bytes());
        lines.line_bytes_max = 11;
        let pieces = all(lines).await;
        assert!(pieces.iter().all(|piece| piece.len() <= 11 && std::str::from_utf8(piece).is_ok()));
        assert_eq!(pieces.concat(), format!("{}short", "ñ".repeat(25)).as_bytes());
        assert_eq!(pieces.last().map(Vec::as_slice), Some(&b"short"[..]));
    }

    #[tokio::test]
    async fn a_line_of_the_bound_is_one_message_whatever_ends_it() {
        for ending in ["\n", "\r\n"] {
            for chunk_bytes in 1..16 {
                let (mut writer, reader) = duplex(chunk_bytes);
                let mut lines = Lines::new(reader);
                lines.line_bytes_max = 8;
                let input = format!("12345678{ending}next{ending}");
                let sent = tokio::spawn(async move { writer.write_all(input.as_bytes()).await });
                for expected in ["12345678", "next"] {
                    let line = lines.next().await.expect("a line");
                    assert_eq!(&line.payload[..], expected.as_bytes());
                }
                assert!(lines.next().await.is_none(), "in pieces of {chunk_bytes}");
                sent.await.expect("no panic").expect("room");
            }
        }
    }

    #[tokio::test]
    async fn a_cancelled_read_loses_nothing() {
        let (mut writer, reader) = duplex(64);
        let mut lines = Lines::new(reader);
        writer.write_all(b"half").await.expect("room");
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(20), lines.next());
        waiting.await.expect_err("the line has not ended");
        writer.write_all(b" whole\n").await.expect("room");
        let line = lines.next().await.expect("a line");
        assert_eq!(&line.payload[..], b"half whole");
    }
}
