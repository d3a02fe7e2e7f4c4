//! The words of `enchufe bench`.

use std::{net::IpAddr, time::Duration};

use clap::Args;

use super::Client;
use crate::cli::values;

/// Load a server that answers, or a channel with viewers, and see how long it takes
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe bench ws://127.0.0.1:9000 --connections 50
  enchufe bench tcp://127.0.0.1:65432 --rate 10000 --duration 30s
  enchufe bench ws://127.0.0.1:9000 --connections 1000 --pid $(pgrep -n enchufe) --json
  enchufe bench ws://127.0.0.1:5678/channels/feed --viewers 1000 --publish 10")]
pub(crate) struct Bench {
    /// The server, which sends back what it gets (tcp://, tls://, unix:, ws:// or wss://), or a
    /// channel's URL for --viewers
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,

    /// How many connections
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = values::count)]
    pub(crate) connections: u32,

    /// How many viewers read a channel, each of which is to have every message
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    #[arg(conflicts_with_all = ["connections", "in_flight", "rate", "count", "warmup", "binary"])]
    pub(crate) viewers: Option<u32>,

    /// Publish so many messages a second to the channel that --viewers read
    #[arg(long, value_name = "NUMBER", value_parser = values::rate, requires = "viewers")]
    pub(crate) publish: Option<f64>,

    /// How many messages each connection has under way
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    #[arg(default_value = "1", conflicts_with = "rate")]
    pub(crate) in_flight: u32,

    /// Messages a second, by all connections together, due at fixed times whatever the server does
    #[arg(long, value_name = "NUMBER", value_parser = values::rate)]
    pub(crate) rate: Option<f64>,

    /// The length of each message
    #[arg(long, value_name = "SIZE", default_value = "64", value_parser = values::bytes)]
    pub(crate) size: usize,

    /// For how long messages are sent
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::time)]
    pub(crate) duration: Duration,

    /// How many messages are sent, if the time is not over before
    #[arg(long, value_name = "COUNT", value_parser = values::count)]
    pub(crate) count: Option<u32>,

    /// Leave out of the report what comes before this has passed
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = values::time)]
    pub(crate) warmup: Duration,

    /// Connect from this address of the machine; several, in turn, for more than 28,000 connections
    #[arg(long, value_name = "IP", value_delimiter = ',', value_parser = values::ip)]
    pub(crate) source: Vec<IpAddr>,

    /// Report the processor time of this process, the server's, for each message, and its memory for
    /// each viewer
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,

    /// Send binary messages (ws://)
    #[arg(long)]
    pub(crate) binary: bool,

    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Give up connecting after this long
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::time)]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) client: Client,
}
