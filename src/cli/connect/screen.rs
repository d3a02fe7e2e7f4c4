//! Where what was received is shown: exactly in a pipe, made safe on a terminal.

use std::io::{IsTerminal as _, stdout};

use enchufe_core::Message;
use tokio::io::{AsyncWriteExt as _, BufWriter, Stdout};

use super::{
    form::{Event, Form, Shaped},
    meter::Meter,
    printer::Printer,
};
use crate::{
    cli::{
        args::Framing,
        escape,
        output::{self, OutputError, Reader},
    },
    limits,
};

/// Where what was received is shown, and in which form.
pub(super) struct Screen {
    form: Form,
    out: Out,
    /// Nothing on a terminal.
    reader: Option<Reader>,
    /// Whether the reader had something to read.
    is_begun: bool,
    meter: Option<Meter>,
}

/// What the screen wants done, apart from what is received.
pub(super) enum Tended {
    /// What was shown is handed on, or cannot be.
    Settled(Result<(), OutputError>),
    /// It is time to say how it goes: [`Screen::measure`].
    Measure,
}

enum Out {
    /// A pipe or a file: the exact bytes, framed.
    Exact { out: BufWriter<Stdout> },
    /// A terminal that nobody types on: the text without what would drive the terminal. Messages
    /// end in a line break, chunks of a stream do not.
    Safe { out: BufWriter<Stdout>, text: escape::Text },
    /// A terminal with an editor: lines marked `< ` above it.
    /// `farewell` says that the peer has closed.
    Dialogue { printer: Printer, partial: Vec<u8>, farewell: String },
}

impl Screen {
    /// Standard output, whatever it is. The meter tells how it goes, where nothing else is seen.
    pub(super) fn standard(form: Form, meter: Option<Meter>) -> Self {
        let out = BufWriter::with_capacity(limits::CHUNK_BYTES, tokio::io::stdout());
        let (out, reader) = if stdout().is_terminal() {
            (Out::Safe { out, text: escape::Text::default() }, None)
        } else {
            (Out::Exact { out }, Some(Reader::of_standard_output()))
        };
        Self { form, out, reader, is_begun: false, meter }
    }

    /// A terminal with an editor on it.
    pub(super) fn dialogue(printer: Printer, form: Form, farewell: String) -> Self {
        let out = Out::Dialogue { printer, partial: Vec::new(), farewell };
        Self { form, out, reader: None, is_begun: false, meter: None }
    }

    /// Shows a message, or a chunk of a stream; [`Screen::tend`] sees to it that it is seen.
    ///
    /// # Errors
    ///
    /// When standard output is closed or fails.
    pub(super) async fn show(&mut self, message: &Message) -> Result<(), OutputError> {
        if let Some(meter) = &mut self.meter {
            meter.received(message.payload.len());
        }
        let framing = self.form.framing;
        let shaped = self.form.shape(message);
        self.is_begun = true;
        self.out.put(shaped, framing).await
    }

    /// Shows what is no message, where the form has room for that.
    ///
    /// # Errors
    ///
    /// When standard output is closed or fails.
    pub(super) async fn happen(&mut self, event: Event<'_>) -> Result<(), OutputError> {
        let Some(line) = self.form.event(event) else { return Ok(()) };
        self.out.put(Shaped::Lines(line), self.form.framing).await?;
        self.settle().await
    }

    /// Waits for what is to be done: handing on what was shown, saying how it goes, and ending when
    /// the reader of our output has gone, who had something to read or nothing to wait for: what is
    /// to be sent is sent even if nobody ever reads an answer. To be called when nothing more is
    /// waiting to be shown: one write for many messages is what makes a fast feed fast.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost or written twice.
    pub(super) async fn tend(&mut self, has_input_ended: bool) -> Tended {
        let is_read = self.is_begun || has_input_ended;
        let reader = self.reader.as_ref().filter(|_| is_read);
        let gone = async {
            match reader {
                Some(reader) => reader.gone().await,
                None => std::future::pending().await,
            }
        };
        let meter = self.meter.as_ref();
        let metered = async {
            match meter {
                Some(meter) => meter.due().await,
                None => std::future::pending().await,
            }
        };
        let is_dirty = self.out.is_dirty();
        tokio::select! {
            biased;
            settled = self.out.settle(), if is_dirty => Tended::Settled(settled),
            () = gone => Tended::Settled(Err(OutputError::Closed)),
            () = metered => Tended::Measure,
        }
    }

    /// Hands on what was shown.
    ///
    /// # Errors
    ///
    /// When standard output is closed or fails.
    pub(super) async fn settle(&mut self) -> Result<(), OutputError> {
        self.out.settle().await
    }

    /// Whether part of a line waits for the rest: a question without a line break, perhaps.
    pub(super) fn has_partial_line(&self) -> bool {
        matches!(&self.out, Out::Dialogue { partial, .. } if !partial.is_empty())
    }

