//! What is wrong with a command line, as a value: clap finds it, the catalogue says it.
//!
//! clap speaks English only and in a form of its own; here its findings become the same
//! `error:` and `hint:` lines as everybody else's, in the user's language.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{failure::Failure, values::ValueError};

/// What is wrong with a command line, and whose help page says how it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Usage {
    /// What is wrong.
    pub(crate) error: UsageError,
    /// `enchufe`, or `enchufe serve`.
    pub(crate) command: String,
}

impl Usage {
    /// Reads clap's finding. `words` is the command line it was found in.
    pub(crate) fn new(error: &clap::Error, words: &[String], commands: &[String]) -> Self {
        let used = words.iter().find(|word| commands.contains(word));
        let command = used.map_or("enchufe".into(), |name| format!("enchufe {name}"));
        Self { error: UsageError::new(error, words), command }
    }
}

/// What is wrong with a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UsageError {
    /// There is no such flag, or one word too many.
    UnknownArgument { argument: String, similar: Option<String>, in_command: Option<String> },
    /// There is no such subcommand.
    UnknownCommand { name: String, similar: Option<String> },
    /// A value that is not one of the possible ones.
    NotPossible { argument: String, value: String, possible: Vec<String>, similar: Option<String> },
    /// A value that cannot be understood.
    BadValue { argument: String, value: String, why: Option<ValueError> },
    /// A flag without its value.
    NoValue { argument: String },
    /// What must be there and is not.
    Missing { arguments: Vec<String> },
    /// Two arguments that exclude each other.
    Conflict { argument: String, with: Vec<String> },
    /// The host and the port of an address, given as two words.
    TwoWords { host: String, port: u16 },
    /// An address with TLS, and no certificate.
    NoCertificate { address: String },
    /// Anything rarer, in clap's own words.
    Other(String),
}

impl UsageError {
    fn new(error: &clap::Error, words: &[String]) -> Self {
        let text = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.clone()),
            // The nearest of several is the last.
            Some(ContextValue::Strings(texts)) => texts.last().cloned(),
            _ => None,
        };
        let list = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => vec![text.clone()],
            Some(ContextValue::Strings(texts)) => texts.clone(),
            _ => Vec::new(),
        };
        let argument = || text(ContextKind::InvalidArg).unwrap_or_default();
        let value = || text(ContextKind::InvalidValue).unwrap_or_default();
        match error.kind() {
            ErrorKind::UnknownArgument => {
                two_words(&argument(), words).unwrap_or_else(|| Self::UnknownArgument {
                    argument: argument(),
                    similar: text(ContextKind::SuggestedArg),
                    in_command: text(ContextKind::SuggestedSubcommand),
                })
            }
            ErrorKind::InvalidSubcommand => Self::UnknownCommand {
                name: text(ContextKind::InvalidSubcommand).unwrap_or_default(),
                similar: text(ContextKind::SuggestedSubcommand),
            },
            ErrorKind::InvalidValue
                if value().is_empty() && !words.iter().any(String::is_empty) =>
            {
                Self::NoValue { argument: argument() }
            }
            ErrorKind::InvalidValue => Self::NotPossible {
                argument: argument(),
                value: value(),
                possible: list(ContextKind::ValidValue),
                similar: text(ContextKind::SuggestedValue).filter(|near| is_slip(near, &value())),
            },
            ErrorKind::ValueValidation => Self::BadValue {
                argument: argument(),
                value: value(),
                why: error.source().and_then(ValueError::of),
            },
            ErrorKind::MissingRequiredArgument => {
                Self::Missing { arguments: list(ContextKind::InvalidArg) }
            }
            ErrorKind::ArgumentConflict => {
                Self::Conflict { argument: argument(), with: list(ContextKind::PriorArg) }
            }
            _ => Self::Other(plain(error)),
        }
    }
}

/// A flag that means nothing where it was given.
pub(crate) fn misplaced(flag: &str, with: &str, command: &str) -> Failure {
    let error = UsageError::Conflict { argument: flag.into(), with: vec![with.into()] };
    Failure::Usage(Usage { error, command: command.into() })
}

/// Whether somebody who meant the one may have typed the other: one slip of the finger away, or one
/// in four letters. clap finds `zsh` in `tcsh`, which is another shell.
fn is_slip(meant: &str, typed: &str) -> bool {
    strsim::osa_distance(meant, typed) <= (meant.chars().count() / 4).max(1)
}

/// `connect localhost 65432`: clap sees one word too many, we see an address in two words.
fn two_words(second: &str, words: &[String]) -> Option<UsageError> {
    let command = words.iter().skip(1).find(|word| !word.starts_with('-'))?;
    if !matches!(command.as_str(), "connect" | "serve") {
        return None;
    }
    let at = words.iter().position(|word| word == second)?;
    let host = words.get(at.checked_sub(1)?)?;
    let port = port(second)?;
    is_host(host).then(|| UsageError::TwoWords { host: host.clone(), port })
}

/// A port as a word of its own.
pub(crate) fn port(word: &str) -> Option<u16> {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|port| digits && *port > 0)
}

/// Whether the word could be a host without a port.
pub(crate) fn is_host(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && !word.starts_with('-')
}

/// clap's own words, without its label and its advice.
fn plain(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}
