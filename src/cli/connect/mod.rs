//! `enchufe connect`: standard input goes to the peer, what comes back to standard output.
//!
//! Between pipes it is exact: what came back and nothing else. On a terminal it is a
//! conversation: a line editor below, what was received above it.

mod editor;
mod input;
mod printer;
mod screen;
mod talk;

use std::io::{self, IsTerminal as _};

use self::{
    editor::Editor,
    input::Input,
    screen::Screen,
    talk::{Ending, Talk},
};
use super::{
    args,
    catalogue::{Phrase, TlsPhrase},
    exit_code::Exit,
    failure::Failure,
    language::Language,
    output, signals,
    usage::misplaced,
};
use crate::{
    address::Address,
    transport::{Connection, OpenOptions, RecvError, SendError},
};

/// Connects, talks and ends as the peer, the input or the user wants.
pub(super) async fn run(args: args::Connect, language: Language) -> Result<Exit, Failure> {
    let mut stop = signals::Stop::new().map_err(Failure::System)?;
    let address = Address::parse_connect(&args.address)?;
    if address == Address::Stdio {
        return Err(Failure::ConnectToStdio);
    }
    let ws_flag = (args.origin.is_some().then_some("--origin"))
        .or((!args.protocol.is_empty()).then_some("--protocol"));
    if let (Some(flag), false) = (ws_flag, matches!(address, Address::Ws(_))) {
        return Err(misplaced(flag, &args.address, "enchufe connect"));
    }
    let tls_flag =
        (!args.ca.is_empty()).then_some("--ca").or(args.insecure.then_some("--insecure"));
    match (tls_flag, &address) {
        (Some(_), Address::Ws(ws)) if ws.is_secure => {}
        (Some(flag), _) => return Err(misplaced(flag, &args.address, "enchufe connect")),
        (None, _) => {}
    }
    if args.insecure {
        let shown = address.to_string();
        output::warn(language, Phrase::Tls(TlsPhrase::Insecure(&shown)));
    }
    let options = options(&args);
    let connection = tokio::select! {
        opened = Connection::open(&address, &options) => opened?,
        exit = stop.requested() => return Ok(exit),
    };
    let is_stream = connection.is_stream();
    let (input, screen, is_dialogue) = if io::stdin().is_terminal() && io::stdout().is_terminal() {
        output::notice(&language.say(Phrase::ConnectedTo(&address.to_string())));
        let (lines, printer) = Editor::open(args.prompt.as_deref(), is_stream)?;
        (
            Input::Typed(lines),
            Screen::dialogue(printer, is_stream, language.say(Phrase::PeerClosed)),
            true,
        )
    } else {
        let input = Input::standard(is_stream, args.prompt.as_deref());
        (input, Screen::standard(is_stream), false)
    };
    let ending = Ending {
        wait: args.wait,
        count: args.count,
        keep_open: args.keep_open,
        is_stream,
        is_dialogue,
        has_goodbye: matches!(address, Address::Ws(_)),
    };
    let has_goodbye = ending.has_goodbye;
    let talked = Talk::begin(connection, input, screen, ending).run(&mut stop).await;
    talked.map_err(|failure| if has_goodbye { broken_off(failure) } else { failure })
}

/// A WebSocket that breaks without a goodbye ended abnormally, whichever of its packets told us.
fn broken_off(failure: Failure) -> Failure {
    match failure {
        Failure::Recv(RecvError::Reset { peer }) | Failure::Send(SendError::Closed { peer }) => {
            Failure::Recv(RecvError::Abnormal { peer })
        }
        other => other,
    }
}

fn options(args: &args::Connect) -> OpenOptions {
    let mut options = OpenOptions { timeout: args.timeout, ..OpenOptions::default() };
    options.ws.origin.clone_from(&args.origin);
    options.ws.protocols.clone_from(&args.protocol);
    options.tls.ca.clone_from(&args.ca);
    options.tls.insecure = args.insecure;
    options
}
