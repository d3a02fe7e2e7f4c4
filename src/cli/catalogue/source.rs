//! What is wrong with the text of a source, in every language.

use super::{Report, spanish::address};
use crate::source::ParseOriginError as Error;

/// What one could have meant, in the words of `feed`.
const EXAMPLES: &str =
    "-, clock, random, exec:./job, file:app.log, tcp://localhost:7000, listen:tcp://localhost:7000";

/// Where producers can be listened for.
const LISTENED: &str = "tcp://, tls://, udp://, unix:, unixgram:, ws://, wss://";

pub(super) fn in_english(error: &Error) -> Report {
    let hint = match error {
        Error::Unknown { suggestion: Some(word), .. } => format!("did you mean {word}?"),
        Error::Unknown { .. } => format!("a source looks like {EXAMPLES}"),
        Error::NotListened(_) => format!("listen to producers at {LISTENED}"),
        Error::Page { text, suggestion } => format!(
            "--listen {text} would serve the feed there; {suggestion} would take what a channel there says"
        ),
        Error::Address(error) => {
            return Report { message: error.to_string(), hint: error.hint() };
        }
    };
    Report { message: error.to_string(), hint: Some(hint) }
}

pub(super) fn in_spanish(error: &Error) -> Report {
    let (message, hint) = match error {
        Error::Unknown { text, suggestion: Some(word) } => {
            (format!("no existe la fuente '{text}'"), format!("¿quisiste decir {word}?"))
        }
        Error::Unknown { text, .. } => {
            (format!("no existe la fuente '{text}'"), format!("una fuente es como {EXAMPLES}"))
        }
        Error::NotListened(text) => (
            format!("en '{text}' nadie puede conectarse"),
            format!("escucha a los productores en {LISTENED}"),
        ),
        Error::Page { text, suggestion } => (
            format!("'{text}' es la dirección de una página, no una fuente"),
            format!(
                "--listen {text} serviría el canal ahí; {} tomaría lo que dice un canal de allí",
                suggestion.replace("/channels/NAME", "/channels/NOMBRE")
            ),
        ),
        Error::Address(error) => {
            let (message, hint) = address(error);
            return Report { message, hint };
        }
    };
    Report { message, hint: Some(hint) }
}
