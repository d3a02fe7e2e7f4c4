//! Where what was received is shown: exactly in a pipe, made safe on a terminal.

use std::io::{IsTerminal as _, stdout};

use enchufe_core::Message;
use tokio::io::{AsyncWriteExt as _, BufWriter, Stdout};

use super::printer::Printer;
use crate::{
    cli::{
        args::Framing,
        escape,
        output::{self, OutputError},
    },
    limits,
};

/// Where what was received is shown.
pub(super) enum Screen {
    /// A pipe or a file: the exact bytes, framed.
    Exact { out: BufWriter<Stdout>, framing: Framing },
    /// A terminal that nobody types on: the text without what would drive the terminal. Messages
    /// end in a line break, chunks of a stream do not.
    Safe { out: BufWriter<Stdout>, framing: Framing, text: escape::Text },
    /// A terminal with an editor: lines marked `< ` above it.
    /// `farewell` says that the peer has closed.
    Dialogue { printer: Printer, framing: Framing, partial: Vec<u8>, farewell: String },
}

impl Screen {
    /// Standard output, whatever it is.
    pub(super) fn standard(framing: Framing) -> Self {
        let out = BufWriter::with_capacity(limits::CHUNK_BYTES, tokio::io::stdout());
        if stdout().is_terminal() {
            Self::Safe { out, framing, text: escape::Text::default() }
        } else {
            Self::Exact { out, framing }
        }
    }

    /// A terminal with an editor on it.
    pub(super) fn dialogue(printer: Printer, framing: Framing, farewell: String) -> Self {
        Self::Dialogue { printer, framing, partial: Vec::new(), farewell }
    }

    /// Shows a message, or a chunk of a stream; [`Screen::settle`] sees to it that it is seen.
    ///
    /// # Errors
    ///
    /// When standard output is closed or fails.
    pub(super) async fn show(&mut self, message: &Message) -> Result<(), OutputError> {
        match self {
            Self::Exact { out, framing: Framing::Raw } => {
                Ok(out.write_all(&message.payload).await?)
            }
            Self::Exact { out, framing } => {
                let mut framed = Vec::with_capacity(message.payload.len() + 4);
                framing.frame(&message.payload, &mut framed);
                Ok(out.write_all(&framed).await?)
            }
            Self::Safe { out, framing: Framing::Raw, text } => {
                Ok(out.write_all(text.push(&message.payload).as_bytes()).await?)
            }
            Self::Safe { out, framing, .. } => {
                out.write_all(escape::text(&shown(*framing, &message.payload)).as_bytes()).await?;
                Ok(out.write_all(b"\n").await?)
            }
            Self::Dialogue { printer, framing, .. } if *framing != Framing::Raw => {
                printer.received(&shown(*framing, &message.payload));
                Ok(())
            }
            Self::Dialogue { printer, partial, .. } => {
                partial.extend_from_slice(&message.payload);
                let whole = partial.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                if whole > 0 {
                    printer.received(&partial[..whole - 1]);
                    partial.drain(..whole);
                } else if partial.len() >= limits::CHUNK_BYTES {
                    printer.received(partial);
                    partial.clear();
                }
                Ok(())
            }
        }
    }

    /// Whether something was shown that the reader of standard output cannot have yet.
    pub(super) fn is_dirty(&self) -> bool {
        match self {
            Self::Exact { out, .. } | Self::Safe { out, .. } => !out.buffer().is_empty(),
            Self::Dialogue { .. } => false,
        }
    }

    /// Hands on what was shown. To be called when nothing more is waiting to be shown: one write
    /// for many messages is what makes a fast feed fast.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost or written twice.
    pub(super) async fn settle(&mut self) -> Result<(), OutputError> {
        match self {
            Self::Exact { out, .. } | Self::Safe { out, .. } => Ok(out.flush().await?),
            Self::Dialogue { .. } => Ok(()),
        }
    }

    /// Whether part of a line waits for the rest: a question without a line break, perhaps.
    pub(super) fn has_partial_line(&self) -> bool {
        matches!(self, Self::Dialogue { partial, .. } if !partial.is_empty())
    }

    /// Shows the part of a line whose rest has not come.
    ///
    /// # Errors
    ///
    /// When standard output is closed or fails.
    pub(super) async fn flush(&mut self) -> Result<(), OutputError> {
        match self {
            Self::Exact { out, .. } => out.flush().await?,
            Self::Safe { out, text, .. } => {
                out.write_all(text.finish().as_bytes()).await?;
                out.flush().await?;
            }
            Self::Dialogue { printer, partial, .. } => {
                if !partial.is_empty() {
                    printer.received(partial);
                    partial.clear();
                }
            }
        }
        Ok(())
    }

    /// Says something that did not come from the peer, in one line: above the editor, else on
    /// standard error.
    pub(super) fn say(&mut self, line: &str) {
        let line = escape::line(line.as_bytes());
        match self {
            Self::Dialogue { printer, .. } => printer.said(&line),
            Self::Exact { .. } | Self::Safe { .. } => output::notice(&line),
        }
    }

    /// Tells a person that the peer has closed. Programs see the end of our output.
    pub(super) fn peer_closed(&self) {
        if let Self::Dialogue { farewell, .. } = self {
            output::notice(farewell);
        }
    }

    /// The terminal as it was before. Later calls do nothing.
    pub(super) fn restore(&mut self) {
        if let Self::Dialogue { printer, .. } = self {
            printer.restore();
        }
    }
}

/// A message as a person is to see it, before it is made safe.
fn shown(framing: Framing, payload: &[u8]) -> Vec<u8> {
    let mut shown = Vec::new();
    match framing {
        Framing::Base64 => framing.frame(payload, &mut shown),
        _ => return payload.to_vec(),
    }
    shown.truncate(shown.trim_ascii_end().len());
    shown
}
