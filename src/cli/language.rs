//! Which language the program speaks to its user.
//!
//! `--lang`, then `ENCHUFE_LANG`, `LC_ALL`, `LC_MESSAGES`, `LANG`: the first that is set and not
//! empty decides, as POSIX says of its own three (XBD §8.2). A locale that we do not speak is English;
//! a `--lang` that we do not speak is refused, in the language of the environment.

use std::ffi::OsString;

/// A language of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// The default, and what `C`, `POSIX` and every unknown language get.
    English,
    /// Spanish.
    Spanish,
}

/// In the order in which they decide, after `--lang`.
const VARIABLES: [&str; 4] = ["ENCHUFE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];

impl Language {
    /// The language that the command line asks for, or else the environment.
    ///
    /// The command line is searched before it is parsed, because `--help` and the parser's own
    /// errors must already speak the right language.
    pub(crate) fn choose(
        arguments: &[OsString],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let of_variables = || VARIABLES.iter().find_map(|name| variable(name).filter(not_empty));
        let asked_for = asked_for(arguments).and_then(|tag| Self::of_tag(&tag));
        let of_environment = || of_variables().and_then(|tag| Self::of_tag(&tag));
        asked_for.or_else(of_environment).unwrap_or(Self::English)
    }

    /// `es`, `es_ES.UTF-8`, `es-MX`, `spanish`, and `C`, which is English: the language, if we speak
    /// it; the rest of a locale plays no part.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        let language = tag.split(['_', '-', '.', '@']).next().unwrap_or_default();
        match language.to_ascii_lowercase().as_str() {
            "es" | "spa" | "spanish" => Some(Self::Spanish),
            "en" | "eng" | "english" | "c" | "posix" => Some(Self::English),
            _ => None,
        }
    }
}

#[expect(clippy::ptr_arg, reason = "the shape that Option::filter asks for")]
fn not_empty(value: &String) -> bool {
    !value.is_empty()
}

/// The value of the last `--lang` before a `--`.
fn asked_for(arguments: &[OsString]) -> Option<String> {
    let mut found = None;
    let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            break;
        } else if argument == "--lang" {
            found = arguments.next().map(String::from).or(found);
        } else if let Some(value) = argument.strip_prefix("--lang=") {
            found = Some(value.to_owned());
        }
    }
    found.filter(not_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(arguments: &[&str], variables: &[(&str, &str)]) -> Language {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        Language::choose(&arguments, |name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_flag_wins_over_every_variable() {
        let english = [("ENCHUFE_LANG", "en"), ("LC_ALL", "en_GB.UTF-8")];
        assert_eq!(choose(&["enchufe", "--lang", "es", "demo"], &english), Language::Spanish);
        assert_eq!(choose(&["enchufe", "demo", "--lang=es"], &english), Language::Spanish);
        assert_eq!(choose(&["enchufe", "--lang=en"], &[("LANG", "es_ES")]), Language::English);
    }

    #[test]
    fn the_variables_decide_in_their_order_and_an_empty_one_is_not_set() {
        let all = [("ENCHUFE_LANG", "es"), ("LC_ALL", "en"), ("LC_MESSAGES", "en"), ("LANG", "en")];
        assert_eq!(choose(&[], &all), Language::Spanish);
        assert_eq!(choose(&[], &all[1..]), Language::English);
        assert_eq!(choose(&[], &[("LC_ALL", ""), ("LANG", "es_AR.UTF-8")]), Language::Spanish);
        assert_eq!(choose(&[], &[("LC_ALL", "C"), ("LANG", "es_AR.UTF-8")]), Language::English);
    }

    #[test]
    fn what_we_do_not_speak_is_english() {
        for tag in ["C", "POSIX", "C.UTF-8", "de_DE", "", "estonian", "e"] {
            assert_eq!(choose(&[], &[("LANG", tag)]), Language::English, "{tag}");
        }
    }

    #[test]
    fn a_flag_that_is_no_language_leaves_it_to_the_environment() {
        let arguments = ["enchufe", "--lang", "xx"];
        assert_eq!(choose(&arguments, &[("LANG", "es_ES.UTF-8")]), Language::Spanish);
        assert_eq!(choose(&arguments, &[]), Language::English);
    }

    #[test]
    fn arguments_of_the_program_that_is_run_are_not_ours() {
        let arguments = ["enchufe", "feed", "--exec", "--", "job", "--lang", "es"];
        assert_eq!(choose(&arguments, &[]), Language::English);
    }
}
