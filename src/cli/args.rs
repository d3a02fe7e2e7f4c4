//! The words of the command line, parsed by clap.
//!
//! What a flag means is said here in English, beside the flag; `catalogue` has the other languages
//! under the same names, and a test fails when one is missing.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use super::values;
use crate::{
    guard::AllowedOrigin,
    service::Greeting,
    source::{Interval, Numbers},
};

/// Turns anything that speaks into a live feed that never loses data silently
#[derive(Debug, Parser)]
#[command(name = "enchufe", version, disable_help_flag = true, disable_version_flag = true)]
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
    #[arg(long, global = true, value_name = "LANGUAGE", display_order = 100)]
    lang: Option<String>,

    /// What to log on standard error: error, warn, info, debug or trace, or a filter
    #[arg(long, global = true, value_name = "FILTER", env = "ENCHUFE_LOG", default_value = "warn")]
    #[arg(hide_env = true, display_order = 101)]
    pub(crate) log: String,

    /// Print help
    #[arg(short, long, global = true, action = clap::ArgAction::Help, display_order = 102)]
    help: Option<bool>,

    /// Print version
    #[arg(short = 'V', long, action = clap::ArgAction::Version, display_order = 103)]
    version: Option<bool>,
}

/// The subcommands, in the order a newcomer meets them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(Demo),
    Feed(Feed),
    Serve(Serve),
    Connect(Connect),
    Resolve(Resolve),
}

/// Start the whole tutorial at once: echo, greet, a clock and numbers with a live page
#[derive(Debug, Args)]
#[command(before_help = "Example:\n  enchufe demo")]
pub(crate) struct Demo {
    /// Use the ports N (page), N+1 (greet) and N+2 (echo)
    #[arg(long, value_name = "N", value_parser = values::port_base)]
    pub(crate) port_base: Option<u16>,
}

/// Make one source a channel with a page, which any number of viewers share
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  vmstat 1 | enchufe feed
  enchufe feed --exec -- ./job --verbose
  enchufe feed clock --channel time")]
pub(crate) struct Feed {
    /// Where messages come from: - (lines of standard input), clock or random
    #[arg(value_name = "SOURCE", conflicts_with = "exec")]
    pub(crate) source: Option<FeedSource>,

    /// Take the lines of the program after --, which runs once for all viewers
    #[arg(long, requires = "program")]
    pub(crate) exec: bool,

    /// Give the program a terminal, so that it prints each line at once
    #[arg(long, requires = "exec")]
    pub(crate) pty: bool,

    /// Name of the channel
    #[arg(long, value_name = "NAME", default_value = "feed")]
    pub(crate) channel: String,

    /// Where the page and the channel are served; may be repeated
    #[arg(long, value_name = "ADDRESS", default_value = "http://127.0.0.1:5678")]
    pub(crate) listen: Vec<String>,

    /// Keep at most this many messages for those who come late
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    pub(crate) history: Option<u32>,

    /// Keep at most this many bytes of messages
    #[arg(long, value_name = "BYTES", value_parser = values::bytes)]
    pub(crate) history_bytes: Option<usize>,

    /// Stop when the source has ended and viewers have everything, at most TIME later
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "10s")]
    pub(crate) exit_on_end: Option<Duration>,

    /// Serve this file, or this folder, instead of the built-in page
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) page: Option<PathBuf>,

    /// What a viewer who is too slow gets: a gap, the latest message only, or the end
    #[arg(long, value_name = "POLICY", default_value = "skip")]
    pub(crate) slow: Slow,

    /// Let pages of this origin read and publish; may be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = str::parse::<AllowedOrigin>)]
    pub(crate) allow_origin: Vec<AllowedOrigin>,

    /// On loopback, answer to this name too; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) host_name: Vec<String>,

    /// Publishing needs the token in this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) publish_token_file: Option<PathBuf>,

    /// Reading needs the token in this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) read_token_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) tls: Tls,

    #[command(flatten)]
    pub(crate) generator: Generator,

    /// The program whose lines are the messages, and its arguments
    #[arg(last = true, value_name = "PROGRAM", requires = "exec")]
    pub(crate) program: Vec<OsString>,
}

/// Where the messages of `feed` come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FeedSource {
    #[value(name = "-")]
    StandardInput,
    Clock,
    Random,
}

/// What a viewer who is too slow gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Slow {
    Skip,
    Latest,
    Cut,
}

/// Serve each client that connects
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe serve echo tcp://127.0.0.1:65432
  enchufe serve greet ws://localhost:8765
  enchufe serve clock ws://127.0.0.1:5678")]
pub(crate) struct Serve {
    /// What each client gets: its own words, a greeting, the time or numbers
    #[arg(value_name = "SERVICE")]
    pub(crate) service: ServiceName,

    /// Where to listen: tcp://, udp://, unix:, unixgram:, ws://, wss:// or -
    #[arg(value_name = "ADDRESS", required = true)]
    pub(crate) addresses: Vec<String>,

    /// Connections that may wait to be accepted
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    pub(crate) backlog: Option<u32>,

    /// Stop after the first client
    #[arg(long)]
    pub(crate) once: bool,

