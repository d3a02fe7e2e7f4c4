//! English: phrases, and what is wrong with a command line. The library's errors speak for
//! themselves.

use super::{
    Phrase, Report, bench, channel, close, config, connect, is_too_long, live, one_of, refusal,
    relay, service, tls, top,
};
use crate::{
    cli::{
        connect::FramingError,
        failure::Failure,
        language::Language,
        usage::{Usage, UsageError},
    },
    transport::OpenError,
};

pub(super) fn say(phrase: Phrase<'_>) -> String {
    match phrase {
        Phrase::Error => "error".into(),
        Phrase::Hint => "hint".into(),
        Phrase::Warning => "warning".into(),
        Phrase::ConnectedBy(peer) => format!("Connected by {peer}"),
        Phrase::ListeningOn(address) => format!("listening on {address}"),
        Phrase::ConnectedTo(address) => format!("connected to {address}; Ctrl-D ends"),
        Phrase::PeerClosed => "the peer has closed the connection".into(),
        Phrase::Retrying { why, pause } => {
            format!("{why}; trying again in {:.1} s", pause.as_secs_f64())
        }
        Phrase::Reconnected(address) => format!("connected again to {address}"),
        Phrase::Unanswered(messages) => match messages {
            1 => "the last message sent may not have arrived".into(),
            _ => format!("the last {messages} messages sent may not have arrived"),
        },
        Phrase::Progress { sent, received, time } => {
            format!("sent {sent}, received {received}, {time}")
        }
        Phrase::CutShort { path, line } => {
            format!("'{path}' was cut short in line {line}; what is before it is replayed")
        }
        Phrase::FileCutShort { path } => {
            format!("'{path}' was cut short: what it had and was not read is missing")
        }
        Phrase::CutOff { bytes } => {
            format!("a message of {bytes} bytes was cut off and will be sent again")
        }
        Phrase::PositionUnknown => {
            "the feed did not say where it stopped: messages may come again, or be missing".into()
        }
        Phrase::ResumeAfter(position) => close::resume_in_english(position),
        Phrase::TurnedAway { peer, connections_max } => {
            format!("{peer} was turned away: {connections_max} clients are being served")
        }
        Phrase::Dropped(clients) => format!("{clients} clients did not leave in time"),
        Phrase::LinesMissed(lines) => {
            format!("{lines} lines were not printed: nobody read them in time")
        }
        Phrase::Bind(warning) => warning.to_string(),
        Phrase::Tls(phrase) => tls::english(phrase),
        Phrase::Live(phrase) => live::english(phrase),
        Phrase::Channel(phrase) => channel::english(phrase),
        Phrase::Config(phrase) => config::english(phrase),
        Phrase::Bench(phrase) => bench::english(phrase),
        Phrase::Top(phrase) => top::english(phrase),
        Phrase::Relay(phrase) => relay::english(phrase),
        Phrase::Service(phrase) => service::english(phrase),
    }
}

pub(super) fn report(failure: &Failure) -> Option<Report> {
    let Report { message, hint } = words(failure)?;
    Some(Report { message: without_number(message), hint })
}

fn words(failure: &Failure) -> Option<Report> {
    let (message, hint) = match failure {
        // Each of several is reported alone.
        Failure::Shown | Failure::Several(_) => return None,
        Failure::Usage(found) => return Some(usage(found)),
        Failure::Address(error) => (error.to_string(), error.hint()),
        Failure::Bind(error) => (error.to_string(), error.hint()),
        Failure::Open(OpenError::Refusal { address, refusal }) => {
            refusal::in_english(address, refusal)
        }
        Failure::Open(error) => (error.to_string(), error.hint()),
        Failure::Resolve(error) => (error.to_string(), error.hint()),
        Failure::Recv(error) => (
            error.to_string(),
            is_too_long(error).then(|| "--max-message SIZE takes longer ones".into()),
        ),
        Failure::Send(error) => (error.to_string(), None),
        Failure::Closed(reason) => close::in_english(reason),
        Failure::NoReply { wait } => (
            format!("no reply came within {} s", wait.as_secs_f64()),
            Some("--wait TIME waits longer, --keep-open until the peer closes".into()),
        ),
        Failure::Log(filter) => (
            format!("'{filter}' is no filter for the log"),
            Some("use error, warn, info, debug, trace, or such as enchufe::live=debug".into()),
        ),
        Failure::Framing(FramingError::TooLong { bytes_max }) => (
            format!("a message of the input is longer than {bytes_max} bytes"),
            Some("--max-message allows longer ones over WebSocket; --framing raw sends bytes as they are".into()),
        ),
        Failure::Framing(FramingError::Unfinished { missing }) => (
            format!("the input ends {missing} bytes before the length it announced"),
            Some("--framing length: before each message its length in four bytes".into()),
        ),
        Failure::Framing(FramingError::NotBase64) => (
            "a line of the input is not Base64".into(),
            Some("--framing base64: each line is a message in Base64".into()),
        ),
        Failure::ConnectToStdio => (
            "there is nothing to connect to at '-'".into(),
            Some("standard input is what is sent; give the address of the other end".into()),
        ),
        Failure::Input(error) => (format!("cannot read standard input: {error}"), None),
        Failure::Output(error) => (format!("cannot write standard output: {error}"), None),
        Failure::Tls(error) => return Some(tls::report_in_english(error)),
        Failure::Unmet(unmet) => return Some(connect::unmet_in_english(unmet)),
        Failure::Replay(error) => return Some(connect::replay_in_english(error)),
        Failure::Live(error) => return Some(live::report_in_english(error)),
        Failure::Channel(error) => return Some(channel::report_in_english(error)),
        Failure::Config(problem) => return Some(config::report(problem, Language::English)),
        Failure::Bench(error) => return Some(bench::report_in_english(error)),
        Failure::Top(error) => return Some(top::report_in_english(error)),
        Failure::Relay(error) => return Some(relay::report_in_english(error)),
        Failure::Service(error) => return Some(service::report_in_english(error)),
        Failure::System(error) => (format!("the system refuses: {error}"), None),
    };
    Some(Report { message, hint })
}

/// What the system says, without what the standard library puts behind it, as in ` (os error 2)`:
/// who reads the words has no use for the number.
pub(super) fn without_number(message: String) -> String {
    let is_number = |rest: &str| {
        rest.strip_suffix(')').is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
    };
    match message.rsplit_once(" (os error ") {
        Some((words, rest)) if is_number(rest) => words.to_owned(),
        _ => message,
    }
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
        UsageError::NoCertificate { address } => Report {
            message: format!("{address} needs a certificate"),
            hint: Some(
                "--tls-cert FILE --tls-key FILE names one, --tls-dev makes one for development"
                    .into(),
            ),
        },
        UsageError::Other(message) => Report { message: message.clone(), hint: help() },
    }
}
