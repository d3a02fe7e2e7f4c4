//! Lines of a stream, or messages that are told apart another way: standard input, or what a program
//! prints.

use enchufe_core::Message;
use tokio::io::{AsyncRead, AsyncReadExt, Stdin};

use super::Source;
use crate::{
    limits,
    transport::{CutError, Cutter, Framing},
};

/// The messages of a stream, lines unless told otherwise: text if they are UTF-8, else binary. A
/// line's end (`\n` or `\r\n`) is left out, and the last line needs none. A message longer than
/// [`limits::MESSAGE_BYTES_MAX`] becomes several, with a warning in the log: nothing is left out.
/// Only one that announces its length cannot be split, and ends the stream.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    cutter: Cutter,
    state: State,
}

#[derive(Debug)]
enum State {
    Open,
    /// The stream has ended; what is left is the last line.
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
        let cutter = Cutter::splitting(Framing::Lines, line_bytes_max);
        Self { reader, cutter, state: State::Open }
    }

    /// The messages of `reader`, which follow each other in another way.
    pub fn framed(reader: R, framing: Framing) -> Self {
        let cutter = Cutter::splitting(framing, limits::MESSAGE_BYTES_MAX);
        Self { reader, cutter, state: State::Open }
    }

    /// What is left once no more comes.
    fn rest(&mut self) -> Option<Message> {
        let rest = self.cutter.rest();
        rest.unwrap_or_else(|error| self.broken(&error)).map(Message::detect)
    }

    /// Where the next message begins is not known any more.
    fn broken<T>(&mut self, error: &CutError) -> Option<T> {
        tracing::warn!(%error, "what comes cannot be cut into messages");
        self.state = State::Broken(error.to_string());
        self.cutter.clear();
        None
    }
}

impl<R: AsyncRead + Unpin + Send> Source for Lines<R> {
    async fn next(&mut self) -> Option<Message> {
        loop {
            let cut = self.cutter.next();
            if let Some(message) = cut.unwrap_or_else(|error| self.broken(&error)) {
                return Some(Message::detect(message));
            }
            if !matches!(self.state, State::Open) {
                return self.rest();
            }
            // Cancel-safe: what was read is kept by the cutter.
            match self.reader.read_buf(self.cutter.room(limits::READ_BYTES)).await {
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
        let pieces = all(Lines::up_to(input.as_bytes(), 11)).await;
        assert!(pieces.iter().all(|piece| piece.len() <= 11 && std::str::from_utf8(piece).is_ok()));
        assert_eq!(pieces.concat(), format!("{}short", "ñ".repeat(25)).as_bytes());
        assert_eq!(pieces.last().map(Vec::as_slice), Some(&b"short"[..]));
    }

    #[tokio::test]
    async fn a_line_of_the_bound_is_one_message_whatever_ends_it() {
        for ending in ["\n", "\r\n"] {
            for chunk_bytes in 1..16 {
                let (mut writer, reader) = duplex(chunk_bytes);
                let mut lines = Lines::up_to(reader, 8);
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
