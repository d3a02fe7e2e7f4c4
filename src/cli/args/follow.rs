//! The words of `enchufe follow`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Framing, Server, Slow};
use crate::{cli::values, core::Since};

/// Follow channels: print every message, resume after any break, and tell of every gap
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe follow feed
  enchufe follow http://127.0.0.1:5678/channels/feed --since all --json
  enchufe follow orders --since all --position-file orders.position
  enchufe follow cpu memory --json | jq -r .data")]
pub(crate) struct Follow {
    /// The channels: each a URL, or a name at --server
    #[arg(value_name = "CHANNEL", required = true)]
    pub(crate) channels: Vec<String>,

    /// Where to begin: a position, all, now, last:N, or an age such as -10m [default: now]
    #[arg(long, value_name = "SINCE", value_parser = values::since, allow_hyphen_values = true)]
    pub(crate) since: Option<Since>,

    /// What to get when reading too slowly [default: what the channel says]
    #[arg(long, value_name = "POLICY")]
    pub(crate) slow: Option<Slow>,

    /// End after this many messages
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    pub(crate) count: Option<u32>,

    /// End at the first gap
    #[arg(long)]
    pub(crate) exit_on_gap: bool,

    /// Go on where the positions in this file say, and keep them there
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) position_file: Option<PathBuf>,

    /// Print the time of each message before it
    #[arg(long)]
    pub(crate) timestamps: bool,

    /// Print each message, gap and end as a line of JSON, with its channel and position
    #[arg(long, conflicts_with_all = ["timestamps", "framing"])]
    pub(crate) json: bool,

    /// How messages follow each other in the output
    #[arg(long, value_name = "FRAMING", default_value = "lines", conflicts_with = "timestamps")]
    pub(crate) framing: Framing,

    /// The longest message
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = values::bytes)]
    pub(crate) max_message: usize,

    /// End when the connection breaks
    #[arg(long)]
    pub(crate) no_reconnect: bool,

    #[command(flatten)]
    pub(crate) server: Server,
}
