//! The words of `enchufe serve`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{Generator, Listening, Program, Sockets, Tls};
use crate::{cli::values, guard::AllowedOrigin, service::Greeting};

/// Serve each client that connects
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe serve echo tcp://127.0.0.1:65432
  enchufe serve greet ws://localhost:8765
  enchufe serve clock ws://127.0.0.1:5678
  enchufe serve exec ws://127.0.0.1:8080 -- ./job --verbose")]
pub(crate) struct Serve {
    /// What each client gets: its own words (echo, RFC 862), nothing (discard, RFC 863), a greeting,
    /// the time again and again (with --count 1 once, as in RFC 867), numbers, a program of its own,
    /// or what all of them say
    #[arg(value_name = "SERVICE")]
    pub(crate) service: ServiceName,

    /// Where to listen: tcp://, tls://, udp://, unix:, unixgram:, ws://, wss://, ws+unix: or -
    #[arg(value_name = "ADDRESS", required = true)]
    pub(crate) addresses: Vec<String>,

    /// Stop after the first client
    #[arg(long)]
    pub(crate) once: bool,

    /// Clients served at the same time
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    pub(crate) max_connections: Option<u32>,

    /// Do not say who comes and what they do, nor where it listens, unless the system chose the port
    #[arg(long)]
    pub(crate) quiet: bool,

    /// greet: the answer to a name [default: Hola {name}!]
    #[arg(long, value_name = "TEXT", value_parser = str::parse::<Greeting>)]
    pub(crate) greeting: Option<Greeting>,

    #[command(flatten)]
    pub(crate) generator: Generator,

    /// clock, random: close after so many messages
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    pub(crate) count: Option<u32>,

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

    /// The longest message that is taken (ws://) [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    pub(crate) max_message: Option<usize>,

    #[command(flatten)]
    pub(crate) program: Program,

    #[command(flatten)]
    pub(crate) listening: Listening,

    #[command(flatten)]
    pub(crate) sockets: Sockets,
}

/// What `serve` does with each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServiceName {
    Echo,
    Discard,
    Greet,
    Clock,
    Random,
    Exec,
    Broadcast,
}

impl ServiceName {
    /// Whether what it sends is made up here and tells nobody anything.
    pub(crate) fn is_generated(self) -> bool {
        matches!(self, Self::Clock | Self::Random)
    }

    /// The word on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Discard => "discard",
            Self::Greet => "greet",
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Exec => "exec",
            Self::Broadcast => "broadcast",
        }
    }
}
