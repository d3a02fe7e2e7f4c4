//! What is sent: standard input as messages, or what the user types.
//!
//! It outlives a connection. A message that was taken from it stays in it until it is sent, so that
//! the next connection begins with the one that the last did not get through.

use std::io::{IsTerminal as _, stderr, stdin};

use bytes::{BufMut as _, Bytes, BytesMut};
use enchufe_core::Message;
use tokio::{
    io::{AsyncReadExt as _, Stdin},
    sync::mpsc,
};

use super::{editor::Typed, framing::Unframer, replay::Replay};
use crate::{
    cli::{args::Framing, failure::Failure, output},
    limits,
};

/// Where the messages to send come from.
pub(in crate::cli) struct Input {
    source: Source,
    /// What was taken and is not sent yet.
    unsent: Option<Message>,
    /// What went wrong while nothing could be sent.
    failure: Option<Failure>,
    state: State,
}

enum Source {
    /// Standard input.
    Standard(Standard),
    /// What the user types in the editor, each line of it by the unframer.
    Typed { lines: mpsc::Receiver<Typed>, framing: Framing, kind: Kind, message_bytes_max: usize },
    /// A recording.
    Replayed(Replay),
}

struct Standard {
    stdin: Stdin,
    unframer: Unframer,
    prompt: Option<String>,
    kind: Kind,
    /// The most that is read at once.
    chunk_bytes_max: usize,
    has_ended: bool,
}

/// What becomes of the bytes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Kind {
    /// A binary message.
    Binary,
    /// A line of a stream, with its line break.
    Line,
    /// A text message when it is UTF-8, else a binary one.
    Detected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Interrupted,
}

/// One step of the input.
pub(in crate::cli) enum Step {
    /// Send this, and then say so.
    Send(Message),
    /// There is no more.
    End,
    /// The user wants to leave, now.
    Interrupted,
}

impl Input {
    /// Standard input. `prompt` asks for each message on standard error, when a person is there to
    /// type it.
    pub(in crate::cli) fn standard(
        framing: Framing,
        kind: Kind,
        prompt: Option<&str>,
        message_bytes_max: usize,
    ) -> Self {
        let is_asked = stdin().is_terminal() && stderr().is_terminal();
        let prompt = prompt.filter(|_| is_asked).map(str::to_owned);
        // A line that is typed ends as the system has it, one in a pipe or a file as it was made.
        let has_crlf = cfg!(windows) && stdin().is_terminal();
        let (framing, kind) = match (framing, &prompt) {
            // What is asked for is a line.
            (Framing::Raw, Some(_)) => (Framing::Lines, Kind::Line),
            _ => (framing, kind),
        };
        let unframer = Unframer::new(framing, has_crlf, message_bytes_max);
        let chunk_bytes_max = match framing {
            // Each chunk is a message.
            Framing::Raw => limits::CHUNK_BYTES.min(message_bytes_max),
            _ => limits::CHUNK_BYTES,
        };
        Self::new(Source::Standard(Standard {
            stdin: tokio::io::stdin(),
            unframer,
            prompt,
            kind,
            chunk_bytes_max,
            has_ended: false,
        }))
    }

    /// What the user types.
    pub(super) fn typed(
        lines: mpsc::Receiver<Typed>,
        framing: Framing,
        kind: Kind,
        message_bytes_max: usize,
    ) -> Self {
        Self::new(Source::Typed { lines, framing, kind, message_bytes_max })
    }

    /// What somebody sent once.
    pub(super) fn replayed(replay: Replay) -> Self {
        Self::new(Source::Replayed(replay))
    }

    fn new(source: Source) -> Self {
        Self { source, unsent: None, failure: None, state: State::Open }
    }

