//! `enchufe completions`: what makes a shell complete commands and their flags, from the same
//! source as their parser.

use super::{
    args, command,
    exit_code::Exit,
    failure::Failure,
    language::Language,
    output::{self, OutputError},
};

/// Writes the shell's file to standard output. Its descriptions are in the user's language.
pub(super) fn run(args: &args::Completions, language: Language) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command(language), "enchufe", &mut text);
    output::data(&text).map(|()| Exit::Success).or_else(OutputError::into_result)
}
