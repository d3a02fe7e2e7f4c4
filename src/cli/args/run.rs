//! The words of `enchufe run` and `enchufe config`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::Settings;

/// Run the server that a file describes: listeners, channels, sources, limits
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe config default > enchufe.toml
  enchufe run enchufe.toml
  enchufe run enchufe.toml --listen http://127.0.0.1:8080")]
pub(crate) struct Run {
    /// The configuration
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, default_value = "enchufe.toml")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Check a configuration, show what it comes to, or print one with every default
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe config default > enchufe.toml
  enchufe config check enchufe.toml
  enchufe config show enchufe.toml")]
pub(crate) struct Config {
    /// What to do with it
    #[arg(value_name = "ACTION")]
    pub(crate) action: ConfigAction,

    /// The configuration
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, default_value = "enchufe.toml")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// What is done with a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfigAction {
    /// Say what is wrong with it
    Check,
    /// Print what holds, and who says so
    Show,
    /// Print a configuration with every key and its default
    Default,
}
