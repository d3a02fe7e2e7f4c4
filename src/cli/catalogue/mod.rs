//! Everything the program says to its user, in every language it speaks.
//!
//! What can be said is an enum; each language answers every variant with an exhaustive `match`, so
//! that a missing entry does not compile. Help texts are the exception: clap's English ones stand
//! beside their flags, and a test fails when another language lacks one.
//!
//! Never translated: flags, data on standard output, JSON keys, log fields and codes.

mod english;
mod help;
mod spanish;

use super::{failure::Failure, language::Language};
use crate::transport::{BindError, BindWarning};

pub(crate) use help::localise;

/// What the program says, apart from failures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Phrase<'a> {
    /// The word before an error.
    Error,
    /// The word before a hint.
    Hint,
    /// The word before a warning.
    Warning,
    /// serve echo: somebody has connected, in the words of the tutorial.
    ConnectedBy(&'a str),
    /// Something is served here.
    ListeningOn(&'a str),
    /// connect on a terminal: the connection stands.
    ConnectedTo(&'a str),
    /// connect on a terminal: the other end has closed.
    PeerClosed,
    /// serve: one client too many.
    TurnedAway { peer: &'a str, connections_max: usize },
    /// serve: this many clients did not leave when the server ended.
    Dropped(usize),
    /// serve: this many lines were not printed, because nobody read them in time.
    LinesMissed(u64),
    /// feed: the page and the channel are here.
    FeedOn { address: &'a str, path: &'a str },
    /// feed: the source ended, with this status, and its messages stay.
    SourceEnded(&'a str),
    /// feed: others can read and not publish.
    PublishingRefused,
    /// demo: this part is here.
    Serving { address: &'a str, part: Part },
    /// demo: this part is not there, because its address is in use.
    Taken { address: &'a str, part: Part, other_base: u16 },
    /// demo: what to try with the parts that are there: the page's URL and the ports.
    TryNext { page: Option<&'a str>, greet: Option<u16>, echo: Option<u16> },
    /// What was put into words already.
    Text(&'a str),
    /// Something is not served quite as asked.
    Bind(&'a BindWarning),
}

/// A part of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The page with the channels.
    Page,
    /// The greet server.
    Greet,
    /// The echo server.
    Echo,
}

/// What to type with each part that is there, in the order in which it is fun.
/// Commands for a shell, a line each: the same in every language, and called as we were.
fn things_to_try(page: Option<&str>, greet: Option<u16>, echo: Option<u16>) -> String {
    let program = crate::cli::output::program();
    let numbers = page.and_then(|url| url.strip_prefix("http://"));
    let numbers = numbers.map(|at| format!("\n  {program} connect ws://{at}/channels/numbers"));
    let greet = greet.map(|port| format!("\n  echo Ana | {program} connect ws://localhost:{port}"));
    let echo = echo.map(|port| {
        format!("\n  echo -n 'Hello, world' | {program} connect tcp://127.0.0.1:{port}")
    });
    echo.into_iter().chain(greet).chain(numbers).collect()
}

/// How a shell reads a channel, a line each.
fn ways_to_read(address: &str, path: &str) -> String {
    let program = crate::cli::output::program();
    let host = address.trim_start_matches("http://");
    format!("\n  curl -N {address}{path}\n  {program} connect ws://{host}{path}")
}

/// A failure in words: one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// What went wrong, with the value.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
}

impl Language {
    /// The phrase in this language.
    pub(crate) fn say(self, phrase: Phrase<'_>) -> String {
        match self {
            Self::English => english::say(phrase),
            Self::Spanish => spanish::say(phrase),
        }
    }

    /// Why nothing can be served there, in this language.
    pub(crate) fn bind_error(self, error: &BindError) -> Report {
        match self {
            Self::English => english::bind_error(error),
            Self::Spanish => spanish::bind_error(error),
        }
    }

    /// The failure in this language, or nothing when the user has seen enough already.
    pub(crate) fn report(self, failure: &Failure) -> Option<Report> {
        match self {
            Self::English => english::report(failure),
            Self::Spanish => spanish::report(failure),
        }
    }
}

/// `a, b or c`.
fn one_of(words: &[String], or: &str) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {or} {last}", first.join(", ")),
    }
}
