//! The words of `enchufe relay`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, ValueHint};

use super::{Client, Listening, Opening, Sockets, Tls};
use crate::{cli::values, guard::AllowedOrigin};

/// Join two addresses: for each client of the first, connect to the second
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe relay tcp://127.0.0.1:7000 ws://localhost:8765 --framing lines
  enchufe relay ws://127.0.0.1:8765 unix:/run/app.sock
  enchufe relay tcp://127.0.0.1:7000 tcp://db.example:5432 --tap hex
  enchufe relay 7000 -")]
pub(crate) struct Relay {
    /// Where to listen; - is opened once
    #[arg(value_name = "ADDRESS")]
    pub(crate) near: String,

    /// Where to connect for each client
    #[arg(value_name = "OTHER")]
    pub(crate) far: String,

    /// Connect to the first address too, once: joins two servers
    #[arg(long, conflicts_with = "listen_both")]
    pub(crate) connect_both: bool,

    /// Listen on the second address too: joins clients in pairs, in the order they come
    #[arg(long)]
    pub(crate) listen_both: bool,

    /// How a stream is cut into messages [default: raw, and lines where messages meet -]
    #[arg(long, value_name = "FRAMING", hide_default_value = true)]
    pub(crate) framing: Option<StreamFraming>,

    /// Send binary messages, also when they are text (ws://)
    #[arg(long)]
    pub(crate) binary: bool,

    /// The longest message, either way [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    pub(crate) max_message: Option<usize>,

    /// Once a stream has ended, leave the other side open until it was silent for this long
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = values::time)]
    pub(crate) wait: Duration,

    /// Close both sides when nothing has moved for this long
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) idle_timeout: Option<Duration>,

    /// Stop after the first client
    #[arg(long)]
    pub(crate) once: bool,

    /// Clients served at the same time
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    pub(crate) max_connections: Option<u32>,

    /// Show what passes, on standard error
    #[arg(long, value_name = "FORM")]
    pub(crate) tap: Option<TapForm>,

    /// Record what passes, with its times, to play it again
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) record: Option<PathBuf>,

    /// Replace the file of --record if it is there
    #[arg(long, requires = "record")]
    pub(crate) force: bool,

    /// Print each connection and the sum as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Say nothing of what was relayed
    #[arg(long)]
    pub(crate) quiet: bool,

    /// Let pages of this origin connect; may be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = str::parse::<AllowedOrigin>)]
    pub(crate) allow_origin: Vec<AllowedOrigin>,

    /// On loopback, answer to this name too; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) host_name: Vec<String>,

    #[command(flatten)]
    pub(crate) tls: Tls,

    #[command(flatten)]
    pub(crate) client: Client,

    /// Speak this subprotocol, on both sides (ws://); may be repeated
    #[arg(long, value_name = "NAME", value_parser = values::protocol)]
    pub(crate) protocol: Vec<String>,

    #[command(flatten)]
    pub(crate) listening: Listening,

    #[command(flatten)]
    pub(crate) opening: Opening,

    #[command(flatten)]
    pub(crate) sockets: Sockets,
}

/// How a stream is cut into messages. (clap would put a doc of a variant into the help page, and
/// make a long one of it.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StreamFraming {
    // A line each.
    Lines,
    // A byte of 0 after each.
    Nul,
    // The length of each before it: four bytes, the highest first.
    Length,
    // Whatever one read yields.
    Raw,
}

/// How what passes is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TapForm {
    Text,
    Hex,
}
