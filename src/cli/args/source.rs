//! The words by which `feed` is told what its source is.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use super::{Client, Generator, ProgramFraming};

/// Where messages come from, how they are told apart there, and what they must be.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// Where messages come from: - (lines of standard input), clock, random, exec:PROGRAM, file:PATH
    /// (what is added to it), the ADDRESS of a server, or listen:ADDRESS (whoever connects there)
    #[arg(value_name = "SOURCE", conflicts_with = "exec")]
    pub(crate) source: Option<String>,

    /// Take the lines of the program after --, which runs once for all viewers
    #[arg(long, requires = "program")]
    pub(crate) exec: bool,

    /// exec: give the program a terminal, so that it prints each line at once
    #[arg(long)]
    pub(crate) pty: bool,

    /// exec: when the program ends, run it again, after pauses that grow to 30 s [default: never]
    #[arg(long, value_name = "WHEN")]
    pub(crate) restart: Option<RestartWhen>,

    /// file: begin with what is there, not with what is added from now on
    #[arg(long)]
    pub(crate) from_beginning: bool,

    /// How messages follow each other where they come from [default: lines]
    #[arg(long, value_name = "FRAMING")]
    pub(crate) framing: Option<ProgramFraming>,

    /// What every message must be; one that is not is left out, counted and logged
    #[arg(long, value_name = "KIND")]
    pub(crate) check: Option<CheckKind>,

    #[command(flatten)]
    pub(crate) client: Client,

    #[command(flatten)]
    pub(crate) generator: Generator,

    /// The program whose lines are the messages, and its arguments
    #[arg(last = true, value_name = "PROGRAM", requires = "exec")]
    pub(crate) program: Vec<OsString>,
}

/// When a program is run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RestartWhen {
    Never,
    OnFailure,
    Always,
}

/// What a message must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckKind {
    Json,
    Number,
}
