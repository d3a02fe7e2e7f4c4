//! What is sent: standard input as messages, or what the user types.

use bytes::Bytes;
use enchufe_core::Message;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Stdin},
    sync::mpsc,
};

use super::editor::Typed;
use crate::{
    cli::{failure::Failure, output},
    limits,
};

/// Where the messages to send come from.
pub(super) enum Input {
    /// To a stream, bytes as they are.
    Bytes(Stdin),
    /// To a transport of messages, each line as one.
    Lines { reader: BufReader<Stdin>, prompt: Option<String>, is_stream: bool },
    /// What the user types in the editor.
    Typed(mpsc::Receiver<Typed>),
}

/// One step of the input.
pub(super) enum Step {
    /// Send this.
    Send(Message),
    /// There is no more.
    End,
    /// The user wants to leave, now.
    Interrupted,
}

impl Input {
    /// Standard input. `prompt` asks for each line on standard error, when a person is there to
    /// type it.
    pub(super) fn standard(is_stream: bool, prompt: Option<&str>) -> Self {
        use std::io::{IsTerminal as _, stderr, stdin};
        let is_asked = stdin().is_terminal() && stderr().is_terminal();
        let prompt = prompt.filter(|_| is_asked).map(str::to_owned);
        match (is_stream, &prompt) {
            (true, None) => Self::Bytes(tokio::io::stdin()),
            _ => Self::Lines { reader: BufReader::new(tokio::io::stdin()), prompt, is_stream },
        }
    }

    /// The next step. Not cancel-safe: a part of a line would be lost.
    ///
    /// # Errors
    ///
    /// When standard input cannot be read, or a line is too long for a message.
    pub(super) async fn next(&mut self) -> Result<Step, Failure> {
        match self {
            Self::Bytes(stdin) => {
                let mut chunk = vec![0; limits::CHUNK_BYTES];
                let len = stdin.read(&mut chunk).await.map_err(Failure::Input)?;
                chunk.truncate(len);
                Ok(if len == 0 { Step::End } else { Step::Send(Message::binary(chunk)) })
            }
            Self::Lines { reader, prompt, is_stream } => {
                if let Some(prompt) = prompt {
                    output::ask(prompt);
                }
                let line = read_line(reader, limits::LINE_BYTES_MAX).await?;
                Ok(match line {
                    None => Step::End,
                    Some(mut line) if *is_stream => {
                        line.push(b'\n');
                        Step::Send(Message::binary(line))
                    }
                    Some(line) => Step::Send(Message::detect(Bytes::from(line))),
                })
            }
            Self::Typed(lines) => Ok(match lines.recv().await {
                Some(Typed::Message(message)) => Step::Send(message),
                Some(Typed::Interrupted) => Step::Interrupted,
                Some(Typed::End) | None => Step::End,
            }),
        }
    }
}

/// One line without its line break (`\n` or `\r\n`), or `None` at the end. What follows the last
/// line break is a line too, unless it is nothing.
async fn read_line(
    reader: &mut (impl tokio::io::AsyncBufRead + Unpin),
    bytes_max: usize,
) -> Result<Option<Vec<u8>>, Failure> {
    let mut line = Vec::new();
    // Two more than the longest line, so that its line break fits, and one to see that it is over.
    let bound = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(3);
    reader.take(bound).read_until(b'\n', &mut line).await.map_err(Failure::Input)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    if line.len() > bytes_max {
        return Err(Failure::LineTooLong { bytes_max });
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(mut input: &[u8], bytes_max: usize) -> Result<Vec<String>, Failure> {
        let mut lines = Vec::new();
        while let Some(line) = read_line(&mut input, bytes_max).await? {
            lines.push(String::from_utf8(line).expect("text"));
        }
        Ok(lines)
    }

    #[tokio::test]
    async fn each_line_is_a_message_and_the_last_needs_no_line_break() {
        assert_eq!(lines(b"uno\r\n\ndos", 10).await.expect("short lines"), ["uno", "", "dos"]);
        assert_eq!(lines(b"uno\n", 10).await.expect("short lines"), ["uno"]);
        assert!(lines(b"", 10).await.expect("no lines").is_empty());
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_for_a_message_is_refused() {
        assert_eq!(lines(b"12345\n12345\r\n12345", 5).await.expect("they fit").len(), 3);
        for input in [&b"123456"[..], b"123456\n", b"123456\r\n", b"123456789012345"] {
            let result = lines(input, 5).await;
            assert!(matches!(result, Err(Failure::LineTooLong { bytes_max: 5 })), "{result:?}");
        }
    }
}
