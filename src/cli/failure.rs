//! Why a command failed: what the catalogue words and the exit code stands for.

use std::{io, time::Duration};

use super::{exit_code::Exit, usage::Usage};

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line cannot be meant.
    Usage(Usage),
    /// Already shown, as clap shows the help to who gives no command.
    Shown,
    /// Standard input cannot be read.
    Input(io::Error),
    /// Standard output cannot be written.
    Output(io::Error),
    /// The system refused a handler for signals, or threads.
    System(io::Error),
    /// A line of the input is longer than any message may be.
    LineTooLong { bytes_max: usize },
    /// Nothing came back in time.
    NoReply { wait: Duration },
    /// `connect -`: standard input is what is to be sent.
    ConnectToStdio,
}

impl Failure {
    /// What the failure exits with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Shown | Self::ConnectToStdio | Self::LineTooLong { .. } => {
                Exit::Usage
            }
            Self::Input(_) | Self::Output(_) | Self::System(_) => Exit::Usage,
            Self::NoReply { .. } => Exit::Timeout,
        }
    }
}
