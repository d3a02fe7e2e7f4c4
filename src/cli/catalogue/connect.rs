//! What `connect` expected and did not get, and what it cannot replay, in every language.

use crate::{
    cli::{
        catalogue::Report,
        failure::{ReplayFailure, Unmet, Why},
        language::Language,
    },
    recording::ReadError,
};

pub(super) fn unmet_in_english(unmet: &Unmet) -> Report {
    let Unmet { pattern, number, of, why, .. } = unmet;
    let place = if *of == 1 { String::new() } else { format!(" ({number} of {of})") };
    let why = match why {
        Why::TooLate(within) => format!("within {} s", within.as_secs_f64()),
        Why::Ended => "before the end".into(),
        Why::Failed(failure) => {
            let report = Language::English.report(failure);
            format!("before this: {}", report.map(|report| report.message).unwrap_or_default())
        }
    };
    let hint = matches!(unmet.why, Why::TooLate(_)).then(|| "--within TIME waits longer".into());
    let message = format!("'{pattern}' was expected{place} and did not come {why}");
    Report { message, hint }
}

pub(super) fn unmet_in_spanish(unmet: &Unmet) -> Report {
    let Unmet { pattern, number, of, why, .. } = unmet;
    let place = if *of == 1 { String::new() } else { format!(" ({number} de {of})") };
    let why = match why {
        Why::TooLate(within) => format!("en {} s", within.as_secs_f64()),
        Why::Ended => "antes del final".into(),
        Why::Failed(failure) => {
            let report = Language::Spanish.report(failure);
            format!("antes de esto: {}", report.map(|report| report.message).unwrap_or_default())
        }
    };
    let hint = matches!(unmet.why, Why::TooLate(_)).then(|| "--within TIEMPO espera más".into());
    let message = format!("se esperaba '{pattern}'{place} y no llegó {why}");
    Report { message, hint }
}

/// What came instead, below the error: nothing of it passes for a line of ours.
pub(crate) fn what_came_instead(unmet: &Unmet, language: Language) -> Vec<String> {
    let spanish = language == Language::Spanish;
    let mut lines = Vec::new();
    match (unmet.heard.is_empty(), spanish) {
        (true, false) => lines.push("nothing came".into()),
        (true, true) => lines.push("no llegó nada".into()),
        _ => {}
    }
    match (unmet.forgotten, spanish) {
        (0, _) => {}
        (count, false) => lines.push(format!("… ({count} before)")),
        (count, true) => lines.push(format!("… (antes, {count})")),
    }
    lines.extend(unmet.heard.iter().map(|heard| format!("< {heard}")));
    lines
}

pub(super) fn replay_in_english(failure: &ReplayFailure) -> Report {
    let (message, hint) = match failure {
        ReplayFailure::Recording { path, error } => {
            (format!("cannot replay '{path}': {error}"), hint_in_english(error))
        }
        ReplayFailure::Empty { path } => (
            format!("cannot replay '{path}': there is no connection in it"),
            Some("connect a client to the relay while it records"),
        ),
        ReplayFailure::NoConnection { path, number } => (
            format!("cannot replay '{path}': there is no connection {number} in it"),
            Some("\"conn\" in its lines is the number of each"),
        ),
        ReplayFailure::TooMany { path, connections_max } => (
            format!("cannot replay '{path}': it has more than {connections_max} connections"),
            Some("--replay-conn N replays one of them"),
        ),
    };
    Report { message, hint: hint.map(str::to_owned) }
}

fn hint_in_english(error: &ReadError) -> Option<&'static str> {
    match error {
        ReadError::NotARecording | ReadError::BadLine { .. } | ReadError::TooLong { .. } => {
            Some("enchufe relay A B --record FILE makes a recording")
        }
        ReadError::Version { .. } => Some("a newer enchufe reads it"),
        _ => None,
    }
}

pub(super) fn replay_in_spanish(failure: &ReplayFailure) -> Report {
    let (message, hint) = match failure {
        ReplayFailure::Recording { path, error } => {
            let hint = match error {
                ReadError::NotARecording
                | ReadError::BadLine { .. }
                | ReadError::TooLong { .. } => {
                    Some("enchufe relay A B --record ARCHIVO hace una grabación")
                }
                ReadError::Version { .. } => Some("un enchufe más nuevo la lee"),
                _ => None,
            };
            (format!("no se puede reproducir '{path}': {}", reading_in_spanish(error)), hint)
        }
        ReplayFailure::Empty { path } => (
            format!("no se puede reproducir '{path}': no contiene ninguna conexión"),
            Some("conecta un cliente al relay mientras graba"),
        ),
        ReplayFailure::NoConnection { path, number } => (
            format!("no se puede reproducir '{path}': no contiene la conexión {number}"),
            Some("\"conn\" es en sus líneas el número de cada una"),
        ),
        ReplayFailure::TooMany { path, connections_max } => (
            format!("no se puede reproducir '{path}': tiene más de {connections_max} conexiones"),
            Some("--replay-conn N reproduce una de ellas"),
        ),
    };
    Report { message, hint: hint.map(str::to_owned) }
}

fn reading_in_spanish(error: &ReadError) -> String {
    match error {
        ReadError::NotARecording => {
            "no es una grabación: su primera línea no es la de una".to_owned()
        }
        ReadError::Version { version } => {
            format!("es una grabación de la versión {version}, que este programa no conoce")
        }
        ReadError::BadLine { line, why } => {
            format!("la línea {line} no es la de una grabación: {why}")
        }
        ReadError::TooLong { line, bytes_max } => {
            format!("la línea {line} supera los {bytes_max} bytes")
        }
        ReadError::CutShort { line } => format!("la grabación se corta en la línea {line}"),
        ReadError::Io(error) => super::spanish::io(error),
    }
}
