//! What `run` and `config` say, in every language.

use super::{
    Report, live, one_of, source,
    spanish::{address, io, usage},
};
use crate::{
    cli::{language::Language, values::ValueError},
    config::{Cause, Expected, Key, Problem, Section},
    limits::CONFIG_BYTES_MAX,
    live::broker::ParsePatternError,
};

/// What `run` and `config` say, apart from failures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ConfigPhrase<'a> {
    /// config check: nothing is wrong.
    Sound { path: &'a str, channels: usize, listeners: usize },
    /// run: how many channels there are, and how it ends.
    Serves { channels: usize },
    /// run: the file was read again, and what it says holds.
    Reloaded(&'a str),
    /// run: the file was read again, and something in it is wrong.
    KeptOld(&'a str),
    /// run: nothing is listened on here before the server is started again.
    ListensLater(&'a str),
    /// run: this is listened on until the server is started again.
    ListensStill(&'a str),
    /// run: another value of a key holds once the server is started again.
    HoldsLater(Key),
    /// run: a listener keeps its certificate until the server is started again.
    CertificateLater(&'a str),
    /// run: a channel is no longer in the file.
    ChannelStays(&'a str),
    /// run: the source of a channel has ended, and so has the channel.
    ChannelEnded(&'a str),
    /// run: standard input cannot be given to another channel.
    InputStays(&'a str),
    /// run: the source of a channel has ended.
    SourceEnded { channel: &'a str, status: &'a str },
    /// config default: what the file is.
    DefaultFile,
    /// config default: what stands in it how.
    HowToRead,
    /// config default: before the channels.
    ChannelsFollow,
    /// config default: before a source.
    SourcesFollow,
}

pub(super) fn english(phrase: ConfigPhrase<'_>) -> String {
    match phrase {
        ConfigPhrase::Sound { path, channels, listeners } => {
            format!("{path} is sound: {listeners} listeners, {channels} channels and rules")
        }
        ConfigPhrase::Serves { channels } => format!(
            "{channels} channels and rules; SIGHUP reads the configuration again, Ctrl-C ends"
        ),
        ConfigPhrase::Reloaded(path) => format!("{path} was read again and holds"),
        ConfigPhrase::KeptOld(path) => {
            format!("{path} was read again; nothing of it holds, all stays as it was")
        }
        ConfigPhrase::ListensLater(address) => {
            format!("{address} is listened on only once the server is started again")
        }
        ConfigPhrase::ListensStill(address) => {
            format!("{address} is listened on until the server is started again")
        }
        ConfigPhrase::HoldsLater(key) => {
            format!("{} changes only once the server is started again", key.name())
        }
        ConfigPhrase::CertificateLater(address) => {
            format!("{address} keeps its certificate until the server is started again")
        }
        ConfigPhrase::ChannelStays(channel) => format!(
            "the channel '{channel}' is no longer there; what it keeps can be read until the \
             server is started again"
        ),
        ConfigPhrase::ChannelEnded(channel) => format!(
            "the channel '{channel}' has ended; its new source begins once the server is started \
             again"
        ),
        ConfigPhrase::InputStays(channel) => {
            format!("'{channel}' reads standard input only once the server is started again")
        }
        ConfigPhrase::SourceEnded { channel, status } => {
            format!("the source of '{channel}' has ended ({status}); its history stays")
        }
        ConfigPhrase::DefaultFile => {
            "What a server is configured with: every key, its meaning and its default.".into()
        }
        ConfigPhrase::HowToRead => {
            "What begins with # and no space has no default: take the # away to say it.".into()
        }
        ConfigPhrase::ChannelsFollow => "A channel, or with * (one segment) or ** (all that \
             follow) a rule for those that are made on first use. The first that matches counts."
            .into(),
        ConfigPhrase::SourcesFollow => "More about a source.".into(),
    }
}

pub(super) fn spanish(phrase: ConfigPhrase<'_>) -> String {
    match phrase {
        ConfigPhrase::Sound { path, channels, listeners } => format!(
            "{path} está bien: se escucha en {listeners} direcciones, con {channels} canales y \
             reglas"
        ),
        ConfigPhrase::Serves { channels } => format!(
            "{channels} canales y reglas; SIGHUP vuelve a leer la configuración, Ctrl-C termina"
        ),
        ConfigPhrase::Reloaded(path) => format!("{path} se ha leído de nuevo y ya se aplica"),
        ConfigPhrase::KeptOld(path) => {
            format!("{path} se ha leído de nuevo; no se aplica nada, todo sigue como estaba")
        }
        ConfigPhrase::ListensLater(address) => {
            format!("en {address} se escuchará cuando se vuelva a iniciar el servidor")
        }
        ConfigPhrase::ListensStill(address) => {
            format!("en {address} se escucha hasta que se vuelva a iniciar el servidor")
        }
        ConfigPhrase::HoldsLater(key) => {
            format!("{} cambia solo cuando se vuelva a iniciar el servidor", key.name())
        }
        ConfigPhrase::CertificateLater(address) => {
            format!("{address} conserva su certificado hasta que se vuelva a iniciar el servidor")
        }
        ConfigPhrase::ChannelStays(channel) => format!(
            "el canal '{channel}' ya no figura; lo que guarda se puede leer hasta que se vuelva a \
             iniciar el servidor"
        ),
        ConfigPhrase::ChannelEnded(channel) => format!(
            "el canal '{channel}' ha terminado; su nueva fuente empieza cuando se vuelva a \
             iniciar el servidor"
        ),
        ConfigPhrase::InputStays(channel) => format!(
            "'{channel}' lee la entrada estándar solo cuando se vuelva a iniciar el servidor"
        ),
        ConfigPhrase::SourceEnded { channel, status } => {
            let status = live::status_in_spanish(status);
            format!("la fuente de '{channel}' ha terminado ({status}); su historial sigue ahí")
        }
        ConfigPhrase::DefaultFile => {
            "La configuración de un servidor: cada clave, qué significa y su valor por omisión."
                .into()
        }
        ConfigPhrase::HowToRead => {
            "Lo que empieza por # sin espacio no tiene valor por omisión: quita el # para decirlo."
                .into()
        }
        ConfigPhrase::ChannelsFollow => "Un canal o, con * (un segmento) o ** (todos los que \
             siguen), una regla para los que se crean al usarlos. Cuenta la primera que encaja."
            .into(),
        ConfigPhrase::SourcesFollow => "Más sobre una fuente.".into(),
    }
}

/// A problem in words, its place before them.
pub(super) fn report(problem: &Problem, language: Language) -> Report {
    let (message, hint) = match language {
        Language::English => in_english(&problem.cause),
        Language::Spanish => in_spanish(&problem.cause),
    };
    let message = match &problem.place {
        Some(place) if place.file.is_empty() => message,
        Some(place) => format!("{}:{}: {message}", place.file, place.line),
        None => message,
    };
    Report { message, hint }
}

fn in_english(cause: &Cause) -> (String, Option<String>) {
    match cause {
        Cause::Unreadable { path, error } => (
            super::english::without_number(format!(
                "cannot read the configuration '{path}': {error}"
            )),
            Some("enchufe config default > enchufe.toml makes one to begin with".into()),
        ),
        Cause::TooLong { path } => (
            format!("the configuration '{path}' is longer than {CONFIG_BYTES_MAX} bytes"),
            Some("is it another file?".into()),
        ),
        Cause::Syntax(why) => (
            format!("this is no TOML: {why}"),
            Some("a line is KEY = VALUE or [TABLE], and a text stands in \"quotes\"".into()),
        ),
        Cause::UnknownKey { name, section, similar, elsewhere } => {
            let place = heading(*section, "at the top of the file");
            let hint = match (elsewhere, similar) {
                (Some(key), _) => belongs(*key, "it belongs in", "it belongs at the top"),
                (None, Some(key)) => format!("did you mean '{}'?", key.name()),
                (None, None) => {
                    let names: Vec<String> = names(*section);
                    format!("use {}", one_of(&names, "or"))
                }
            };
            (format!("there is no key '{name}' {place}"), Some(hint))
        }
        Cause::BadValue { name, value, expected } => {
            (format!("'{value}' is not a value of {name}"), Some(expected_in_english(expected)))
        }
        Cause::Missing { key, with } => {
            (format!("{with} needs {}", key.name()), Some(format!("add {} = …", key.name())))
        }
        Cause::Misplaced { key, with } => (
            format!("{} means nothing with '{with}'", key.name()),
            Some(format!("leave {} out", key.name())),
        ),
        Cause::SourceOfPattern(name) => (
            format!("'{name}' stands for many channels and cannot have a source"),
            Some("give the source to a channel with a name of its own".into()),
        ),
        Cause::SharedInput(name) => (
            format!("'{name}' reads standard input, and so does another channel"),
            Some("give '-' to one channel".into()),
        ),
        Cause::NoCertificate(address) => (
            format!("{address} needs a certificate"),
            Some("tls_cert and tls_key name one, tls_dev = true makes one for development".into()),
        ),
    }
}

fn in_spanish(cause: &Cause) -> (String, Option<String>) {
    match cause {
        Cause::Unreadable { path, error } => (
            format!("no se puede leer la configuración '{path}': {}", io(error)),
            Some("enchufe config default > enchufe.toml crea una para empezar".into()),
        ),
        Cause::TooLong { path } => (
            format!("la configuración '{path}' supera los {CONFIG_BYTES_MAX} bytes"),
            Some("¿no será otro archivo?".into()),
        ),
        Cause::Syntax(why) => (
            format!("esto no es TOML: {why}"),
            Some("una línea es CLAVE = VALOR o [TABLA], y un texto va entre \"comillas\"".into()),
        ),
        Cause::UnknownKey { name, section, similar, elsewhere } => {
            let place = heading_in_spanish(*section);
            let hint = match (elsewhere, similar) {
                (Some(key), _) => {
                    belongs(*key, "su sitio es", "su sitio es el principio del archivo")
                }
                (None, Some(key)) => format!("¿quisiste decir '{}'?", key.name()),
                (None, None) => format!("usa {}", one_of(&names(*section), "o")),
            };
            (format!("no existe la clave '{name}' {place}"), Some(hint))
        }
        Cause::BadValue { name, value, expected } => {
            (format!("'{value}' no es un valor de {name}"), Some(expected_in_spanish(expected)))
        }
        Cause::Missing { key, with } => {
            (format!("{with} necesita {}", key.name()), Some(format!("añade {} = …", key.name())))
        }
        Cause::Misplaced { key, with } => (
            format!("{} no significa nada con '{with}'", key.name()),
            Some(format!("quita {}", key.name())),
        ),
        Cause::SourceOfPattern(name) => (
            format!("'{name}' representa muchos canales y no puede tener una fuente"),
            Some("da la fuente a un canal con nombre propio".into()),
        ),
        Cause::SharedInput(name) => (
            format!("'{name}' lee la entrada estándar, y otro canal también"),
            Some("da '-' a un solo canal".into()),
        ),
        Cause::NoCertificate(address) => (
            format!("{address} necesita un certificado"),
            Some("tls_cert y tls_key nombran uno, tls_dev = true crea uno de desarrollo".into()),
        ),
    }
}

fn names(section: Section) -> Vec<String> {
    let tables: &[&str] = match section {
        Section::Root => &["[[listen]]", "[auth]", "[limits]", "[channels.\"NAME\"]"],
        _ => &[],
    };
    let keys = section.keys().map(Key::name);
    keys.chain(tables.iter().copied()).map(str::to_owned).collect()
}

fn heading(section: Section, top: &str) -> String {
    match section {
        Section::Root => top.to_owned(),
        Section::Source => "in source".to_owned(),
        other => format!("in {}", other.heading()),
    }
}

fn heading_in_spanish(section: Section) -> String {
    match section {
        Section::Root => "al principio del archivo".to_owned(),
        other => format!("en {}", other.heading()),
    }
}

fn belongs(key: Key, elsewhere: &str, top: &str) -> String {
    match key.section() {
        Section::Root => format!("{top}: '{}'", key.name()),
        section => format!("{elsewhere} {}", section.heading()),
    }
}

fn expected_in_english(expected: &Expected) -> String {
    match expected {
        Expected::Time => ValueError::Time.to_string(),
        Expected::FlushWindow => ValueError::FlushWindow.to_string(),
        Expected::Bytes => ValueError::Bytes.to_string(),
        Expected::Count => ValueError::Count.to_string(),
        Expected::Interval => ValueError::Interval.to_string(),
        Expected::Range => ValueError::Range.to_string(),
        Expected::Origin => ValueError::Origin.to_string(),
        Expected::SomeTime => "expected a time above 0, such as 500ms, 30s, 5m or 1h".into(),
        Expected::Flag => "use true or false".into(),
        Expected::Text => "expected a text that is not empty".into(),
        Expected::One => "expected one text, number, true or false".into(),
        Expected::Table => "expected a table, such as { key = \"value\" }".into(),
        Expected::Tables => "expected tables, each under a heading in [[double brackets]]".into(),
        Expected::Filter => {
            "use error, warn, info, debug, trace, or such as enchufe::live=debug".into()
        }
        Expected::OneOf(words) => format!("use {}", one_of(&owned(words), "or")),
        Expected::Address(error) => joined(error.to_string(), error.hint()),
        Expected::Channel(error) => error.to_string(),
        Expected::Pattern(error) => error.to_string(),
        Expected::Source(error) => {
            let Report { message, hint } = source::in_english(error);
            joined(message, hint)
        }
    }
}

fn expected_in_spanish(expected: &Expected) -> String {
    match expected {
        Expected::Time => usage::expected(ValueError::Time).into(),
        Expected::FlushWindow => usage::expected(ValueError::FlushWindow).into(),
        Expected::Bytes => usage::expected(ValueError::Bytes).into(),
        Expected::Count => usage::expected(ValueError::Count).into(),
        Expected::Interval => usage::expected(ValueError::Interval).into(),
        Expected::Range => usage::expected(ValueError::Range).into(),
        Expected::Origin => usage::expected(ValueError::Origin).into(),
        Expected::SomeTime => {
            "se espera un tiempo mayor que 0, por ejemplo 500ms, 30s, 5m o 1h".into()
        }
        Expected::Flag => "usa true o false".into(),
        Expected::Text => "se espera un texto que no esté vacío".into(),
        Expected::One => "se espera un solo texto, un número, true o false".into(),
        Expected::Table => "se espera una tabla, por ejemplo { clave = \"valor\" }".into(),
        Expected::Tables => {
            "se esperan tablas, cada una con su título entre [[dobles corchetes]]".into()
        }
        Expected::Filter => {
            "usa error, warn, info, debug, trace, o por ejemplo enchufe::live=debug".into()
        }
        Expected::OneOf(words) => format!("usa {}", one_of(&owned(words), "o")),
        Expected::Address(error) => {
            let (message, hint) = address(error);
            joined(message, hint)
        }
        Expected::Channel(error) => live::name_in_spanish(error),
        Expected::Pattern(error) => match error {
            ParsePatternError::Name(error) => live::name_in_spanish(error),
            ParsePatternError::PartOfSegment(pattern) => format!(
                "en '{pattern}' hay un '*' que no es un segmento entero, como en 'chat/*' o \
                 'registros/**'"
            ),
            ParsePatternError::GoesOn(pattern) => {
                format!("'{pattern}' sigue tras '**', que ya representa todo lo que sigue")
            }
        },
        Expected::Source(error) => {
            let Report { message, hint } = source::in_spanish(error);
            joined(message, hint)
        }
    }
}

/// What is wrong, and then what to do about it.
fn joined(message: String, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{message}; {hint}"),
        None => message,
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
