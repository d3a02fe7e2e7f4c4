//! The command line over the library: words in, exit code out.
//!
//! It is part of the library so that the catalogue can match on every error without a wildcard;
//! only [`main`] is for others to call, and nothing here is a stable interface.

mod addresses;
mod args;
mod bench;
mod broadcast;
mod catalogue;
mod completions;
mod config;
mod connect;
mod demo;
mod escape;
mod exit_code;
mod failure;
mod feed;
mod follow;
mod language;
mod live;
mod man;
mod now;
mod output;
mod page;
mod program;
mod publish;
mod relay;
mod resolve;
mod run;
mod serve;
mod signals;
mod sockets;
mod source;
mod telling;
mod tls;
mod top;
mod usage;
mod values;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, parser::ValueSource};
use tracing_subscriber::{
    Layer as _, Registry, filter::Targets, layer::SubscriberExt as _, reload,
    util::SubscriberInitExt as _,
};

use self::{
    args::{Cli, Command, LogFormat},
    catalogue::Phrase,
    exit_code::Exit,
    failure::Failure,
    language::Language,
    usage::Usage,
};
use crate::transport::{OpenError, ws::Refusal};

/// Runs the program with the arguments and the environment of this process.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(exit) = program::keep(&arguments) {
        return exit;
    }
    let language = Language::choose(&arguments, |name| std::env::var(name).ok());
    let result = parse(&arguments, language).and_then(|cli| match cli {
        Some(cli) => run(cli, language),
        None => Ok(Exit::Success),
    });
    let exit = result.unwrap_or_else(|failure| {
        complain(&failure, language);
        failure.exit()
    });
    exit.into()
}

/// What the command line can be, in the user's language.
fn command(language: Language) -> clap::Command {
    let command = Cli::command().mut_subcommands(|command| {
        // A flag given twice is what somebody types after recalling the line from the history, and
        // a number below 0 is a bad value and no flag.
        let command = command.args_override_self(true);
        command.mut_args(|arg| match arg.get_action().takes_values() && !arg.is_positional() {
            true => arg.allow_negative_numbers(true),
            false => arg,
        })
    });
    catalogue::localise(command, language)
}

/// The command line, or nothing when it only asked for help, which is then on standard output.
fn parse(arguments: &[OsString], language: Language) -> Result<Option<Cli>, Failure> {
    let mut command = command(language);
    let matches = command.try_get_matches_from_mut(arguments);
    let parsed = matches.and_then(|matches| {
        let mut cli = Cli::from_arg_matches(&matches)?;
        cli.is_log_a_flag = matches.value_source("log") == Some(ValueSource::CommandLine);
        Ok(cli)
    });
    let error = match parsed {
        Ok(cli) => return Ok(Some(cli)),
        Err(error) => error,
    };
    use clap::error::ErrorKind;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader who has seen enough of the help is no failure.
            let _ = error.print();
            Ok(None)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Err(Failure::Shown)
        }
        _ => {
            let words: Vec<String> =
                arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            let commands: Vec<String> =
                command.get_subcommands().map(|known| known.get_name().to_owned()).collect();
            Err(Failure::Usage(Usage::new(&error, &words, &commands)))
        }
    }
}

fn run(cli: Cli, language: Language) -> Result<Exit, Failure> {
    let log = log(&cli.log, cli.log_format)?;
    let log_flag = cli.is_log_a_flag.then_some(cli.log);
    match cli.command {
        Command::Resolve(args) => resolve::run(&args),
        Command::Completions(args) => completions::run(&args, language),
        Command::Man(args) => man::run(&args, language),
        Command::Serve(args) => within_runtime(serve::run(args, language)),
        Command::Connect(args) => within_runtime(connect::run(args, language)),
        Command::Publish(args) => within_runtime(publish::run(args, language)),
        Command::Follow(args) => within_runtime(follow::run(args, language)),
        Command::Bench(args) => within_runtime(bench::run(args, language)),
        Command::Top(args) => within_runtime(top::run(args, language)),
        Command::Relay(args) => within_runtime(relay::run(*args, language)),
        Command::Feed(args) => within_runtime(feed::run(args, language)),
        Command::Run(args) => within_runtime(run::run(args, log_flag, log, language)),
        Command::Config(args) => config::run(&args, log_flag, language),
        Command::Demo(args) => within_runtime(demo::run(args, language)),
    }
}

/// What changes the filter of the log.
type LogFilter = reload::Handle<Targets, Registry>;

/// Sends what the filter lets through to standard error.
fn log(filter: &str, format: LogFormat) -> Result<LogFilter, Failure> {
    // `Targets` is all of the filter's grammar that is asked for, without its regular expressions,
    // which would be an eighth of the whole build.
    let targets: Targets = filter.parse().map_err(|_| Failure::Log(filter.into()))?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // A log that cannot be written is no reason to fail, or to panic.
        .log_internal_errors(false);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(output::stderr_has_colour()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_ansi(false).boxed(),
    };
    let (targets, handle) = reload::Layer::new(targets);
    tracing_subscriber::registry().with(targets).with(lines).init();
    Ok(handle)
}

/// Runs one command on a runtime, and does not wait for what the command has left behind: reading
/// a terminal or a pipe cannot be called off.
fn within_runtime(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::System)?;
    let result = runtime.block_on(command);
    runtime.shutdown_background();
    result
}

/// Says on standard error why the command failed, and what to do about it.
fn complain(failure: &Failure, language: Language) {
    if let Failure::Several(failures) = failure {
        return failures.iter().for_each(|failure| complain(failure, language));
    }
    let Some(report) = language.report(failure) else { return };
    let (red, blue, plain) = if output::stderr_has_colour() {
        ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m")
    } else {
        ("", "", "")
    };
    // Messages repeat what a peer or a name server said.
    let message = escape::line(report.message.as_bytes());
    output::notice(&format!("{red}{}:{plain} {message}", language.say(Phrase::Error)));
    // Indented, so that no line of the peer's passes for one of ours.
    for line in details(failure, language) {
        output::notice(&format!("  {}", escape::line(line.as_bytes())));
    }
    if let Some(hint) = report.hint.map(|hint| escape::line(hint.as_bytes())) {
        output::notice(&format!("{blue}{}:{plain} {hint}", language.say(Phrase::Hint)));
    }
}

/// What a server said with its refusal.
fn said(refusal: &Refusal) -> Vec<String> {
    let shown = catalogue::shown(refusal);
    shown.iter().flat_map(|text| text.lines()).map(str::to_owned).collect()
}

/// What the peer said that belongs to the failure.
fn details(failure: &Failure, language: Language) -> Vec<String> {
    match failure {
        Failure::Open(OpenError::Refusal { refusal, .. }) => said(refusal),
        Failure::Channel(failure) => failure.refusal().map(said).unwrap_or_default(),
        Failure::Config(problem) => problem.place.iter().flat_map(|place| place.lines()).collect(),
        Failure::Unmet(unmet) => catalogue::what_came_instead(unmet, language),
        _ => Vec::new(),
    }
}
