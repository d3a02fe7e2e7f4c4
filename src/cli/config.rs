//! `enchufe config`: whether a configuration is sound, what it comes to, and one to begin with.

use super::{
    args::{self, ConfigAction},
    catalogue::{ConfigPhrase, Phrase, meaning},
    exit_code::Exit,
    failure::Failure,
    language::Language,
    output::{self, OutputError},
    run as server,
};
use crate::{
    address::redacted,
    config::{Config, Key, Origin, Section, Setting},
};

/// Checks, shows or prints.
pub(super) fn run(
    args: &args::Config,
    log_flag: Option<String>,
    language: Language,
) -> Result<Exit, Failure> {
    let layers = server::layers(args.settings.clone(), log_flag);
    let printed = match args.action {
        ConfigAction::Default => print(&default_file(language)),
        ConfigAction::Check => {
            let config = server::check(&args.file, &layers)?;
            let path = args.file.display().to_string();
            let (channels, listeners) = (config.channels.len(), config.listen.len());
            let phrase = ConfigPhrase::Sound { path: &path, channels, listeners };
            output::notice(&language.say(Phrase::Config(phrase)));
            Ok(())
        }
        ConfigAction::Show => {
            let config = Config::load(Some(&args.file), &layers)?;
            print(&shown(&config, &args.file.display().to_string()))
        }
    };
    printed.map_or_else(OutputError::into_result, |()| Ok(Exit::Success))
}

fn print(text: &str) -> Result<(), OutputError> {
    output::data(text.as_bytes())
}

/// A file with every key: those that have a default say it, the others only how they would be said.
fn default_file(language: Language) -> String {
    let say = |phrase| language.say(Phrase::Config(phrase));
    let mut text = String::new();
    comment(&mut text, &say(ConfigPhrase::DefaultFile));
    comment(&mut text, &say(ConfigPhrase::HowToRead));
    for section in Section::ALL {
        // Nothing is a channel unless somebody says so.
        let is_example = matches!(section, Section::Channel | Section::Source);
        match section {
            Section::Root => {}
            Section::Channel => {
                text.push('\n');
                comment(&mut text, &say(ConfigPhrase::ChannelsFollow));
                text.push_str("#[channels.\"time\"]\n");
            }
            Section::Source => {
                text.push('\n');
                comment(&mut text, &say(ConfigPhrase::SourcesFollow));
                text.push_str("#[channels.\"time\".source]\n");
            }
            other => text.push_str(&format!("\n{}\n", other.heading())),
        }
        for key in section.keys() {
            text.push('\n');
            comment(&mut text, meaning(key, language));
            let (name, default) = (key.name(), key.default());
            let mark = if is_example || default.is_none() { "#" } else { "" };
            let value = default.unwrap_or_else(|| key.example().to_owned());
            text.push_str(&format!("{mark}{name} = {value}\n"));
        }
    }
    text
}

