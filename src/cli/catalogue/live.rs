//! What `feed` and `demo` say, in every language.

use super::{Report, service, source, spanish::io};
use crate::{
    cli::failure::LiveFailure,
    core::channel::ParseChannelNameError as Name,
    http::{OpenFolderError, ReadTokenError},
    limits::{TOKEN_BYTES_MAX, TOKEN_BYTES_MIN},
};

/// What `feed` and `demo` say, apart from failures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LivePhrase<'a> {
    /// feed: what is live.
    FeedIsLive(&'a str),
    /// demo: what this is.
    DemoIsLive,
    /// The word before the page's URL.
    Page,
    /// The word before the URL of the plain WebSocket.
    WebSocket,
    /// The word before a command for a shell.
    Shell,
    /// The word before the echo server's address.
    Echo,
    /// The word before the greet server's address.
    Greet,
    /// feed: how much is kept, and how it ends.
    Keeps(usize),
    /// demo: before what one can try.
    TryNext,
    /// demo: how it ends.
    CtrlCEnds,
    /// feed: the source has ended; the history stays.
    SourceEnded(&'a str),
    /// feed: the source has ended, and so does this.
    SourceEndedAndSoDoWe(&'a str),
    /// Others can reach this, but not publish.
    ReadOnlyFromElsewhere(&'a str),
    /// feed: others can reach where it listens for producers.
    AnybodyPublishes(&'a str),
    /// demo: a port is taken.
    Taken { address: &'a str, program: &'a str },
}

pub(super) fn english(phrase: LivePhrase<'_>) -> String {
    match phrase {
        LivePhrase::FeedIsLive(channel) => format!("'{channel}' is live"),
        LivePhrase::DemoIsLive => "the tutorial is live".into(),
        LivePhrase::Page => "page".into(),
        LivePhrase::WebSocket => "WebSocket".into(),
        LivePhrase::Shell => "shell".into(),
        LivePhrase::Echo => "echo".into(),
        LivePhrase::Greet => "greet".into(),
        LivePhrase::Keeps(count) => {
            format!("the newest {count} messages are kept for those who come late; Ctrl-C ends")
        }
        LivePhrase::TryNext => "try, in another terminal:".into(),
        LivePhrase::CtrlCEnds => "Ctrl-C ends".into(),
        LivePhrase::SourceEnded(status) => {
            format!("the source has ended ({status}); its history stays until Ctrl-C")
        }
        LivePhrase::SourceEndedAndSoDoWe(status) => format!("the source has ended ({status})"),
        LivePhrase::ReadOnlyFromElsewhere(address) => {
            format!(
                "{address} can be read from other machines; publishing from there is refused without --publish-token-file FILE"
            )
        }
        LivePhrase::AnybodyPublishes(address) => {
            format!("whoever reaches {address} publishes to this channel, from any machine")
        }
        LivePhrase::Taken { address, program } => format!(
            "{address} is taken, perhaps by the tutorial's own program: that part is left out; '{program} demo --port-base 9000' takes other ports"
        ),
    }
}

pub(super) fn spanish(phrase: LivePhrase<'_>) -> String {
    match phrase {
        LivePhrase::FeedIsLive(channel) => format!("'{channel}' está en directo"),
        LivePhrase::DemoIsLive => "el tutorial está en directo".into(),
        LivePhrase::Page => "página".into(),
        LivePhrase::WebSocket => "WebSocket".into(),
        LivePhrase::Shell => "consola".into(),
        LivePhrase::Echo => "eco".into(),
        LivePhrase::Greet => "saludo".into(),
        LivePhrase::Keeps(count) => format!(
            "se guardan los {count} mensajes más recientes para quien llegue tarde; Ctrl-C termina"
        ),
        LivePhrase::TryNext => "prueba, en otra terminal:".into(),
        LivePhrase::CtrlCEnds => "Ctrl-C termina".into(),
        LivePhrase::SourceEnded(status) => format!(
            "la fuente ha terminado ({}); su historial sigue ahí hasta Ctrl-C",
            status_in_spanish(status)
        ),
        LivePhrase::SourceEndedAndSoDoWe(status) => {
            format!("la fuente ha terminado ({})", status_in_spanish(status))
        }
        LivePhrase::ReadOnlyFromElsewhere(address) => {
            format!(
                "{address} se puede leer desde otras máquinas; publicar desde allí se rechaza sin --publish-token-file ARCHIVO"
            )
        }
        LivePhrase::AnybodyPublishes(address) => {
            format!("quien alcance {address} publica en este canal, desde cualquier máquina")
        }
        LivePhrase::Taken { address, program } => format!(
            "{address} está ocupado, quizá por el propio programa del tutorial: esa parte no se inicia; '{program} demo --port-base 9000' usa otros puertos"
        ),
    }
}

/// Why a text is no name of a channel.
pub(super) fn name_in_spanish(error: &Name) -> String {
    match error {
        Name::Empty => "un canal necesita un nombre".to_owned(),
        Name::TooLong(name) => format!("el nombre de canal '{name}…' es demasiado largo"),
        Name::Segment(name) => {
            format!("el nombre de canal '{name}' tiene un segmento vacío, '.' o '..'")
        }
        Name::Control(name) => {
            format!("el nombre de canal {name:?} tiene un carácter de control")
        }
        other => other.to_string(),
    }
}

/// `exit 3` and `signal 9` are codes; the rest is words.
pub(super) fn status_in_spanish(status: &str) -> &str {
    match status {
        "end of input" => "fin de la entrada",
        other => other,
    }
}

pub(super) fn report_in_english(failure: &LiveFailure) -> Report {
    let (message, hint) = match failure {
        LiveFailure::Start(error) => {
            return Report { message: error.to_string(), hint: error.hint() };
        }
        LiveFailure::Source(error) => return source::in_english(error),
        LiveFailure::NoSource => (
            "there is no source, and standard input is a terminal".to_owned(),
            Some("pipe something in (vmstat 1 | enchufe feed), or name one: enchufe feed clock"),
        ),
        LiveFailure::Follow { path, error } => (
            format!("cannot follow '{path}': {error}"),
            Some("give a file that this user may read"),
        ),
        LiveFailure::Channel(error) => {
            (error.to_string(), Some("a name is like sensors or sensors/door"))
        }
        LiveFailure::Page(error) => {
            (error.to_string(), Some("give a file, or a folder with an index.html"))
        }
        LiveFailure::Token(error) => {
            (error.to_string(), Some("head -c 32 /dev/urandom | base64 > FILE makes one"))
        }
        LiveFailure::NothingStarted => {
            let hint = "enchufe demo --port-base 9000 takes other ports";
            ("nothing could be started: every port is taken".to_owned(), Some(hint))
        }
    };
    Report { message, hint: hint.map(str::to_owned) }
}

pub(super) fn report_in_spanish(failure: &LiveFailure) -> Report {
    let (message, hint) = match failure {
        LiveFailure::Start(error) => {
            let (message, hint) = service::start_in_spanish(error);
            return Report { message, hint };
        }
        LiveFailure::Source(error) => return source::in_spanish(error),
        LiveFailure::NoSource => (
            "no hay fuente, y la entrada estándar es una terminal".to_owned(),
            Some("conecta algo (vmstat 1 | enchufe feed) o nombra una: enchufe feed clock"),
        ),
        LiveFailure::Follow { path, error } => (
            format!("no se puede seguir '{path}': {}", io(error)),
            Some("da un archivo que este usuario pueda leer"),
        ),
        LiveFailure::Channel(error) => {
            (name_in_spanish(error), Some("un nombre es como sensores o sensores/puerta"))
        }
        LiveFailure::Page(OpenFolderError { path, error }) => (
            format!("no se puede servir la página '{path}': {}", io(error)),
            Some("da un archivo, o una carpeta con un index.html"),
        ),
        LiveFailure::Token(error) => (
            match error {
                ReadTokenError::Io { path, error } => {
                    format!("no se puede leer el archivo del token '{path}': {}", io(error))
                }
                ReadTokenError::Unusable(path) => format!(
                    "el archivo '{path}' no contiene un token: su primera línea debe tener de \
                     {TOKEN_BYTES_MIN} a {TOKEN_BYTES_MAX} caracteres ASCII visibles"
                ),
            },
            Some("head -c 32 /dev/urandom | base64 > ARCHIVO crea uno"),
        ),
        LiveFailure::NothingStarted => {
            let hint = "enchufe demo --port-base 9000 usa otros puertos";
            let message = "no se ha podido iniciar nada: todos los puertos están ocupados";
            (message.to_owned(), Some(hint))
        }
    };
    Report { message, hint: hint.map(str::to_owned) }
}
