//! The words of `enchufe demo`.

use clap::Args;

use crate::cli::values;

/// Start the whole tutorial at once: echo, greet, a clock and numbers with a live page
#[derive(Debug, Args)]
#[command(before_help = "Example:\n  enchufe demo")]
pub(crate) struct Demo {
    /// Use the ports N (page), N+1 (greet) and N+2 (echo)
    #[arg(long, value_name = "N", value_parser = values::port_base)]
    pub(crate) port_base: Option<u16>,
}
