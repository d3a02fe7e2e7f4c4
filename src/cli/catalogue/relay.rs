//! What `relay` says, and in English what goes wrong with it.

use std::time::Duration;

use super::Report;
use crate::{
    cli::failure::RelayFailure,
    recording::CreateError,
    relay::{Moved, Relayed},
    transport::{OpenError, RecvError, SendError},
};

/// What `relay` says, apart from failures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RelayPhrase<'a> {
    /// What it all came to.
    Sum(&'a Relayed),
    /// What went wrong with one connection of many.
    Trouble { number: u64, peer: &'a str, why: &'a str },
    /// With so many more something went wrong.
    Withheld(u64),
    /// Why: nothing moved.
    Idle(Duration),
    /// Why: the other side could not be connected to.
    Open(&'a OpenError),
    /// Why: a side broke off.
    Recv(&'a RecvError),
    /// Why: a side did not take everything.
    Send(&'a SendError),
}

pub(super) fn english(phrase: RelayPhrase<'_>) -> String {
    match phrase {
        RelayPhrase::Sum(relayed) => {
            let Relayed { connections, failed, refused, forth, back, .. } = relayed;
            let connections = match connections {
                1 => "1 connection".to_owned(),
                count => format!("{count} connections"),
            };
            let mut words = format!(
                "{connections} in {:.1} s, {} there, {} back",
                relayed.duration.as_secs_f64(),
                moved(forth, "message"),
                moved(back, "message")
            );
            for (count, what) in [
                (*failed, "failed"),
                (*refused, "turned away"),
                (forth.lost + back.lost, "datagrams lost"),
            ] {
                if count > 0 {
                    words.push_str(&format!(", {count} {what}"));
                }
            }
            words
        }
        RelayPhrase::Trouble { number, peer, why } => {
            format!("connection {number}, of {peer}: {why}")
        }
        RelayPhrase::Withheld(count) => {
            format!("{count} more such warnings were not shown; --log info shows each")
        }
        RelayPhrase::Idle(time) => format!("nothing came for {} s", time.as_secs_f64()),
        RelayPhrase::Open(error) => error.to_string(),
        RelayPhrase::Recv(error) => error.to_string(),
        RelayPhrase::Send(error) => error.to_string(),
    }
}

/// `12 B`, or `12 B in 3 messages`; the words are those of the language.
pub(super) fn moved(moved: &Moved, message: &str) -> String {
    match moved {
        Moved { bytes, messages: 0, .. } => format!("{bytes} B"),
        Moved { bytes, messages: 1, .. } => format!("{bytes} B (1 {message})"),
        Moved { bytes, messages, .. } => format!("{bytes} B ({messages} {message}s)"),
    }
}

pub(super) fn report_in_english(failure: &RelayFailure) -> Report {
    let (message, hint) = match failure {
        RelayFailure::Create(error) => (
            error.to_string(),
            match error {
                CreateError::Exists { .. } => Some("--force replaces it"),
                CreateError::NotAFile { .. } => Some("give the path of a file"),
                _ => None,
            },
        ),
        RelayFailure::Write(error) => {
            (format!("what passed was not all written: {error}"), Some("is the disk full?"))
        }
        RelayFailure::Unwritten => (
            "what passed was not all written: whoever reads it has stopped".to_owned(),
            Some("--record FILE keeps it in a file"),
        ),
        RelayFailure::Idle(time) => (
            format!("nothing came for {} s", time.as_secs_f64()),
            Some("--idle-timeout TIME waits longer"),
        ),
    };
    Report { message, hint: hint.map(str::to_owned) }
}
