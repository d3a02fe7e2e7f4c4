//! Everything the program says to its user, in every language it speaks.
//!
//! What can be said is an enum; each language answers every variant with an exhaustive `match`, so
//! that a missing entry does not compile. Help texts are the exception: clap's English ones stand
//! beside their flags, and a test fails when another language lacks one.
//!
//! Never translated: flags, data on standard output, JSON keys, log fields and codes.

mod bench;
mod channel;
mod close;
mod config;
mod connect;
mod english;
mod help;
mod keys;
mod live;
mod manual;
mod refusal;
mod relay;
mod service;
mod source;
mod spanish;
mod tls;
mod top;

use std::time::Duration;

use super::{failure::Failure, language::Language};
use crate::{
    core::Position,
    transport::{BindWarning, CloseCode, RecvError},
};

pub(crate) use {
    bench::{BenchPhrase, remedy},
    channel::ChannelPhrase,
    config::ConfigPhrase,
    connect::what_came_instead,
    help::localise,
    keys::meaning,
    live::LivePhrase,
    manual::{Heading, Manual, manual},
    refusal::shown,
    relay::RelayPhrase,
    service::ServicePhrase,
    tls::TlsPhrase,
    top::TopPhrase,
};

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
    /// connect: the connection is lost, or was not made, and will be tried again.
    Retrying { why: &'a str, pause: Duration },
    /// connect: the connection stands again.
    Reconnected(&'a str),
    /// connect: so many messages were sent, and nobody knows whether they arrived.
    Unanswered(u64),
    /// connect: how a long transfer goes.
    Progress { sent: &'a str, received: &'a str, time: &'a str },
    /// connect: of a recording the end is missing.
    CutShort { path: &'a str, line: u64 },
    /// connect: a file that is followed was cut short.
    FileCutShort { path: &'a str },
    /// connect: a message was not sent before the connection was lost.
    CutOff { bytes: usize },
    /// connect: a feed that was asked for its history will be asked again.
    PositionUnknown,
    /// connect: a feed closes, and this is the position to go on after.
    ResumeAfter(&'a Position),
    /// serve: one client too many.
    TurnedAway { peer: &'a str, connections_max: usize },
    /// serve: this many clients did not leave when the server ended.
    Dropped(usize),
    /// serve: this many lines were not printed, because nobody read them in time.
    LinesMissed(u64),
    /// Something is not served quite as asked.
    Bind(&'a BindWarning),
    /// About certificates.
    Tls(TlsPhrase<'a>),
    /// feed and demo.
    Live(LivePhrase<'a>),
    /// publish and follow.
    Channel(ChannelPhrase<'a>),
    /// run and config.
    Config(ConfigPhrase<'a>),
    /// bench.
    Bench(BenchPhrase<'a>),
    /// top.
    Top(TopPhrase<'a>),
    /// relay.
    Relay(RelayPhrase<'a>),
    /// serve, of programs.
    Service(ServicePhrase<'a>),
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

/// Whether a message of the peer was longer than is taken.
fn is_too_long(error: &RecvError) -> bool {
    matches!(error, RecvError::Violation { code: CloseCode::TOO_BIG, .. })
}
