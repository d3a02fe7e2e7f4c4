//! `enchufe completions`: what makes a shell complete commands and their flags, from the same
//! source as their parser.

use clap::{Arg, Command, builder::PossibleValue};
use clap_complete::Shell;

use super::{
    args, command,
    exit_code::Exit,
    failure::Failure,
    language::Language,
    output::{self, OutputError},
};

/// Writes the shell's file to standard output. Its descriptions are in the user's language.
pub(super) fn run(args: &args::Completions, language: Language) -> Result<Exit, Failure> {
    let (mut command, mut text) = (command(language), Vec::new());
    clap_complete::generate(args.shell, &mut command, "enchufe", &mut text);
    if args.shell == Shell::Fish {
        text.extend_from_slice(words_for_fish(&command).as_bytes());
    }
    output::data(&text).map(|()| Exit::Success).or_else(OutputError::into_result)
}

/// What clap's file for fish leaves out: the words that an argument without a flag may be.
fn words_for_fish(root: &Command) -> String {
    let mut lines = String::new();
    for command in root.get_subcommands() {
        for values in command.get_positionals().map(Arg::get_possible_values) {
            let words: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
            if words.is_empty() {
                continue;
            }
            let (name, words) = (command.get_name(), words.join(" "));
            lines.push_str(&format!(
                "complete -c enchufe -n \"__fish_enchufe_using_subcommand {name}; and not \
                 __fish_seen_subcommand_from {words}\" -f -a \"{words}\"\n"
            ));
        }
    }
    lines
}
