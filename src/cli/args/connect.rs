//! The words of `enchufe connect`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, ValueHint};
use enchufe_core::ws::CloseReason;

use super::{Client, Opening, Sockets};
use crate::cli::values::{self, Pattern, Speed};

/// Connect: send standard input and print what comes back
#[derive(Debug, Clone, Args)]
#[command(before_help = "\
Examples:
  echo Ana | enchufe connect ws://localhost:8765
  echo -n 'Hello, world' | enchufe connect tcp://127.0.0.1:65432
  enchufe connect ws://localhost:8765 --prompt 'Cual es tu nombre? '
  enchufe connect ws://localhost:8765 --reconnect --open '{\"subscribe\":\"news\"}'
  echo Ana | enchufe connect ws://localhost:8765 --expect 'Hola \\w+!' --within 2s")]
pub(crate) struct Connect {
    /// Where to connect: tcp://, tls://, udp://, unix:, unixgram:, ws://, wss://, ws+unix:, wss+unix:,
    /// exec: or file:
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,

    /// On a terminal, ask for each message with this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) prompt: Option<String>,

    /// Send this message first, before any input, and again after each reconnect; may be repeated
    #[arg(long, value_name = "MESSAGE")]
    pub(crate) open: Vec<String>,

    /// How messages follow each other in input and output [default: lines, on streams raw]
    #[arg(long, value_name = "FRAMING", hide_default_value = true)]
    pub(crate) framing: Option<Framing>,

    /// Send binary messages, also when they are text (ws://)
    #[arg(long)]
    pub(crate) binary: bool,

    /// The longest message, sent or received [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    pub(crate) max_message: Option<usize>,

    /// Read on for this long after the last message, once the input has ended
    /// [default: 1s, ws:// 10s for the first reply, on streams until the peer closes]
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) wait: Option<Duration>,

    /// End after this many received messages
    #[arg(long, value_name = "COUNT", value_parser = values::count, conflicts_with = "keep_open")]
    pub(crate) count: Option<u32>,

    /// Read on until the peer closes
    #[arg(long)]
    pub(crate) keep_open: bool,

    /// Print the time before each received message (on streams, line)
    #[arg(long)]
    pub(crate) timestamps: bool,

    /// Print received bytes as a hex dump, with their offsets
    #[arg(long, conflicts_with = "json")]
    pub(crate) hex: bool,

    /// Print each received message, and how the peer ends it, as a line of JSON
    #[arg(long, conflicts_with = "timestamps")]
    pub(crate) json: bool,

    /// Succeed once a received message (on streams, line) matches this regular expression, else
    /// exit with 6; may be repeated, to be matched in this order
    #[arg(long, value_name = "PATTERN", value_parser = values::pattern)]
    pub(crate) expect: Vec<Pattern>,

    /// What is expected must have come this long after connecting [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = values::time, requires = "expect")]
    pub(crate) within: Option<Duration>,

    /// Send what clients sent in this recording of `relay --record`, when they sent it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["prompt", "open", "reconnect"])]
    pub(crate) replay: Option<PathBuf>,

    /// Replay this connection alone
    #[arg(long, value_name = "N", requires = "replay")]
    pub(crate) replay_conn: Option<u64>,

    /// Replay so many times as fast; max is without pauses
    #[arg(long, value_name = "FACTOR", value_parser = values::speed, requires = "replay")]
    pub(crate) speed: Option<Speed>,

    #[command(flatten)]
    pub(crate) opening: Opening,

    #[command(flatten)]
    pub(crate) sockets: Sockets,

    /// file: read on with what is added, also in the file that takes its place
    #[arg(long)]
    pub(crate) follow: bool,

    /// exec: give the program a terminal, so that it prints each line at once
    #[arg(long)]
    pub(crate) pty: bool,

    /// When the connection is lost, connect again, after pauses that grow to 30 s (ws://)
    #[arg(long)]
    pub(crate) reconnect: bool,

    /// Give up after this many tries in a row
    #[arg(long, value_name = "COUNT", value_parser = values::count, requires = "reconnect")]
    pub(crate) reconnect_max: Option<u32>,

    #[command(flatten)]
    pub(crate) client: Client,

    /// Offer this subprotocol (ws://); may be repeated
    #[arg(long, value_name = "NAME", value_parser = values::protocol)]
    pub(crate) protocol: Vec<String>,

    /// Offer to compress messages, by permessage-deflate (ws://)
    #[arg(long)]
    pub(crate) compress: bool,

    /// Ping the server this often, and give it up after three times that; 0 never (ws://)
    /// [default: 20s]
    #[arg(long, value_name = "TIME", value_parser = values::ping_interval)]
    pub(crate) ping_interval: Option<values::PingInterval>,

    /// Close with this code and reason once the input has ended (ws://) [default: 1000]
    #[arg(long, value_name = "CODE[:REASON]", value_parser = values::close)]
    pub(crate) close: Option<CloseReason>,
}

/// How messages follow each other on standard input and output. (clap would put a doc of a variant
/// into the help page, and make a long one of it.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Framing {
    // A line each.
    Lines,
    // A byte of 0 after each.
    Nul,
    // The length of each before it: four bytes, the highest first.
    Length,
    // Whatever one read yields is a message; what is received is written as it is.
    Raw,
    // A line each, in Base64.
    Base64,
}
