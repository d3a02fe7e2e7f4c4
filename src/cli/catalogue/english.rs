//! English: phrases, and what is wrong with a command line. The library's errors speak for
//! themselves.

use super::{Phrase, Report, one_of};
use crate::cli::{
    failure::Failure,
    usage::{Usage, UsageError},
};

pub(super) fn say(phrase: Phrase<'_>) -> String {
    match phrase {
        Phrase::Error => "error".into(),
        Phrase::Hint => "hint".into(),
        Phrase::Warning => "warning".into(),
        Phrase::ConnectedBy(peer) => format!("Connected by {peer}"),
        Phrase::ListeningOn(address) => format!("listening on {address}"),
        Phrase::ConnectedTo(address) => format!("connected to {address}; Ctrl-D ends"),
    }
}

pub(super) fn report(failure: &Failure) -> Option<Report> {
    Some(match failure {
        Failure::Usage(found) => usage(found),
        Failure::Shown => return None,
    })
}

fn usage(Usage { error, command }: &Usage) -> Report {
    let similar =
        |word: &Option<String>| word.as_ref().map(|word| format!("did you mean '{word}'?"));
    let help = || Some(format!("{command} --help shows how, with an example"));
    match error {
        UsageError::UnknownArgument { argument, similar: word, in_command } => Report {
            message: format!("unexpected argument '{argument}'"),
            hint: match in_command {
                Some(other) => Some(format!("it belongs to 'enchufe {other}'")),
                None => similar(word).or_else(help),
            },
        },
        UsageError::UnknownCommand { name, similar: word } => Report {
            message: format!("there is no command '{name}'"),
            hint: similar(word).or_else(help),
        },
        UsageError::NotPossible { argument, value, possible, similar: word } => Report {
            message: format!("'{value}' is not a value of {argument}"),
            hint: similar(word).or_else(|| Some(format!("use {}", one_of(possible, "or")))),
        },
        UsageError::BadValue { argument, value, why } => Report {
            message: format!("'{value}' is not a value of {argument}"),
            hint: why.map(|why| why.to_string()),
        },
        UsageError::NoValue { argument } => {
            Report { message: format!("{argument} has no value"), hint: help() }
        }
        UsageError::Missing { arguments } => {
            Report { message: format!("missing: {}", arguments.join(", ")), hint: help() }
        }
        UsageError::Conflict { argument, with } if with.is_empty() => {
            Report { message: format!("{argument} is given twice"), hint: help() }
        }
        UsageError::Conflict { argument, with } => Report {
            message: format!("{argument} cannot be used with {}", one_of(with, "or")),
            hint: help(),
        },
        UsageError::TwoWords { host, port } => Report {
            message: format!("'{host} {port}' is two words, an address is one"),
            hint: Some(format!("tcp://{host}:{port}")),
        },
        UsageError::Other(message) => Report { message: message.clone(), hint: help() },
    }
}