    /// Shows the part of a line whose rest has not come.
    ///
    /// # Errors
    ///
    /// When standard output is closed or fails.
    pub(super) async fn flush(&mut self) -> Result<(), OutputError> {
        match &mut self.out {
            Out::Exact { out } => out.flush().await?,
            Out::Safe { out, text } => {
                out.write_all(text.finish().as_bytes()).await?;
                out.flush().await?;
            }
            Out::Dialogue { printer, partial, .. } => {
                if !partial.is_empty() {
                    printer.received(partial);
                    partial.clear();
                }
            }
        }
        Ok(())
    }

    /// Says how it goes, when so many bytes were sent.
    pub(super) fn measure(&mut self, sent_bytes: u64) {
        if let Some(meter) = &mut self.meter {
            meter.draw(sent_bytes);
        }
    }

    /// Says how it went, where it was said how it goes.
    pub(super) fn measure_last(&mut self, sent_bytes: u64) {
        if let Some(meter) = &mut self.meter {
            meter.finish(sent_bytes);
        }
    }

    /// Says something that did not come from the peer, in one line: above the editor, else on
    /// standard error.
    pub(super) fn say(&mut self, line: &str) {
        let line = escape::line(line.as_bytes());
        if let Some(meter) = &mut self.meter {
            meter.make_room();
        }
        match &mut self.out {
            Out::Dialogue { printer, .. } => printer.said(&line),
            Out::Exact { .. } | Out::Safe { .. } => output::notice(&line),
        }
    }

    /// Tells a person that the peer has closed. Programs see the end of our output.
    pub(super) fn peer_closed(&self) {
        if let Out::Dialogue { farewell, .. } = &self.out {
            output::notice(farewell);
        }
    }

    /// The terminal as it was before. Later calls do nothing.
    pub(super) fn restore(&mut self) {
        if let Out::Dialogue { printer, .. } = &mut self.out {
            printer.restore();
        }
    }
}

impl Out {
    /// Whether something was shown that the reader of standard output cannot have yet.
    fn is_dirty(&self) -> bool {
        match self {
            Self::Exact { out } | Self::Safe { out, .. } => !out.buffer().is_empty(),
            Self::Dialogue { .. } => false,
        }
    }

    /// Cancel-safe.
    async fn settle(&mut self) -> Result<(), OutputError> {
        match self {
            Self::Exact { out } | Self::Safe { out, .. } => Ok(out.flush().await?),
            Self::Dialogue { .. } => Ok(()),
        }
    }

    async fn put(&mut self, shaped: Shaped<'_>, framing: Framing) -> Result<(), OutputError> {
        match self {
            Self::Exact { out } => match shaped {
                Shaped::Part(bytes) => out.write_all(&bytes).await?,
                Shaped::Lines(lines) => out.write_all(&lines).await?,
                Shaped::Message { stamp, payload } => {
                    let mut framed = Vec::with_capacity(payload.len() + 4);
                    framed.extend(stamp.iter().flat_map(|stamp| stamp.bytes().chain([b' '])));
                    framing.frame(payload, &mut framed);
                    out.write_all(&framed).await?;
                }
            },
            Self::Safe { out, text } => match shaped {
                Shaped::Part(bytes) => out.write_all(text.push(&bytes).as_bytes()).await?,
                Shaped::Lines(lines) => out.write_all(escape::text(&lines).as_bytes()).await?,
                Shaped::Message { stamp, payload } => {
                    out.write_all(escape::text(&shown(framing, stamp, payload)).as_bytes()).await?;
                    out.write_all(b"\n").await?;
                }
            },
            Self::Dialogue { printer, partial, .. } => match shaped {
                Shaped::Part(bytes) => print_lines(printer, partial, &bytes),
                Shaped::Lines(lines) => printer.received(lines.trim_ascii_end()),
                Shaped::Message { stamp, payload } => {
                    printer.received(&shown(framing, stamp, payload));
                }
            },
        }
        Ok(())
    }
}

/// Prints the lines that are whole now, and keeps the beginning of the next.
fn print_lines(printer: &mut Printer, partial: &mut Vec<u8>, bytes: &[u8]) {
    partial.extend_from_slice(bytes);
    let whole = partial.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole > 0 {
        printer.received(&partial[..whole - 1]);
        partial.drain(..whole);
    } else if partial.len() >= limits::CHUNK_BYTES {
        printer.received(partial);
        partial.clear();
    }
}

/// A message as a person is to see it, before it is made safe.
fn shown(framing: Framing, stamp: Option<String>, payload: &[u8]) -> Vec<u8> {
    let mut shown = stamp.map_or_else(Vec::new, |stamp| format!("{stamp} ").into_bytes());
    match framing {
        Framing::Base64 => shown.extend_from_slice(Framing::in_base64(payload).as_bytes()),
        _ => shown.extend_from_slice(payload),
    }
    shown
}