    /// Clients served at the same time
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    pub(crate) max_connections: Option<u32>,

    /// Print nothing on standard output
    #[arg(long)]
    pub(crate) quiet: bool,

    /// greet: the answer to a name [default: Hola {name}!]
    #[arg(long, value_name = "TEXT", value_parser = str::parse::<Greeting>)]
    pub(crate) greeting: Option<Greeting>,

    #[command(flatten)]
    pub(crate) generator: Generator,

    /// Let pages of this origin connect; may be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = str::parse::<AllowedOrigin>)]
    pub(crate) allow_origin: Vec<AllowedOrigin>,

    /// On loopback, answer to this name too; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) host_name: Vec<String>,

    /// Serve this file, or this folder, to browsers that visit a ws:// address
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) page: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) tls: Tls,

    /// Largest message that is taken
    #[arg(long, value_name = "BYTES", value_parser = values::bytes)]
    pub(crate) message_bytes_max: Option<usize>,
}

/// What `serve` does with each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServiceName {
    Echo,
    Greet,
    Clock,
    Random,
}

/// The flags of the sources that make their own messages.
#[derive(Debug, Args)]
pub(crate) struct Generator {
    /// clock, random: seconds between messages, drawn anew each time [default: 0..3, 0..1]
    #[arg(long, value_name = "FROM..TO", value_parser = str::parse::<Interval>)]
    pub(crate) interval: Option<Interval>,

    /// random: the numbers, both ends included [default: 0..9]
    #[arg(long, value_name = "FROM..TO", value_parser = values::range, conflicts_with = "value")]
    #[arg(allow_hyphen_values = true)]
    pub(crate) range: Option<Numbers>,

    /// random: always this number
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub(crate) value: Option<i64>,
}

/// The flags of those who serve with TLS.
#[derive(Debug, Clone, Args)]
pub(crate) struct Tls {
    /// https, wss: the server's certificate (PEM), and those that lead to its issuer
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// https, wss: the private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// https, wss: a certificate for development, the same in every run
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(crate) tls_dev: bool,
}

impl ServiceName {
    /// The word on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Greet => "greet",
            Self::Clock => "clock",
            Self::Random => "random",
        }
    }
}

impl Generator {
    /// The first flag given that means nothing to a source of this name.
    pub(crate) fn misplaced(&self, source: &str) -> Option<&'static str> {
        let flags = [
            (self.interval.is_some(), "--interval", &["clock", "random"][..]),
            (self.range.is_some(), "--range", &["random"]),
            (self.value.is_some(), "--value", &["random"]),
        ];
        let misplaced = |(is_given, _, sources): &&(bool, &'static str, &[&str])| {
            *is_given && !sources.contains(&source)
        };
        flags.iter().find(misplaced).map(|(_, flag, _)| *flag)
    }

    /// The numbers to draw from.
    pub(crate) fn numbers(&self) -> Numbers {
        let always = self.value.and_then(|value| Numbers::new(value..=value));
        always.or_else(|| self.range.clone()).unwrap_or(Numbers::DIGITS)
    }
}

/// Connect: send standard input and print what comes back
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  echo Ana | enchufe connect ws://localhost:8765
  echo -n 'Hello, world' | enchufe connect tcp://127.0.0.1:65432
  enchufe connect ws://localhost:8765 --prompt 'Cual es tu nombre? '")]
pub(crate) struct Connect {
    /// Where to connect: tcp://, udp://, unix:, unixgram:, ws:// or wss://
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,

    /// On a terminal, ask for each message with this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) prompt: Option<String>,

    /// Read on for this long after the last message, once the input has ended
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = values::time)]
    pub(crate) wait: Duration,

    /// End after this many received messages
    #[arg(long, value_name = "COUNT", value_parser = values::count, conflicts_with = "keep_open")]
    pub(crate) count: Option<u32>,

    /// Read on until the peer closes
    #[arg(long)]
    pub(crate) keep_open: bool,

    /// Give up connecting after this long
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::time)]
    pub(crate) timeout: Duration,

    /// wss: trust the certificates in this file, too (PEM); may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca: Vec<PathBuf>,

    /// wss: connect whatever certificate is shown
    #[arg(long)]
    pub(crate) insecure: bool,

    /// Send this Origin (ws://)
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,

    /// Offer this subprotocol (ws://); may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) protocol: Vec<String>,
}

/// Show every address that a name stands for, as programs on this machine get them
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe resolve www.google.com 80 --proto tcp
  enchufe resolve localhost http --json")]
pub(crate) struct Resolve {
    /// A name or an address
    #[arg(value_name = "HOST")]
    pub(crate) host: String,

    /// A service name or a port
    #[arg(value_name = "SERVICE")]
    pub(crate) service: Option<String>,

    /// Only addresses of this family
    #[arg(long, value_name = "FAMILY")]
    pub(crate) family: Option<Family>,

    /// Only answers for this protocol
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) proto: Option<Protocol>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `--family`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Family {
    #[value(name = "ipv4")]
    V4,
    #[value(name = "ipv6")]
    V6,
}

/// `--proto`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}
