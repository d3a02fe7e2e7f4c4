//! Where what was received is shown: exactly in a pipe, made safe on a terminal.

use std::io::{IsTerminal as _, stdout};

use enchufe_core::Message;
use tokio::io::{AsyncWriteExt as _, BufWriter, Stdout};

use super::printer::Printer;
use crate::{
    cli::{
        escape,
        output::{self, OutputError},
    },
    limits,
};

/// Where what was received is shown.
pub(super) enum Screen {
    /// A pipe or a file: the exact bytes; messages end in a line break, chunks of a stream do not.
    Exact { out: BufWriter<Stdout>, is_stream: bool },
    /// A terminal that nobody types on: the text without what would drive the terminal.
    Safe { out: BufWriter<Stdout>, is_stream: bool, text: escape::Text },
    /// A terminal with an editor: lines marked `< ` above it.
    /// `farewell` says that the peer has closed.
    Dialogue { printer: Printer, is_stream: bool, partial: Vec<u8>, farewell: String },
}

impl Screen {
    /// Standard output, whatever it is.
    pub(super) fn standard(is_stream: bool) -> Self {
        let out = BufWriter::with_capacity(limits::CHUNK_BYTES, tokio::io::stdout());
        if stdout().is_terminal() {
            Self::Safe { out, is_stream, text: escape::Text::default() }
        } else {
            Self::Exact { out, is_stream }
        }
    }

    /// A terminal with an editor on it.
    pub(super) fn dialogue(printer: Printer, is_stream: bool, farewell: String) -> Self {
        Self::Dialogue { printer, is_stream, partial: Vec::new(), farewell }
    }

    /// Shows a message, or a chunk of a stream; [`Screen::settle`] sees to it that it is seen.
    ///
    /// # Errors
    ///
    /// When standard output is closed or fails.
    pub(super) async fn show(&mut self, message: &Message) -> Result<(), OutputError> {
        match self {
            Self::Exact { out, is_stream } => {
                out.write_all(&message.payload).await?;
                end_message(out, *is_stream).await
            }
            Self::Safe { out, is_stream, text } => {
                out.write_all(text.push(&message.payload).as_bytes()).await?;
                if !*is_stream {
                    out.write_all(text.finish().as_bytes()).await?;
                }
                end_message(out, *is_stream).await
            }
            Self::Dialogue { printer, is_stream: false, .. } => {
                printer.received(&message.payload);
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

async fn end_message(out: &mut BufWriter<Stdout>, is_stream: bool) -> Result<(), OutputError> {
    if !is_stream {
        out.write_all(b"\n").await?;
    }
    Ok(())
}
