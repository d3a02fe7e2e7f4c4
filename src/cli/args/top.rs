//! The words of `enchufe top`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum, ValueHint};

use crate::cli::values;

/// Watch a server: its channels, their rates, readers and lag
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe top
  enchufe top https://feed.example --token-file token
  enchufe top --once --sort lag
  enchufe top --json | jq .channels")]
pub(crate) struct Top {
    /// The server: http:// or https://
    #[arg(value_name = "SERVER", env = "ENCHUFE_SERVER", hide_env = true)]
    #[arg(default_value = "http://127.0.0.1:5678", value_hint = ValueHint::Url)]
    pub(crate) server: String,

    /// Show the token in this file
    #[arg(long, value_name = "FILE", env = "ENCHUFE_TOKEN_FILE", hide_env = true)]
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,

    /// How often to look, and what rates are measured over
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = values::time)]
    pub(crate) interval: Duration,

    /// Order channels by this
    #[arg(long, value_name = "COLUMN", default_value = "viewers")]
    pub(crate) sort: Column,

    /// Only channels with this in their name
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) filter: String,

    /// Print one table and end, as is done where there is no terminal
    #[arg(long)]
    pub(crate) once: bool,

    /// Print one table as JSON and end
    #[arg(long)]
    pub(crate) json: bool,

    /// https: trust the certificates in this file, too (PEM); may be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca: Vec<PathBuf>,

    /// https: connect whatever certificate is shown
    #[arg(long)]
    pub(crate) insecure: bool,
}

/// What channels can be ordered by, in the order of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Column {
    Name,
    Viewers,
    Lag,
    In,
    Out,
    Bytes,
    Gaps,
    Cut,
    Messages,
    Memory,
}

impl Column {
    pub(crate) const ALL: [Self; 10] = [
        Self::Name,
        Self::Viewers,
        Self::Lag,
        Self::In,
        Self::Out,
        Self::Bytes,
        Self::Gaps,
        Self::Cut,
        Self::Messages,
        Self::Memory,
    ];

    /// The one after it, or with -1 the one before it.
    pub(crate) fn beside(self, step: isize) -> Self {
        let count = Self::ALL.len();
        let at = Self::ALL.iter().position(|one| *one == self).unwrap_or_default();
        Self::ALL[(at + count).saturating_add_signed(step) % count]
    }
}
