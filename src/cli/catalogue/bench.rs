//! What `bench` says, in every language.

use super::{
    Report,
    english::without_number,
    spanish::{io, open, recv},
};
use crate::{
    cli::{failure::BenchFailure, language::Language},
    load::{self, Latency, ProcessError, Progress, Trouble, Viewing},
    transport::{CloseReason, OpenError},
};

/// What `bench` says, apart from failures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BenchPhrase<'a> {
    /// How it goes, with the answers of the last second.
    Progress { progress: &'a Progress, per_second: u64 },
    /// What came of it, in several lines.
    Report { report: &'a load::Report, address: &'a str },
    /// What came of a channel's viewers, in several lines.
    Viewing { viewing: &'a Viewing, address: &'a str },
}

/// The words of one language.
struct Words {
    connection: [&'static str; 2],
    failed: &'static str,
    answers: &'static str,
    within: &'static str,
    under_way: &'static str,
    in_flight: &'static str,
    messages: &'static str,
    interrupted: &'static str,
    /// Answers, latency, failures and processor time; no name is longer than eleven letters.
    rows: [&'static str; 4],
    /// When there is no latency, and when there are no failures.
    none: [&'static str; 2],
    /// Connections that did not come to stand and those that broke, messages that were lost, and
    /// answers that are wrong or that nobody asked for.
    failures: [&'static str; 5],
    a_message: &'static str,
    viewer: [&'static str; 2],
    published: &'static str,
    /// Deliveries, latency, failures, processor and memory.
    viewing_rows: [&'static str; 5],
    /// Viewers that did not come to stand and those that were lost, messages that are missing, that
    /// came again or late, and gaps.
    viewing_failures: [&'static str; 6],
    a_delivery: &'static str,
    a_viewer: &'static str,
    trouble: fn(&Trouble) -> String,
}

const ENGLISH: Words = Words {
    connection: ["connection", "connections"],
    failed: "failed",
    answers: "answers",
    within: "99 % within",
    under_way: "under way",
    in_flight: "in flight on each",
    messages: "messages",
    interrupted: "interrupted",
    rows: ["answers", "latency", "failures", "processor"],
    none: ["none", "none"],
    failures: ["not opened", "broken", "lost", "different", "unasked"],
    a_message: "a message",
    viewer: ["viewer", "viewers"],
    published: "published",
    viewing_rows: ["deliveries", "latency", "failures", "processor", "memory"],
    viewing_failures: ["not opened", "broken", "missing", "repeated", "out of order", "gaps told"],
    a_delivery: "a delivery",
    a_viewer: "bytes a viewer",
    trouble: |trouble| without_number(trouble.to_string()),
};

const SPANISH: Words = Words {
    connection: ["conexión", "conexiones"],
    failed: "fallidas",
    answers: "respuestas",
    within: "el 99 % en",
    under_way: "en camino",
    in_flight: "en camino en cada una",
    messages: "mensajes",
    interrupted: "interrumpido",
    rows: ["respuestas", "latencia", "fallos", "procesador"],
    none: ["ninguna", "ninguno"],
    failures: ["sin abrir", "rotas", "perdidos", "distintos", "no pedidos"],
    a_message: "por mensaje",
    viewer: ["espectador", "espectadores"],
    published: "publicados",
    viewing_rows: ["entregas", "latencia", "fallos", "procesador", "memoria"],
    viewing_failures: [
        "sin abrir",
        "rotos",
        "no llegados",
        "repetidos",
        "desordenados",
        "huecos avisados",
    ],
    a_delivery: "por entrega",
    a_viewer: "bytes por espectador",
    trouble: trouble_in_spanish,
};

pub(super) fn english(phrase: BenchPhrase<'_>) -> String {
    say(phrase, &ENGLISH)
}

pub(super) fn spanish(phrase: BenchPhrase<'_>) -> String {
    say(phrase, &SPANISH)
}

/// What to do about what went wrong first.
pub(crate) fn remedy(trouble: &Trouble, language: Language) -> Option<String> {
    let Trouble::Open(error) = trouble else { return None };
    let hint = match language {
        Language::English => error.hint(),
        Language::Spanish => open(error).1,
    };
    let fewer = match (error.as_ref(), language) {
        (OpenError::NoDescriptors { .. }, Language::English) => "; or take fewer --connections",
        (OpenError::NoDescriptors { .. }, Language::Spanish) => "; o usa menos --connections",
        _ => "",
    };
    hint.map(|hint| hint + fewer)
}

fn say(phrase: BenchPhrase<'_>, words: &Words) -> String {
    match phrase {
        BenchPhrase::Progress { progress, per_second } => {
            progress_line(progress, per_second, words)
        }
        BenchPhrase::Report { report, address } => report_lines(
            title(report, address, words),
            words.rows.into_iter().zip([
                answers(report),
                report.latency_us.map_or(words.none[0].to_owned(), latency),
                listed(report, words).unwrap_or(words.none[1].to_owned()),
                processor(report.cpu_us_per_message, words.a_message),
            ]),
        ),
        BenchPhrase::Viewing { viewing, address } => viewing_lines(viewing, address, words),
    }
}

fn viewing_lines(viewing: &Viewing, address: &str, words: &Words) -> String {
    let viewers = counted(viewing.viewers as u64, words.viewer);
    let mut title = format!("{address}: {viewers}");
    if let Some(rate) = viewing.rate {
        let Words { messages, published, .. } = words;
        title += &format!(", {rate} {messages}/s; {} {published}", viewing.published);
    }
    if viewing.interrupted {
        title += &format!("; {}", words.interrupted);
    }
    let Viewing { deliveries, seconds, messages, .. } = *viewing;
    let per_second = if seconds > 0.0 { deliveries as f64 / seconds } else { 0.0 };
    let all = counted(messages, [words.messages; 2]);
    let counts = [
        viewing.refused,
        viewing.broken,
        viewing.missing,
        viewing.repeated,
        viewing.disordered,
        viewing.gaps,
    ];
    let failures = found(&counts, &words.viewing_failures, viewing.trouble.as_ref(), words);
    let bytes = |bytes: f64| format!("{bytes:.0} {}", words.a_viewer);
    report_lines(
        title,
        words.viewing_rows.into_iter().zip([
            format!("{deliveries} / {seconds:.2} s = {per_second:.0}/s ({all})"),
            viewing.latency_us.map_or(words.none[0].to_owned(), latency),
            failures.unwrap_or(words.none[1].to_owned()),
            processor(viewing.cpu_us_per_delivery, words.a_delivery),
            viewing.bytes_per_viewer.map_or(String::new(), bytes),
        ]),
    )
}

fn progress_line(progress: &Progress, per_second: u64, words: &Words) -> String {
    let Words { connection, failed, answers, within, under_way, .. } = words;
    let connections = counted(progress.connected, *connection);
    let p99 = micros(progress.recent_p99.as_secs_f64() * 1e6);
    let waiting = progress.sent.saturating_sub(progress.answered);
    format!(
        "{connections}, {} {failed}; {per_second} {answers}/s, {within} {p99}; {waiting} {under_way}",
        progress.failed
    )
}

fn title(report: &load::Report, address: &str, words: &Words) -> String {
    let pace = match (report.in_flight, report.rate) {
        (Some(count), _) => format!("{count} {}", words.in_flight),
        (None, rate) => format!("{} {}/s", rate.unwrap_or(0.0), words.messages),
    };
    let connections = counted(report.connections as u64, words.connection);
    let title = format!("{address}: {connections}, {} B, {pace}", report.size);
    if report.interrupted { format!("{title}; {}", words.interrupted) } else { title }
}

/// `1 connection`, `2 connections`.
fn counted(count: u64, [one, many]: [&str; 2]) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn trouble_in_spanish(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Open(error) => open(error).0,
        Trouble::Refused(why) => why.clone(),
        Trouble::Recv(error) => recv(error),
        Trouble::Closed(Some(CloseReason { code, reason })) if reason.is_empty() => {
            format!("cerrada con {code}")
        }
        Trouble::Closed(Some(CloseReason { code, reason })) => {
            format!("cerrada con {code}: {reason}")
        }
        Trouble::Closed(None) => "cerrada".to_owned(),
    }
}

fn report_lines(title: String, rows: impl Iterator<Item = (&'static str, String)>) -> String {
    let mut text = title;
    for (name, value) in rows.filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("\n{name:<12}{value}"));
    }
    text
}

fn answers(report: &load::Report) -> String {
    let megabytes = report.answers_per_second * report.size as f64 / 1e6;
    let load::Report { answered, seconds, answers_per_second, .. } = report;
    format!("{answered} / {seconds:.2} s = {answers_per_second:.0}/s, {megabytes:.1} MB/s")
}

fn latency(latency: Latency) -> String {
    let Latency { p50, p90, p99, p999, max, .. } = latency;
    let all = [("p50", p50), ("p90", p90), ("p99", p99), ("p99.9", p999), ("max", max)];
    all.map(|(name, value)| format!("{name} {}", micros(value))).join(", ")
}

/// What went wrong, each count before its word; nothing when nothing did.
fn listed(report: &load::Report, words: &Words) -> Option<String> {
    let load::Report { refused, broken, lost, different, unasked, .. } = *report;
    let counts = [refused, broken, lost, different, unasked];
    found(&counts, &words.failures, report.trouble.as_ref(), words)
}

/// Each count above zero before its word, and why the first connection was lost.
fn found(
    counts: &[u64],
    names: &[&'static str],
    trouble: Option<&Trouble>,
    words: &Words,
) -> Option<String> {
    let found = counts.iter().zip(names).filter(|(count, _)| **count > 0);
    let found: Vec<String> = found.map(|(count, word)| format!("{count} {word}")).collect();
    let why = |trouble: &Trouble| format!(" ({})", (words.trouble)(trouble));
    let why = trouble.map_or(String::new(), why);
    (!found.is_empty()).then(|| found.join(", ") + &why)
}

fn processor(micros: Option<f64>, for_what: &str) -> String {
    micros.map_or(String::new(), |micros| format!("{micros:.2} µs {for_what}"))
}

/// A time in microseconds, in the unit that suits it.
fn micros(micros: f64) -> String {
    match micros {
        ..1e3 => format!("{micros:.0} µs"),
        1e3..1e6 => format!("{:.2} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

pub(super) fn report_in_english(failure: &BenchFailure) -> Report {
    let (message, hint) = match failure {
        BenchFailure::Datagrams(address) => (
            format!("'{address}' cannot be loaded: datagrams may be lost and come in any order"),
            "name a tcp://, tls://, unix:, ws:// or wss:// address".into(),
        ),
        BenchFailure::Process(error) => (error.to_string(), "--pid is the server's".into()),
        BenchFailure::NoChannel(address) => (
            format!("'{address}' is no URL of a channel"),
            "name one such as ws://127.0.0.1:5678/channels/feed".into(),
        ),
        BenchFailure::Subscribe(trouble) => (
            format!("the channel cannot be read: {trouble}"),
            "--viewers read by enchufe.v1; see 'enchufe feed --help'".into(),
        ),
        BenchFailure::Publish(why) => (
            format!("a message cannot be published: {why}"),
            "--header 'Authorization: Bearer TOKEN' shows the token of whoever may".into(),
        ),
        BenchFailure::Bound { what, value, max } => {
            (format!("--{what} {value} is too much"), format!("it may be {max} at most"))
        }
    };
    Report { message, hint: Some(hint) }
}

pub(super) fn report_in_spanish(failure: &BenchFailure) -> Report {
    let (message, hint) = match failure {
        BenchFailure::Datagrams(address) => (
            format!(
                "'{address}' no puede cargarse: los datagramas se pierden y llegan en cualquier orden"
            ),
            "indica una dirección tcp://, tls://, unix:, ws:// o wss://".into(),
        ),
        BenchFailure::Process(error) => (
            match error {
                ProcessError::Missing { pid } => {
                    format!("no hay ningún proceso {pid} en esta máquina")
                }
                ProcessError::Io { pid, error } => format!(
                    "no puede leerse el tiempo de procesador del proceso {pid}: {}",
                    io(error)
                ),
            },
            "--pid es el del servidor".into(),
        ),
        BenchFailure::NoChannel(address) => (
            format!("'{address}' no es la URL de un canal"),
            "indica una como ws://127.0.0.1:5678/channels/feed".into(),
        ),
        BenchFailure::Subscribe(trouble) => (
            format!("no se puede leer el canal: {}", trouble_in_spanish(trouble)),
            "los --viewers leen con enchufe.v1; consulta 'enchufe feed --help'".into(),
        ),
        BenchFailure::Publish(why) => (
            format!("no se puede publicar un mensaje: {why}"),
            "--header 'Authorization: Bearer TOKEN' muestra el token de quien puede".into(),
        ),
        BenchFailure::Bound { what, value, max } => {
            (format!("--{what} {value} es demasiado"), format!("puede ser {max} como mucho"))
        }
    };
    Report { message, hint: Some(hint) }
}
