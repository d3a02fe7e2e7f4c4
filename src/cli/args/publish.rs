//! The words of `enchufe publish`.

use std::time::Duration;

use clap::Args;

use super::{Framing, Server};
use crate::cli::values;

/// Publish to a channel: each message once, or say which are in doubt
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe publish news 'Hello, world'
  vmstat 1 | enchufe publish http://127.0.0.1:5678/channels/load
  enchufe publish pictures --whole --binary < photo.png
  seq 1000 | enchufe publish numbers --json")]
pub(crate) struct Publish {
    /// The channel: its URL, or its name at --server
    #[arg(value_name = "CHANNEL")]
    pub(crate) channel: String,

    /// The message; - and nothing take messages from standard input, a line each
    #[arg(value_name = "DATA", allow_negative_numbers = true)]
    pub(crate) data: Option<String>,

    /// Publish all of standard input as one message
    #[arg(long, conflicts_with = "framing")]
    pub(crate) whole: bool,

    /// How messages follow each other in the input
    #[arg(long, value_name = "FRAMING", default_value = "lines")]
    pub(crate) framing: Framing,

    /// Publish binary messages, also when they are text
    #[arg(long)]
    pub(crate) binary: bool,

    /// The longest message
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = values::bytes)]
    pub(crate) max_message: usize,

    /// Print for each request its position, or the first and the last of several
    #[arg(long, conflicts_with = "json")]
    pub(crate) positions: bool,

    /// Print for each request what the server acknowledged, as a line of JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Give up after trying for this long to have a message acknowledged
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = values::time)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) server: Server,
}
