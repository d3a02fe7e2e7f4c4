//! `enchufe connect`: standard input goes to the peer, what comes back to standard output.
//!
//! Between pipes it is exact: what came back and nothing else. On a terminal it is a
//! conversation: a line editor below, what was received above it.
//!
//! [`run`] reads the flags, [`session`] connects and connects again, and the loop that sends and
//! receives is in [`talk`]. What faces the user ([`face`]) is there for all connections: what is
//! sent comes from [`input`] (typed in [`editor`], or read from a recording by [`replay`]), what is
//! received is put into a [`form`] and shown on the [`screen`], and compared by [`expect`] with what
//! is expected.

mod editor;
mod ending;
mod expect;
mod face;
mod form;
mod framing;
mod hex;
mod input;
mod meter;
mod parting;
mod printer;
mod replay;
mod retry;
mod screen;
mod sender;
mod session;
mod talk;

use enchufe_core::ws::{CloseCode, CloseReason, deflate::Offer};

pub(super) use self::{
    framing::FramingError,
    input::{Input, Kind, Step},
    retry::position,
};
use self::{replay::Contents, session::Session};
use super::{
    args::{self, Framing},
    catalogue::{Phrase, TlsPhrase},
    exit_code::Exit,
    failure::Failure,
    language::Language,
    output, program, signals,
    sockets::With,
    usage::misplaced,
};
use crate::{
    address::{Address, redacted},
    limits,
    transport::{FileEvent, FileObserver, OpenOptions},
};

const COMMAND: &str = "enchufe connect";

/// Connects, talks and ends as the peer, the input or the user wants.
pub(super) async fn run(args: args::Connect, language: Language) -> Result<Exit, Failure> {
    let mut stop = signals::Stop::new().map_err(Failure::System)?;
    let address = Address::parse_connect(&args.address)?;
    if address == Address::Stdio {
        return Err(Failure::ConnectToStdio);
    }
    args.check(&address)?;
    if args.client.insecure {
        let shown = address.redacted();
        output::warn(language, Phrase::Tls(TlsPhrase::Insecure(&shown)));
    }
    let Some(path) = &args.replay else {
        return Session::new(args, address, language).run(None, &mut stop).await;
    };
    let Contents { tracks, cut_short } = replay::contents(path, args.replay_conn).await?;
    if let Some(line) = cut_short {
        output::warn(language, Phrase::CutShort { path: &path.display().to_string(), line });
    }
    // Each on a connection of its own, one after another; the first that fails is the end.
    for track in tracks {
        let session = Session::new(args.clone(), address.clone(), language);
        let exit = session.run(Some(track), &mut stop).await?;
        if exit != Exit::Success {
            return Ok(exit);
        }
    }
    Ok(Exit::Success)
}

impl args::Connect {
    /// What clap cannot know: flags of WebSocket without one, and bounds on messages that are none.
    fn check(&self, address: &Address) -> Result<(), Failure> {
        let (is_ws, is_secure) = (address.is_ws(), address.is_secure());
        let is_stream = address.is_stream();
        let is_framed = !matches!(self.framing, None | Some(Framing::Raw));
        let flags = [
            (self.follow, "--follow", matches!(address, Address::File(_))),
            (self.pty, "--pty", matches!(address, Address::Exec(_))),
            (self.reconnect, "--reconnect", is_ws),
            (!self.client.header.is_empty(), "--header", is_ws),
            (self.client.origin.is_some(), "--origin", is_ws),
            (!self.protocol.is_empty(), "--protocol", is_ws),
            (self.compress, "--compress", is_ws),
            (self.binary, "--binary", is_ws),
            (self.ping_interval.is_some(), "--ping-interval", is_ws),
            (self.close.is_some(), "--close", is_ws),
            (!self.client.ca.is_empty(), "--ca", is_secure),
            (self.client.insecure, "--insecure", is_secure),
            (self.max_message.is_some(), "--max-message", !is_stream || is_framed),
        ];
        let typed = &redacted(&self.address);
        if let Some((_, flag, _)) = flags.iter().find(|(is_given, _, fits)| *is_given && !fits) {
            return Err(misplaced(flag, typed, COMMAND));
        }
        // The time would have to be within the length.
        if self.timestamps && self.framing == Some(Framing::Length) && !self.hex {
            return Err(misplaced("--timestamps", "--framing length", COMMAND));
        }
        let with = With { addresses: std::slice::from_ref(address), typed, command: COMMAND };
        with.check(self.sockets.flags())?;
        with.check(self.opening.flags(&self.sockets, COMMAND)?)
    }

    fn options(&self, language: Language) -> OpenOptions {
        let mut options = self.sockets.to_open(&self.opening);
        options.ws.protocols.clone_from(&self.protocol);
        self.client.apply(&mut options);
        options.ws.deflate = self.compress.then(Offer::default);
        options.ws.message_bytes_max = self.message_bytes_max();
        options.exec = program::options();
        options.exec.pty = self.pty;
        options.file.follow = self.follow;
        options.file.observer = FileObserver::new(move |event| {
            let FileEvent::CutShort(path) = event;
            let path = &path.display().to_string();
            output::warn(language, Phrase::FileCutShort { path });
        });
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
