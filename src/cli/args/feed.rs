//! The words of `enchufe feed`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, ValueHint};

use super::{Source, Tls};
use crate::{cli::values, guard::AllowedOrigin, http::MetricsAccess};

/// Make one source a channel with a page, which any number of viewers share
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  vmstat 1 | enchufe feed
  enchufe feed --exec -- ./job --verbose
  enchufe feed clock --channel time")]
pub(crate) struct Feed {
    #[command(flatten)]
    pub(crate) source: Source,

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

    /// Let a message wait so long for others, so that they go to each viewer together
    #[arg(long, value_name = "TIME", default_value = "0s")]
    #[arg(value_parser = values::flush_window)]
    pub(crate) flush_window: Duration,

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

    /// Who may read /metrics where reading needs no token: this machine (loopback), all (on) or nobody (off)
    #[arg(long, value_name = "WHO", default_value = "loopback")]
    pub(crate) metrics: Metrics,

    #[command(flatten)]
    pub(crate) tls: Tls,
}

/// Who may read the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Metrics {
    Loopback,
    On,
    Off,
}

impl From<Metrics> for MetricsAccess {
    fn from(metrics: Metrics) -> Self {
        match metrics {
            Metrics::Loopback => Self::Loopback,
            Metrics::On => Self::Everyone,
            Metrics::Off => Self::Off,
        }
    }
}

/// What a viewer who is too slow gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Slow {
    Skip,
    Latest,
    Cut,
}
