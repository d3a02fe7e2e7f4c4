//! `enchufe connect`: standard input goes to the peer, what comes back to standard output.
//!
//! Between pipes it is exact: what came back and nothing else. On a terminal it is a
//! conversation: a line editor below, what was received above it.

mod editor;
mod framing;
mod input;
mod printer;
mod retry;
mod screen;
mod sender;
mod session;
mod talk;

use std::io::{self, IsTerminal as _};

use enchufe_core::ws::{CloseCode, CloseReason, deflate::Offer};

use self::{
    editor::Editor,
    input::{Input, Kind},
    retry::Backoff,
    screen::Screen,
    session::Session,
    talk::Ending,
};
pub(super) use self::{framing::FramingError, retry::position};
use super::{
    args::{self, Framing},
    catalogue::{Phrase, TlsPhrase},
    exit_code::Exit,
    failure::Failure,
    language::Language,
    output, signals,
    usage::misplaced,
};
use crate::{
    address::Address,
    limits,
    transport::{Connection, OpenOptions},
};

/// Connects, talks and ends as the peer, the input or the user wants.
pub(super) async fn run(args: args::Connect, language: Language) -> Result<Exit, Failure> {
    let mut stop = signals::Stop::new().map_err(Failure::System)?;
    let address = Address::parse_connect(&args.address)?;
    if address == Address::Stdio {
        return Err(Failure::ConnectToStdio);
    }
    args.check(&address)?;
    if args.insecure {
        let shown = address.to_string();
        output::warn(language, Phrase::Tls(TlsPhrase::Insecure(&shown)));
    }
    let session = Session {
        options: args.options(),
        address,
        backoff: args.reconnect.then(|| Backoff::new(args.reconnect_max)),
        args,
        language,
    };
    session.run(&mut stop).await
}

const COMMAND: &str = "enchufe connect";

impl args::Connect {
    /// What clap cannot know: flags of WebSocket without one, and bounds on messages that are none.
    fn check(&self, address: &Address) -> Result<(), Failure> {
        let (is_ws, is_secure) = (address.is_ws(), address.is_secure());
        let is_stream = address.is_stream();
        let is_framed = !matches!(self.framing, None | Some(Framing::Raw));
        let flags = [
            (self.reconnect, "--reconnect", is_ws),
            (!self.header.is_empty(), "--header", is_ws),
            (self.origin.is_some(), "--origin", is_ws),
            (!self.protocol.is_empty(), "--protocol", is_ws),
            (self.compress, "--compress", is_ws),
            (self.binary, "--binary", is_ws),
            (self.ping_interval.is_some(), "--ping-interval", is_ws),
            (self.close.is_some(), "--close", is_ws),
            (!self.ca.is_empty(), "--ca", is_secure),
            (self.insecure, "--insecure", is_secure),
            (self.max_message.is_some(), "--max-message", !is_stream || is_framed),
        ];
        let is_idle = |(is_given, _, has_meaning): &&(bool, _, bool)| *is_given && !has_meaning;
        if let Some((_, flag, _)) = flags.iter().find(is_idle) {
            return Err(misplaced(flag, &self.address, COMMAND));
        }
        self.sockets.check(std::slice::from_ref(address), &self.address, COMMAND)?;
        self.opening.check(&self.sockets, address, &self.address, COMMAND)
    }

    fn options(&self) -> OpenOptions {
        let mut options = self.sockets.to_open(&self.opening);
        options.ws.origin.clone_from(&self.origin);
        options.ws.protocols.clone_from(&self.protocol);
        options.ws.headers.clone_from(&self.header);
        options.ws.deflate = self.compress.then(Offer::default);
        options.ws.message_bytes_max = self.message_bytes_max();
        options.tls.ca.clone_from(&self.ca);
        options.tls.insecure = self.insecure;
        if let Some(interval) = self.ping_interval {
            options.ws.keepalive = interval.0;
        }
        options
    }

    fn message_bytes_max(&self) -> usize {
        self.max_message.unwrap_or(limits::MESSAGE_BYTES_MAX)
    }

    /// How the messages of this connection stand in input and output.
    fn framing(&self, is_stream: bool) -> Framing {
        self.framing.unwrap_or(if is_stream { Framing::Raw } else { Framing::Lines })
    }

    fn goodbye(&self) -> CloseReason {
        let normal = || CloseReason::new(CloseCode::NORMAL, "");
        self.close.clone().unwrap_or_else(normal)
    }
}

/// The two sides that face the user, and how the talk between them ends.
struct Face {
    input: Input,
    screen: Screen,
    ending: Ending,
    /// What becomes of an opening message.
    kind: Kind,
}

impl Face {
    /// To be called once the connection stands: an editor for one that does not would only get in
    /// the way of the error.
    fn new(
        args: &args::Connect,
        address: &Address,
        connection: &Connection,
        language: Language,
    ) -> Result<Self, Failure> {
        let is_stream = connection.is_stream();
        let framing = args.framing(is_stream);
        let is_raw_stream = is_stream && matches!(framing, Framing::Raw | Framing::Base64);
        let message_bytes_max = args.message_bytes_max();
        let is_dialogue = io::stdin().is_terminal() && io::stdout().is_terminal();
        // A line that is typed, or given as an opening message, is a message of its own.
        let typed = if framing == Framing::Base64 { framing } else { Framing::Lines };
        let kind = match is_stream {
            true if is_raw_stream && framing == Framing::Raw => Kind::Line,
            true => Kind::Binary,
            false if args.binary || typed == Framing::Base64 => Kind::Binary,
            false => Kind::Detected,
        };
        let (input, screen) = if is_dialogue {
            output::notice(&language.say(Phrase::ConnectedTo(&address.to_string())));
            let (lines, printer) = Editor::open(args.prompt.as_deref())?;
            let shown = if is_raw_stream { framing } else { typed };
            let farewell = language.say(Phrase::PeerClosed);
            (
                Input::typed(lines, typed, kind, message_bytes_max),
                Screen::dialogue(printer, shown, farewell),
            )
        } else {
            let read = match is_stream || args.binary || !framing.may_be_text() {
                true => Kind::Binary,
                false => Kind::Detected,
            };
            let prompt = args.prompt.as_deref();
            // Chunks of a stream are no messages.
            let is_unbounded = is_stream && framing == Framing::Raw;
            let bytes_max = if is_unbounded { usize::MAX } else { message_bytes_max };
            (Input::standard(framing, read, prompt, bytes_max), Screen::standard(framing))
        };
        let ending = Ending {
            wait: args.wait,
            count: args.count,
            counts_lines: is_raw_stream,
            keep_open: args.keep_open,
            is_stream,
            is_dialogue,
            has_goodbye: address.is_ws(),
        };
        // An opening message is text also where the input is in Base64.
        let kind = if !is_stream && !args.binary { Kind::Detected } else { kind };
        Ok(Self { input, screen, ending, kind })
    }
}