/// A text in lines that begin with `# `, none of them long.
fn comment(text: &mut String, words: &str) {
    const LINE_LEN_MAX: usize = 98;
    let mut line = String::new();
    for word in words.split_whitespace() {
        if line.chars().count() + word.chars().count() + 1 > LINE_LEN_MAX {
            text.push_str(&format!("# {line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    text.push_str(&format!("# {line}\n"));
}

/// What holds, as a file would say it, and who says each value.
fn shown(config: &Config, path: &str) -> String {
    let mut text = String::new();
    let mut place = (Section::Root, None);
    for setting in &config.settings {
        let own = (setting.key.section(), setting.of.as_ref());
        if own != place {
            text.push_str(&format!("\n{}\n", heading(own.0, own.1)));
            place = own;
        }
        text.push_str(&shown_setting(setting, path));
        text.push('\n');
    }
    text
}

fn heading(section: Section, of: Option<&String>) -> String {
    let channel = || of.map(|name| quoted(name)).unwrap_or_default();
    match section {
        Section::Channel => format!("[channels.{}]", channel()),
        Section::Source => format!("[channels.{}.source]", channel()),
        other => other.heading().to_owned(),
    }
}

fn shown_setting(Setting { key, texts, origin, .. }: &Setting, path: &str) -> String {
    let by = match origin {
        Origin::Flag => key.flag().map(|flag| format!("--{flag}")).unwrap_or_default(),
        Origin::Environment => key.variable().unwrap_or_default(),
        Origin::File(line) => format!("{path}:{line}"),
        Origin::Default => "default".to_owned(),
    };
    // A password in an address is nobody's business.
    let shown = |text: &String| match key {
        Key::Source | Key::From => value(&redacted(text)),
        _ => value(text),
    };
    let said = match texts {
        Some(texts) if key.is_list() && *key != Key::Address => {
            Some(format!("[{}]", texts.iter().map(shown).collect::<Vec<_>>().join(", ")))
        }
        Some(texts) => texts.first().map(shown),
        None => key.default(),
    };
    match said {
        Some(said) => format!("{} = {said}  # {by}", key.name()),
        None => format!("# {} = (none)  # {by}", key.name()),
    }
}

/// A value as a file would say it.
fn value(text: &str) -> String {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    match text {
        "true" | "false" => text.to_owned(),
        "" => quoted(text),
        _ if is_number => text.to_owned(),
        _ => quoted(text),
    }
}

/// A text in quotes: what JSON escapes, TOML understands.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Layers;

    fn parse(text: &str) -> Config {
        let layers = Layers::default();
        Config::parse(text, "a.toml", Path::new(""), &layers).expect("a configuration")
    }

    /// What holds, without who says it and without what has no value.
    fn held(config: &Config) -> Vec<String> {
        let all = config.settings.iter().map(|setting| {
            let line = shown_setting(setting, "");
            let value = line.split_once("  # ").map_or(line.as_str(), |(value, _)| value);
            format!("{:?} {value}", setting.of)
        });
        all.collect()
    }

    #[test]
    fn the_file_of_defaults_says_what_holds_without_it() {
        for language in [Language::English, Language::Spanish] {
            assert_eq!(held(&parse(&default_file(language))), held(&parse("")));
        }
    }

    #[test]
    fn what_the_file_of_defaults_leaves_open_can_be_said() {
        for language in [Language::English, Language::Spanish] {
            let text = default_file(language);
            let open = text.lines().map(|line| match line.strip_prefix('#') {
                // What needs a certificate, or makes one.
                Some(rest) if rest.starts_with("tls_") => line,
                Some(rest) if !rest.starts_with(' ') => rest,
                _ => line,
            });
            // A source is one text or a table.
            let open: Vec<_> = open.filter(|line| !line.starts_with("source = ")).collect();
            // What belongs to a program alone has no place beside a clock.
            let open: Vec<_> = open
                .into_iter()
                .filter(|line| !["pty", "restart", "range"].iter().any(|key| line.starts_with(key)))
                .collect();
            let config = parse(&open.join("\n"));
            assert_eq!(config.channels.len(), 1);
            assert_eq!(config.limits.connections_per_address_max, Some(1000));
        }
    }

    #[test]
    fn every_key_is_in_the_file_of_defaults() {
        let text = default_file(Language::English);
        for key in Key::ALL {
            let said = format!("{} = ", key.name());
            let is_said = |line: &str| line.trim_start_matches('#').starts_with(&said);
            assert!(text.lines().any(is_said), "{}", key.name());
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again_and_comes_to_the_same() {
        let text = "log = \"info\"\n[limits]\nviewers_max = 7\n[channels.\"chat/*\"]\n\
                    slow_allowed = [\"cut\"]\nhistory_age = \"90s\"\n\
                    [channels.\"a \\\"b\\\"\"]\nsource = { from = \"random\", range = \"1..6\" }\n";
        let config = parse(text);
        let shown = shown(&config, "a.toml");
        assert!(shown.contains("viewers_max = 7  # a.toml:3\n"), "{shown}");
        assert_eq!(held(&parse(&shown)), held(&config), "{shown}");
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        let config = parse("[channels.a]\nsource = \"exec:./job\"\n");
        assert!(shown(&config, "").contains("source = \"exec:./job\""));
    }
}
