//! The words of the commands that are for whoever installs the program.

use clap::Args;
use clap_complete::Shell;

/// Write what makes a shell complete commands and their flags
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe completions bash > ~/.local/share/bash-completion/completions/enchufe
  enchufe completions zsh > ~/.zfunc/_enchufe
  enchufe completions fish > ~/.config/fish/completions/enchufe.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// Write a page of the manual
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  enchufe man connect | man -l -
  enchufe man > /usr/local/share/man/man1/enchufe.1")]
pub(crate) struct Man {
    /// The command that it is about; without one, the whole program
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}
