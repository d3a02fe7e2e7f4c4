//! The words of `enchufe resolve`.

use clap::{Args, ValueEnum};

/// Show every address that a name stands for, as programs on this machine get them
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe resolve www.google.com 80 --proto tcp
  enchufe resolve localhost http --json")]
pub(crate) struct Resolve {
    /// A name or an address
    #[arg(value_name = "HOST")]
    pub(crate) host: String,

    /// A service name or a port
    #[arg(value_name = "SERVICE")]
    pub(crate) service: Option<String>,

    /// Only addresses of this family
    #[arg(long, value_name = "FAMILY")]
    pub(crate) family: Option<Family>,

    /// Only answers for this protocol
    #[arg(long, value_name = "PROTOCOL")]
    pub(crate) proto: Option<Protocol>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `--family`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Family {
    #[value(name = "ipv4")]
    V4,
    #[value(name = "ipv6")]
    V6,
}

/// `--proto`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}
