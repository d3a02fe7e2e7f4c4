//! The words of `serve exec`.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, ValueEnum, ValueHint};

use crate::cli::values;

/// The flags of the service that runs a program for each client, and the program.
#[derive(Debug, Args)]
pub(crate) struct Program {
    /// exec: the folder the program runs in
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,

    /// exec: put this into the program's environment; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::variable)]
    pub(crate) env: Vec<(String, String)>,

    /// exec: give the program a terminal, so that it prints each line at once
    #[arg(long)]
    pub(crate) pty: bool,

    /// exec: how messages follow each other for the program (ws://, udp://) [default: lines]
    #[arg(long, value_name = "FRAMING")]
    pub(crate) framing: Option<ProgramFraming>,

    /// exec: let other machines run the program
    #[arg(long)]
    pub(crate) allow_remote_exec: bool,

    /// exec: let clients of tcp:// and tls:// speak HTTP, as any page in a browser can
    #[arg(long)]
    pub(crate) allow_http: bool,

    /// exec: the program that runs for each client, and its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<OsString>,
}

/// How messages follow each other for a program. (clap would put a doc of a variant into the help
/// page, and make a long one of it.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgramFraming {
    // A line each.
    Lines,
    // A byte of 0 after each.
    Nul,
    // The length of each before it: four bytes, the highest first.
    Length,
    // Whatever one read yields is a message; what comes is written as it is.
    Raw,
}

impl Program {
    /// The first of the flags that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let flags = [
            (self.dir.is_some(), "--dir"),
            (!self.env.is_empty(), "--env"),
            (self.pty, "--pty"),
            (self.framing.is_some(), "--framing"),
            (self.allow_remote_exec, "--allow-remote-exec"),
            (self.allow_http, "--allow-http"),
            (!self.program.is_empty(), "--"),
        ];
        flags.iter().find(|(is_given, _)| *is_given).map(|(_, flag)| *flag)
    }
}
