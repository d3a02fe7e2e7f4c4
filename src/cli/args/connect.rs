//! The words of `enchufe connect`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueHint};

use crate::cli::values;

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
