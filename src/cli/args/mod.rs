//! The words of the command line, parsed by clap.
//!
//! What a flag means is said here in English, beside the flag; `catalogue` has the other languages
//! under the same names, and a test fails when one is missing.

mod bench;
mod channel;
mod client;
mod connect;
mod demo;
mod feed;
mod follow;
mod generator;
mod program;
mod publish;
mod relay;
mod resolve;
mod run;
mod serve;
mod settings;
mod sockets;
mod source;
mod tls;
mod tools;
mod top;

use clap::{Parser, Subcommand, ValueEnum};

use crate::cli::values;
pub(crate) use {
    bench::Bench,
    channel::Server,
    client::Client,
    connect::{Connect, Framing},
    demo::Demo,
    feed::{Feed, Slow},
    follow::Follow,
    generator::Generator,
    program::{Program, ProgramFraming},
    publish::Publish,
    relay::{Relay, StreamFraming, TapForm},
    resolve::{Family, Protocol, Resolve},
    run::{Config, ConfigAction, Run},
    serve::{Serve, ServiceName},
    settings::Settings,
    sockets::{Listening, Opening, Sockets},
    source::{CheckKind, RestartWhen, Source},
    tls::Tls,
    tools::{Completions, Man},
    top::{Column, Top},
};

/// What `--version` says; `-V` says the first line. Scripts read it, in any language.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit: ",
    env!("ENCHUFE_BUILD_COMMIT"),
    "\ntarget: ",
    env!("ENCHUFE_BUILD_TARGET"),
    "\nprofile: ",
    env!("ENCHUFE_BUILD_PROFILE"),
    "\nbuilt with: ",
    env!("ENCHUFE_BUILD_RUSTC"),
    "\ntls: rustls (ring)",
);

/// Turns anything that speaks into a live feed that never loses data silently
#[derive(Debug, Parser)]
#[command(name = "enchufe", version, long_version = VERSION)]
#[command(disable_help_flag = true, disable_version_flag = true)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(before_help = "\
Examples:
  enchufe demo
  vmstat 1 | enchufe feed
  enchufe serve greet ws://localhost:8765
  echo Ana | enchufe connect ws://localhost:8765")]
pub(crate) struct Cli {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Language of messages: en or es
    // It is known already, and only looked at for what is no language.
    #[arg(long, global = true, value_name = "LANGUAGE", display_order = 100)]
    #[arg(value_parser = values::language)]
    lang: Option<String>,

    /// What to log on standard error: error, warn, info, debug or trace, or a filter
    #[arg(long, global = true, value_name = "FILTER", env = "ENCHUFE_LOG", default_value = "warn")]
    #[arg(hide_env = true, display_order = 101)]
    pub(crate) log: String,

    /// How to write the log: as text, or as a line of JSON for each event
    #[arg(long, global = true, value_name = "FORMAT", env = "ENCHUFE_LOG_FORMAT")]
    #[arg(default_value = "text", hide_env = true, display_order = 102)]
    pub(crate) log_format: LogFormat,

    /// Whether a flag says what to log, which counts more than a file.
    #[arg(skip)]
    pub(crate) is_log_a_flag: bool,

    /// Print help
    #[arg(short, long, global = true, action = clap::ArgAction::Help, display_order = 103)]
    help: Option<bool>,

    /// Print version, and with --version what was built how
    #[arg(short = 'V', long, action = clap::ArgAction::Version, display_order = 104)]
    version: Option<bool>,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// The subcommands, in the order a newcomer meets them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(Demo),
    Feed(Feed),
    Serve(Serve),
    Connect(Connect),
    Publish(Publish),
    Follow(Follow),
    Relay(Box<Relay>),
    Resolve(Resolve),
    // For whoever runs a server: help lists them by themselves.
    #[command(hide = true)]
    Run(Run),
    #[command(hide = true)]
    Config(Config),
    #[command(hide = true)]
    Top(Top),
    #[command(hide = true)]
    Bench(Bench),
    // For whoever installs the program: they would only be in the way of those that are for people.
    #[command(hide = true)]
    Completions(Completions),
    #[command(hide = true)]
    Man(Man),
}