    /// The next step. A message comes again until [`Input::sent`] is called.
    ///
    /// # Errors
    ///
    /// When standard input cannot be read or cut into messages.
    ///
    /// # Cancel safety
    ///
    /// Safe: what was read is kept. A prompt may be shown again.
    pub(in crate::cli) async fn next(&mut self) -> Result<Step, Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.unsent.is_none() && self.state == State::Open {
            self.take().await?;
        }
        Ok(match (&self.unsent, self.state) {
            (Some(message), _) => Step::Send(message.clone()),
            (None, State::Interrupted) => Step::Interrupted,
            (None, _) => Step::End,
        })
    }

    async fn take(&mut self) -> Result<(), Failure> {
        match &mut self.source {
            Source::Standard(standard) => match standard.next().await? {
                Some(message) => self.unsent = Some(message),
                None => self.state = State::Ended,
            },
            Source::Replayed(replay) => match replay.next().await? {
                Some(message) => self.unsent = Some(message),
                None => self.state = State::Ended,
            },
            Source::Typed { lines, framing, kind, message_bytes_max } => match lines.recv().await {
                Some(Typed::Line(line)) => {
                    let mut unframer = Unframer::new(*framing, true, *message_bytes_max);
                    unframer.push([line.as_bytes(), b"\n"].concat().into());
                    let payload = unframer.next().map_err(Failure::Framing)?;
                    self.unsent = payload.map(|payload| kind.message(payload));
                }
                Some(Typed::Interrupted) => self.state = State::Interrupted,
                Some(Typed::End) | None => self.state = State::Ended,
            },
        }
        Ok(())
    }

    /// The next message, when all of it has been read already.
    ///
    /// # Errors
    ///
    /// As [`Input::next`].
    pub(super) fn ready(&mut self) -> Result<Option<Message>, Failure> {
        match &mut self.source {
            Source::Standard(standard) if self.unsent.is_none() => standard.ready(),
            _ => Ok(None),
        }
    }

    /// The message that [`Input::next`] gave is sent.
    pub(in crate::cli) fn sent(&mut self) {
        self.unsent = None;
    }

    /// The message that was taken and is not sent yet.
    pub(super) fn unsent(&self) -> Option<&Message> {
        self.unsent.as_ref()
    }

    /// Waits, while nothing can be sent, until the user wants to leave; for ever where nobody
    /// types. What is typed meanwhile is kept, one line of it.
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub(super) async fn left(&mut self) -> Step {
        while self.state == State::Open && self.unsent.is_none() {
            let Source::Typed { .. } = self.source else { break };
            if let Err(failure) = self.take().await {
                self.failure = Some(failure);
                break;
            }
        }
        match (self.state, &self.source) {
            (State::Interrupted, _) => Step::Interrupted,
            (State::Ended, Source::Typed { .. }) => Step::End,
            _ => std::future::pending().await,
        }
    }
}

impl Standard {
    fn ready(&mut self) -> Result<Option<Message>, Failure> {
        let payload = self.unframer.next().map_err(Failure::Framing)?;
        Ok(payload.map(|payload| self.kind.message(payload)))
    }

    async fn next(&mut self) -> Result<Option<Message>, Failure> {
        let mut is_asked = false;
        loop {
            if let Some(message) = self.ready()? {
                return Ok(Some(message));
            }
            if self.has_ended {
                return Ok(None);
            }
            if let (Some(prompt), false) = (&self.prompt, is_asked) {
                output::ask(prompt);
                is_asked = true;
            }
            let mut chunk =
                BytesMut::with_capacity(self.chunk_bytes_max).limit(self.chunk_bytes_max);
            if self.stdin.read_buf(&mut chunk).await.map_err(Failure::Input)? == 0 {
                self.has_ended = true;
                let rest = self.unframer.rest().map_err(Failure::Framing)?;
                return Ok(rest.map(|payload| self.kind.message(payload)));
            }
            self.unframer.push(chunk.into_inner().freeze());
        }
    }
}

impl Kind {
    /// The message that these bytes stand for.
    pub(in crate::cli) fn message(self, payload: Bytes) -> Message {
        match self {
            Self::Binary => Message::binary(payload),
            Self::Line => Message::binary([&payload[..], b"\n"].concat()),
            Self::Detected => Message::detect(payload),
        }
    }
}
