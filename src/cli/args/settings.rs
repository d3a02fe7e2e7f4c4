//! The flags of a configuration: one for each key that is not said of each channel.
//!
//! They are made of the keys, so that each key has its flag, and under the same name.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use crate::{
    cli::{catalogue::meaning, language::Language},
    config::{Given, Key},
};

/// What flags say of a configuration. What they say is parsed with the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings(pub(crate) Vec<Given>);

/// The keys that have a flag here; that of the log is global.
fn keys() -> impl Iterator<Item = (Key, &'static str)> {
    let others = Key::ALL.into_iter().filter(|key| *key != Key::Log);
    others.filter_map(|key| Some((key, key.flag()?)))
}

fn argument(key: Key, flag: &'static str) -> Arg {
    let arg = Arg::new(key.name()).long(flag).help(meaning(key, Language::English));
    let arg = match key {
        Key::TlsDev => return arg.action(ArgAction::SetTrue),
        key if key.is_list() => arg.action(ArgAction::Append),
        _ => arg.action(ArgAction::Set),
    };
    match key {
        Key::Address => arg.value_name("ADDRESS"),
        Key::AllowOrigin => arg.value_name("ORIGIN"),
        Key::HostName | Key::DefaultChannel => arg.value_name("NAME"),
        Key::Page => arg.value_name("PATH").value_hint(ValueHint::AnyPath),
        Key::HeadTimeout | Key::BodyTimeout | Key::DeadAfter => arg.value_name("TIME"),
        Key::TlsCert | Key::TlsKey | Key::PublishTokenFile | Key::ReadTokenFile => {
            arg.value_name("FILE").value_hint(ValueHint::FilePath)
        }
        _ => arg.value_name("COUNT"),
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        command.args(keys().map(|(key, flag)| argument(key, flag)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let said = keys().filter_map(|(key, _)| {
            let texts = match key {
                Key::TlsDev => matches.get_flag(key.name()).then(|| vec!["true".to_owned()]),
                key => {
                    let texts = matches.get_many::<String>(key.name());
                    texts.map(|texts| texts.cloned().collect())
                }
            };
            Some(Given { key, texts: texts? })
        });
        Ok(Self(said.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
