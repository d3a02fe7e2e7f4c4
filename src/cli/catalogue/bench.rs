//! What `bench` says, in every language.

use super::{Report, spanish::io};
use crate::{
    cli::failure::BenchFailure,
    load::{self, Latency, Progress},
};

/// What `bench` says, apart from failures.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BenchPhrase<'a> {
    /// How it goes, with the answers of the last second.
    Progress { progress: &'a Progress, per_second: u64 },
    /// What came of it, in several lines.
    Report { report: &'a load::Report, address: &'a str },
}

pub(super) fn english(phrase: BenchPhrase<'_>) -> String {
    match phrase {
        BenchPhrase::Progress { progress, per_second } => format!(
            "{} connections, {} failed; {per_second} answers/s, 99 % within {}; {} under way",
            progress.connected,
            progress.failed,
            micros(progress.recent_p99.as_secs_f64() * 1e6),
            progress.sent.saturating_sub(progress.answered),
        ),
        BenchPhrase::Report { report, address } => {
            let pace = match (report.in_flight, report.rate) {
                (Some(count), _) => format!("{count} in flight on each"),
                (None, rate) => format!("{} messages/s", rate.unwrap_or(0.0)),
            };
            let failures = listed(report, ["refused", "broken", "lost", "different", "unasked"]);
            report_lines(
                format!("{address}: {} connections, {} B, {pace}", report.connections, report.size),
                [
                    ("answers", answers(report)),
                    ("latency", report.latency_us.map_or("none".to_owned(), latency)),
                    ("failures", failures.unwrap_or("none".to_owned())),
                    ("processor", processor(report, "a message")),
                ],
            )
        }
    }
}

pub(super) fn spanish(phrase: BenchPhrase<'_>) -> String {
    match phrase {
        BenchPhrase::Progress { progress, per_second } => format!(
            "{} conexiones, {} fallidas; {per_second} respuestas/s, el 99 % en {}; {} en camino",
            progress.connected,
            progress.failed,
            micros(progress.recent_p99.as_secs_f64() * 1e6),
            progress.sent.saturating_sub(progress.answered),
        ),
        BenchPhrase::Report { report, address } => {
            let pace = match (report.in_flight, report.rate) {
                (Some(count), _) => format!("{count} en camino en cada una"),
                (None, rate) => format!("{} mensajes/s", rate.unwrap_or(0.0)),
            };
            let words = ["rechazadas", "rotas", "perdidos", "distintos", "no pedidos"];
            let failures = listed(report, words);
            report_lines(
                format!("{address}: {} conexiones, {} B, {pace}", report.connections, report.size),
                [
                    ("respuestas", answers(report)),
                    ("latencia", report.latency_us.map_or("ninguna".to_owned(), latency)),
                    ("fallos", failures.unwrap_or("ninguno".to_owned())),
                    ("procesador", processor(report, "por mensaje")),
                ],
            )
        }
    }
}

fn report_lines(title: String, rows: [(&str, String); 4]) -> String {
    let mut text = title;
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
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
fn listed(report: &load::Report, words: [&str; 5]) -> Option<String> {
    let load::Report { refused, broken, lost, different, unasked, .. } = *report;
    let counts = [refused, broken, lost, different, unasked];
    let found = counts.iter().zip(words).filter(|(count, _)| **count > 0);
    let found: Vec<String> = found.map(|(count, word)| format!("{count} {word}")).collect();
    let why = report.trouble.as_deref().map_or(String::new(), |why| format!(" ({why})"));
    (!found.is_empty()).then(|| found.join(", ") + &why)
}

fn processor(report: &load::Report, a_message: &str) -> String {
    report.cpu_us_per_message.map_or(String::new(), |micros| format!("{micros:.2} µs {a_message}"))
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
        BenchFailure::Process(error) => {
            (error.to_string(), "--pid is the server's, on this machine".into())
        }
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
            format!(
                "no puede leerse el tiempo de procesador del proceso {}: {}",
                error.pid,
                io(&error.error)
            ),
            "--pid es el del servidor, en esta máquina".into(),
        ),
        BenchFailure::Bound { what, value, max } => {
            (format!("--{what} {value} es demasiado"), format!("puede ser {max} como mucho"))
        }
    };
    Report { message, hint: Some(hint) }
}
