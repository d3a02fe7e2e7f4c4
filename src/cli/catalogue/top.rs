//! What `top` says, in every language.

use super::Report;
use crate::cli::{args::Column, failure::TopFailure, top::Standing};

/// What `top` says, apart from failures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TopPhrase<'a> {
    /// Who reads.
    Readers { standing: &'a Standing },
    /// What goes in and out, and how long publishing takes.
    Rates { incoming: &'a str, outgoing: &'a str, bytes: &'a str, p99: Option<&'a str> },
    /// What it takes, and what went wrong.
    Memory {
        standing: &'a Standing,
        log: &'a str,
        process: Option<&'a str>,
        processors: Option<&'a str>,
    },
    /// The title of a column.
    Title(Column),
    /// So many channels without figures of their own.
    Others(u64),
    /// What is shown does not change.
    Paused,
    /// The server does not answer.
    Lost(&'a str),
    /// The text of a filter that is being written.
    Filtering(&'a str),
    /// A filter that holds.
    Filtered(&'a str),
    /// The keys, in one line.
    Keys,
    /// The keys, in several lines.
    Help,
}

pub(super) fn english(phrase: TopPhrase<'_>) -> String {
    match phrase {
        TopPhrase::Readers { standing } => format!(
            "viewers {} of {}, streams {}, HTTP {}; channels {}",
            standing.viewers,
            standing.viewers_max,
            standing.streams,
            standing.http_connections,
            standing.channel_count
        ),
        TopPhrase::Rates { incoming, outgoing, bytes, p99 } => format!(
            "in {incoming}/s, out {outgoing}/s, {bytes}/s; publish p99 {}",
            p99.map_or("-".to_owned(), |p99| format!("up to {p99}"))
        ),
        TopPhrase::Memory { standing, log, process, processors } => format!(
            "logs {log}, process {}, CPU {}; lag {}, gaps {}, cut {}, dropped {}{}",
            process.unwrap_or("-"),
            processors.unwrap_or("-"),
            standing.total.lag_messages,
            standing.total.gaps,
            standing.total.cut,
            standing.dropped,
            match standing.silent_shards {
                0 => String::new(),
                silent => format!("; shards that do not answer: {silent}"),
            }
        ),
        TopPhrase::Title(column) => match column {
            Column::Name => "CHANNEL",
            Column::Viewers => "VIEWERS",
            Column::Lag => "LAG",
            Column::In => "IN/s",
            Column::Out => "OUT/s",
            Column::Bytes => "BYTES/s",
            Column::Gaps => "GAPS",
            Column::Cut => "CUT",
            Column::Messages => "KEPT",
            Column::Memory => "MEMORY",
        }
        .to_owned(),
        TopPhrase::Others(count) => format!("({count} others)"),
        TopPhrase::Paused => "paused".to_owned(),
        TopPhrase::Lost(why) => format!("no answer, trying again: {why}"),
        TopPhrase::Filtering(filter) => {
            format!("filter: {filter}_  (Enter keeps it, Esc clears it)")
        }
        TopPhrase::Filtered(filter) => format!("filter: {filter}"),
        TopPhrase::Keys => "q quit  s sort  r reverse  / filter  p pause  h help".to_owned(),
        TopPhrase::Help => "\
q, Ctrl-C    end
s, S, arrows order by the next column, or the one before
r            reverse the order
/            show channels with a text in their name; Esc clears it
p, space     pause
up, down     scroll
h, ?         this help"
            .to_owned(),
    }
}

pub(super) fn spanish(phrase: TopPhrase<'_>) -> String {
    match phrase {
        TopPhrase::Readers { standing } => format!(
            "lectores {} de {}, flujos {}, HTTP {}; canales {}",
            standing.viewers,
            standing.viewers_max,
            standing.streams,
            standing.http_connections,
            standing.channel_count
        ),
        TopPhrase::Rates { incoming, outgoing, bytes, p99 } => format!(
            "entran {incoming}/s, salen {outgoing}/s, {bytes}/s; p99 al publicar {}",
            p99.map_or("-".to_owned(), |p99| format!("hasta {p99}"))
        ),
        TopPhrase::Memory { standing, log, process, processors } => format!(
            "registros {log}, proceso {}, CPU {}; retraso {}, huecos {}, cortados {}, perdidos {}{}",
            process.unwrap_or("-"),
            processors.unwrap_or("-"),
            standing.total.lag_messages,
            standing.total.gaps,
            standing.total.cut,
            standing.dropped,
            match standing.silent_shards {
                0 => String::new(),
                silent => format!("; partes que no responden: {silent}"),
            }
        ),
        TopPhrase::Title(column) => match column {
            Column::Name => "CANAL",
            Column::Viewers => "LECTORES",
            Column::Lag => "RETRASO",
            Column::In => "ENTRAN/s",
            Column::Out => "SALEN/s",
            Column::Bytes => "BYTES/s",
            Column::Gaps => "HUECOS",
            Column::Cut => "CORTES",
            Column::Messages => "GUARDA",
            Column::Memory => "MEMORIA",
        }
        .to_owned(),
        TopPhrase::Others(count) => format!("(otros {count})"),
        TopPhrase::Paused => "en pausa".to_owned(),
        TopPhrase::Lost(why) => format!("no responde, se intenta de nuevo: {why}"),
        TopPhrase::Filtering(filter) => {
            format!("filtro: {filter}_  (Intro lo deja, Esc lo borra)")
        }
        TopPhrase::Filtered(filter) => format!("filtro: {filter}"),
        TopPhrase::Keys => "q salir  s ordenar  r invertir  / filtrar  p pausa  h ayuda".to_owned(),
        TopPhrase::Help => "\
q, Ctrl-C      termina
s, S, flechas  ordena por la columna siguiente o la anterior
r              invierte el orden
/              muestra los canales con un texto en su nombre; Esc lo borra
p, espacio     pausa
arriba, abajo  desplaza
h, ?           esta ayuda"
            .to_owned(),
    }
}

pub(super) fn report_in_english(failure: &TopFailure) -> Report {
    let (message, hint) = match failure {
        TopFailure::NoServer(text) => (
            format!("'{text}' is not a server"),
            "a server's URL is like http://127.0.0.1:5678, without a path".to_owned(),
        ),
        TopFailure::Refused { server, status, message, hint } => (
            format!("{server} refuses its metrics with {status}: {message}"),
            match (status, hint) {
                (401, _) => "--token-file FILE shows the token for reading".to_owned(),
                (_, Some(hint)) => hint.clone(),
                (_, None) => "is this a server of enchufe?".to_owned(),
            },
        ),
        TopFailure::NotUnderstood { server, reason } => (
            format!("what {server} says of itself is not understood: {reason}"),
            "is this a server of enchufe, and of this version?".to_owned(),
        ),
    };
    Report { message, hint: Some(hint) }
}

pub(super) fn report_in_spanish(failure: &TopFailure) -> Report {
    let (message, hint) = match failure {
        TopFailure::NoServer(text) => (
            format!("'{text}' no es un servidor"),
            "la URL de un servidor es como http://127.0.0.1:5678, sin ruta".to_owned(),
        ),
        TopFailure::Refused { server, status, message, .. } => (
            format!("{server} niega sus métricas con {status}: {message}"),
            match status {
                401 => "--token-file ARCHIVO muestra el token para leer".to_owned(),
                403 => "arranca el servidor con --read-token-file ARCHIVO o con --metrics on"
                    .to_owned(),
                _ => "¿es un servidor de enchufe, y con métricas?".to_owned(),
            },
        ),
        TopFailure::NotUnderstood { server, reason } => (
            format!("no se entiende lo que {server} dice de sí mismo: {reason}"),
            "¿es un servidor de enchufe, y de esta versión?".to_owned(),
        ),
    };
    Report { message, hint: Some(hint) }
}
