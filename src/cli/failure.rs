//! Why a command failed: what the catalogue words and the exit code stands for.

use super::{exit_code::Exit, usage::Usage};

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line cannot be meant.
    Usage(Usage),
    /// Already shown, as clap shows the help to who gives no command.
    Shown,
}

impl Failure {
    /// What the failure exits with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Shown => Exit::Usage,
        }
    }
}
