//! clap's help pages in the user's language.

use clap::{Arg, Command};

use super::{Language, spanish};

/// The command with its help texts, headings and value names in the language.
pub(crate) fn localise(command: Command, language: Language) -> Command {
    let (command, heading) = match language {
        Language::English => {
            (command, "To run a server, to measure it, and to install the program:")
        }
        Language::Spanish => {
            (in_spanish(command), "Para llevar un servidor, medirlo e instalar el programa:")
        }
    };
    let more = hidden(&command);
    command.after_help(format!("{heading}\n{more}"))
}

/// The commands that are not among those for people, each with what it does.
fn hidden(root: &Command) -> String {
    let hidden: Vec<_> = root.get_subcommands().filter(|command| command.is_hide_set()).collect();
    let width = hidden.iter().map(|command| command.get_name().len()).max().unwrap_or_default();
    let line = |command: &&Command| {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        format!("  {:<width$}  {about}", command.get_name())
    };
    hidden.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn in_spanish(root: Command) -> Command {
    let root = translate(root, "").subcommand_value_name("ORDEN").mut_subcommands(|command| {
        let scope = format!("{}.", command.get_name());
        translate(command, &scope)
    });
    // clap writes the usage lines only once it knows everything, and some of their words itself.
    let mut built = root.clone();
    built.build();
    let usage = |command: &mut Command| {
        let usage = command.render_usage().to_string();
        usage.trim_start_matches("Usage: ").replace("[OPTIONS]", "[OPCIONES]")
    };
    let of_root = usage(&mut built);
    root.override_usage(of_root).mut_subcommands(|command| {
        let found = built.find_subcommand(command.get_name()).cloned();
        match found {
            Some(mut known) => command.override_usage(usage(&mut known)),
            None => command,
        }
    })
}

/// One command's own texts; what is missing in the catalogue stays English.
fn translate(command: Command, scope: &str) -> Command {
    let about =
        spanish::help(if scope.is_empty() { "enchufe" } else { scope.trim_end_matches('.') });
    let examples = command.get_before_help().map(|text| {
        text.to_string().replacen("Examples:", "Ejemplos:", 1).replacen("Example:", "Ejemplo:", 1)
    });
    let mut template = String::from("{before-help}{about-with-newline}\nUso: {usage}\n");
    if command.has_subcommands() {
        template.push_str("\nÓrdenes:\n{subcommands}\n");
    }
    if command.get_positionals().next().is_some() {
        template.push_str("\nArgumentos:\n{positionals}\n");
    }
    template.push_str("\nOpciones:\n{options}{after-help}");
    let command = command.help_template(template).mut_args(|arg| argument(arg, scope));
    let command = match about {
        Some(about) => command.about(about),
        None => command,
    };
    match examples {
        Some(examples) => command.before_help(examples),
        None => command,
    }
}

fn argument(arg: Arg, scope: &str) -> Arg {
    let Some(help) = spanish::help(&format!("{scope}{}", arg.get_id())) else { return arg };
    let mut help = help.to_owned();
    let mut note = |label: &str, values: Vec<String>| {
        if !values.is_empty() {
            help.push_str(&format!(" [{label}: {}]", values.join(", ")));
        }
    };
    let defaults = arg.get_default_values().iter();
    let defaults = defaults.map(|value| value.to_string_lossy().into_owned()).collect();
    let possible = arg.get_possible_values();
    let possible = possible.iter().map(|value| value.get_name().to_owned()).collect();
    if arg.get_action().takes_values() {
        note("por omisión", defaults);
        note("valores posibles", possible);
    }
    let name = arg.get_value_names().and_then(|names| spanish::value_name(names.first()?));
    let takes_values = arg.get_action().takes_values();
    let arg = arg.help(help).hide_default_value(takes_values).hide_possible_values(takes_values);
    match name {
        Some(name) => arg.value_name(name),
        None => arg,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Cli;

    fn page(language: Language, command: &str) -> String {
        let mut root = localise(Cli::command(), language);
        root.build();
        match command {
            "" => root.render_long_help().to_string(),
            name => {
                let found = root.find_subcommand_mut(name).expect("a subcommand");
                found.render_long_help().to_string()
            }
        }
    }

    fn commands() -> Vec<String> {
        Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
    }

    #[test]
    fn every_command_and_argument_has_a_spanish_text() {
        let root = Cli::command();
        let mut missing = Vec::new();
        let mut check = |id: String| {
            if spanish::help(&id).is_none() {
                missing.push(id);
            }
        };
        check("enchufe".into());
        root.get_arguments().for_each(|arg| check(arg.get_id().to_string()));
        for command in root.get_subcommands() {
            check(command.get_name().to_owned());
            let arguments = command.get_arguments();
            arguments.for_each(|arg| check(format!("{}.{}", command.get_name(), arg.get_id())));
        }
        assert!(missing.is_empty(), "no Spanish text for {missing:?}");
    }

    #[test]
    fn every_value_name_that_is_a_word_has_a_spanish_one() {
        let root = Cli::command();
        let all = root.get_subcommands().chain([&root]).flat_map(Command::get_arguments);
        let all = all.filter(|arg| arg.get_action().takes_values());
        for name in all.filter_map(Arg::get_value_names).flatten() {
            assert!(spanish::value_name(name).is_some(), "no Spanish name for the value {name}");
        }
    }

    #[test]
    fn nothing_of_a_spanish_page_is_left_in_english() {
        for command in commands().iter().map(String::as_str).chain([""]) {
            let page = page(Language::Spanish, command);
            for word in [
                "Usage",
                "Options",
                "Commands",
                "Arguments",
                "default:",
                "possible",
                "Print",
                "OPTIONS",
                "Example",
            ] {
                assert!(!page.contains(word), "'{word}' in the page of '{command}':\n{page}");
            }
        }
    }

    #[test]
    fn every_page_shows_an_example_first() {
        for command in commands().iter().map(String::as_str).chain([""]) {
            assert!(page(Language::English, command).starts_with("Example"), "{command}");
            assert!(page(Language::Spanish, command).starts_with("Ejemplo"), "{command}");
        }
    }

    #[test]
    fn the_commands_come_in_the_order_a_newcomer_meets_them() {
        let root = Cli::command();
        let shown = root.get_subcommands().filter(|command| !command.is_hide_set());
        let shown: Vec<&str> = shown.map(Command::get_name).collect();
        assert_eq!(
            shown,
            ["demo", "feed", "serve", "connect", "publish", "follow", "relay", "resolve"]
        );
    }
}
