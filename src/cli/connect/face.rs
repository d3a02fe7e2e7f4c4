//! The sides that face the user: what is sent, what is shown, what is expected, and when it is
//! over.

use std::io::{self, IsTerminal as _};

use super::{
    editor::Editor,
    ending::Ending,
    expect::Expectations,
    form::{Form, Style},
    input::{Input, Kind},
    meter::Meter,
    replay::{Replay, Track},
    screen::Screen,
};
use crate::{
    address::Address,
    cli::{
        args::{self, Framing},
        catalogue::Phrase,
        failure::Failure,
        language::Language,
        output,
        values::Speed,
    },
    limits,
    transport::Connection,
};

/// The sides that face the user, and how the talk between them and the peer ends.
pub(super) struct Face {
    pub(super) input: Input,
    pub(super) screen: Screen,
    pub(super) expected: Expectations,
    pub(super) ending: Ending,
    /// What becomes of an opening message.
    pub(super) kind: Kind,
}

/// What the connection makes of messages.
#[derive(Debug, Clone, Copy)]
struct Messages {
    is_stream: bool,
    framing: Framing,
    /// Chunks of a stream, which are no messages.
    are_chunks: bool,
    bytes_max: usize,
}

impl Face {
    /// To be called once the connection stands: an editor for one that does not would only get in
    /// the way of the error.
    pub(super) fn new(
        args: &args::Connect,
        track: Option<Track>,
        address: &Address,
        connection: &Connection,
        language: Language,
    ) -> Result<Self, Failure> {
        let is_stream = connection.is_stream();
        let framing = args.framing(is_stream);
        let are_chunks = is_stream && matches!(framing, Framing::Raw | Framing::Base64);
        let bytes_max = args.message_bytes_max();
        let messages = Messages { is_stream, framing, are_chunks, bytes_max };
        let is_dialogue =
            track.is_none() && io::stdin().is_terminal() && io::stdout().is_terminal();
        let (input, screen) = if is_dialogue {
            output::notice(&language.say(Phrase::ConnectedTo(&address.redacted())));
            messages.typed(args, language)?
        } else {
            (messages.input(args, track)?, messages.output(args, language))
        };
        let ending = Ending {
            wait: args.wait,
            count: args.count,
            counts_lines: are_chunks,
            keep_open: args.keep_open,
            is_stream,
            is_dialogue,
            is_replay: track.is_some(),
            wants_reply: !is_dialogue && track.is_none_or(|track| track.has_replies),
            has_goodbye: address.is_ws(),
        };
        let within = args.within.unwrap_or(limits::EXPECT_TIMEOUT);
        let expected = Expectations::new(args.expect.clone(), within);
        Ok(Self { input, screen, expected, ending, kind: messages.opening(args) })
    }
}

impl Messages {
    /// Standard input, or a recording.
    fn input(self, args: &args::Connect, track: Option<Track>) -> Result<Input, Failure> {
        // Chunks of a stream may be of any length.
        let is_unbounded = self.is_stream && self.framing == Framing::Raw;
        let bytes_max = if is_unbounded { usize::MAX } else { self.bytes_max };
        let kind = match self.is_stream || args.binary || !self.framing.may_be_text() {
            true => Kind::Binary,
            false => Kind::Detected,
        };
        if let (Some(track), Some(path)) = (track, &args.replay) {
            let speed = args.speed.unwrap_or(Speed(Some(1.0)));
            let replay = Replay::new(path.clone(), track, speed, kind, bytes_max)?;
            return Ok(Input::replayed(replay));
        }
        Ok(Input::standard(self.framing, kind, args.prompt.as_deref(), bytes_max))
    }

    /// Standard output, and how it goes when nothing else is on the terminal.
    fn output(self, args: &args::Connect, language: Language) -> Screen {
        let is_terminal =
            [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()];
        let is_metered = is_terminal == [false, false, true];
        Screen::standard(self.form(args, self.framing), is_metered.then(|| Meter::new(language)))
    }

    /// An editor, and what is received above it.
    fn typed(self, args: &args::Connect, language: Language) -> Result<(Input, Screen), Failure> {
        let (lines, printer) = Editor::open(args.prompt.as_deref())?;
        let typed = self.framing_typed();
        let kind = match self.is_stream {
            true if self.framing == Framing::Raw => Kind::Line,
            true => Kind::Binary,
            false if args.binary || typed == Framing::Base64 => Kind::Binary,
            false => Kind::Detected,
        };
        let shown = if self.are_chunks { self.framing } else { typed };
        let farewell = language.say(Phrase::PeerClosed);
        Ok((
            Input::typed(lines, typed, kind, self.bytes_max),
            Screen::dialogue(printer, self.form(args, shown), farewell),
        ))
    }

    /// A line that is typed, or given as an opening message, is a message of its own.
    fn framing_typed(self) -> Framing {
        if self.framing == Framing::Base64 { self.framing } else { Framing::Lines }
    }

    /// What becomes of an opening message, which is text also where the input is in Base64.
    fn opening(self, args: &args::Connect) -> Kind {
        match self.is_stream {
            false if !args.binary => Kind::Detected,
            true if self.framing == Framing::Raw => Kind::Line,
            _ => Kind::Binary,
        }
    }

    fn form(self, args: &args::Connect, framing: Framing) -> Form {
        let style = match (args.hex, args.json) {
            (true, _) => Style::Hex,
            (_, true) => Style::Json,
            _ => Style::Plain,
        };
        Form::new(framing, style, args.timestamps, self.is_stream)
    }
}
