//! What was relayed, said while it goes on and at the end.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use serde_json::{Value, json};

use crate::{
    cli::{
        args,
        catalogue::{Phrase, RelayPhrase},
        escape,
        language::Language,
        output::{self, Lines, Printing},
    },
    limits::WARNING_INTERVAL,
    relay::{Event, Moved, Observer, Relayed, Report, Trouble},
    shutdown::Trigger,
};

/// Says what was relayed: to people on standard error, to programs as JSON on standard output.
pub(super) struct Stats {
    language: Language,
    is_quiet: bool,
    /// With a single connection its trouble is that of the program.
    is_one: bool,
    lines: Option<Lines>,
    warned: Arc<Mutex<Warned>>,
}

/// Keeps warnings that could come with every connection from filling the screen.
#[derive(Debug, Default)]
struct Warned {
    at: Option<Instant>,
    withheld: u64,
}

impl Stats {
    /// `trigger` is pulled when nobody reads the lines any more.
    pub(super) fn start(
        args: &args::Relay,
        is_one: bool,
        language: Language,
        trigger: Trigger,
    ) -> io::Result<(Self, Option<Printing>)> {
        let (lines, printing) = match args.json {
            true => Some(output::lines(move || trigger.request())?).unzip(),
            false => (None, None),
        };
        let (is_quiet, warned) = (args.quiet, Arc::default());
        Ok((Self { language, is_quiet, is_one, lines, warned }, printing))
    }

    /// Tells what happens.
    pub(super) fn observer(&self) -> Observer {
        let (language, is_one) = (self.language, self.is_one);
        let (lines, warned) = (self.lines.clone(), Arc::clone(&self.warned));
        Observer::new(move |event| match event {
            Event::Opened { number, peer } => {
                tracing::info!(connection = number, peer = %peer.escaped(), "opened");
                print(
                    lines.as_ref(),
                    || json!({ "event": "open", "conn": number, "peer": peer.to_string() }),
                );
            }
            Event::Ended(report) => {
                log(report);
                print(lines.as_ref(), || of_report(report));
                if let (Some(trouble), false) = (&report.trouble, is_one) {
                    warn(language, &warned, report, trouble);
                }
            }
            Event::Refused { peer, connections_max } => {
                let (peer, connections_max) = (&peer.escaped(), *connections_max);
                output::warn(language, Phrase::TurnedAway { peer, connections_max });
            }
            Event::Dropped(count) => output::warn(language, Phrase::Dropped(*count)),
        })
    }

    /// Says what it all came to.
    pub(super) fn sum(&self, relayed: &Relayed) {
        print(self.lines.as_ref(), || of_relayed(relayed));
        let withheld = self.warned.lock().unwrap_or_else(PoisonError::into_inner).withheld;
        if withheld > 0 {
            let phrase = RelayPhrase::Withheld(withheld);
            output::warn(self.language, Phrase::Relay(phrase));
        }
        if !self.is_quiet && self.lines.is_none() {
            let phrase = RelayPhrase::Sum(relayed);
            output::notice(&self.language.say(Phrase::Relay(phrase)));
        }
    }
}

fn print(lines: Option<&Lines>, value: impl FnOnce() -> Value) {
    if let Some(lines) = lines {
        lines.print(value().to_string());
    }
}

fn log(report: &Report) {
    let Report { number, peer, duration, forth, back, closed, trouble } = report;
    let error = trouble.as_ref().map(ToString::to_string);
    let error = error.map(|error| escape::line(error.as_bytes()));
    tracing::info!(
        connection = number,
        peer = %peer.escaped(),
        seconds = duration.as_secs_f64(),
        forth_bytes = forth.bytes,
        back_bytes = back.bytes,
        lost = forth.lost + back.lost,
        code = closed.as_ref().map(|(_, reason)| reason.code.number()),
        error,
        "closed"
    );
}

fn warn(language: Language, warned: &Mutex<Warned>, report: &Report, trouble: &Trouble) {
    let mut warned = warned.lock().unwrap_or_else(PoisonError::into_inner);
    if warned.at.is_some_and(|at| at.elapsed() < WARNING_INTERVAL) {
        warned.withheld += 1;
        return;
    }
    warned.at = Some(Instant::now());
    let why = language.trouble(trouble);
    let peer = report.peer.escaped();
    let phrase = RelayPhrase::Trouble { number: report.number, peer: &peer, why: &why };
    output::warn(language, Phrase::Relay(phrase));
}

impl Language {
    fn trouble(self, trouble: &Trouble) -> String {
        match trouble {
            Trouble::Idle(time) => self.say(Phrase::Relay(RelayPhrase::Idle(*time))),
            // Their words are those of failures, which cannot be lent.
            Trouble::Open(error) => self.say(Phrase::Relay(RelayPhrase::Open(error))),
            Trouble::Recv(error) => self.say(Phrase::Relay(RelayPhrase::Recv(error))),
            Trouble::Send(error) => self.say(Phrase::Relay(RelayPhrase::Send(error))),
        }
    }
}

fn of_moved(moved: &Moved) -> Value {
    json!({ "bytes": moved.bytes, "messages": moved.messages, "lost": moved.lost })
}

fn of_report(report: &Report) -> Value {
    let closed = report.closed.as_ref();
    json!({
        "event": "close",
        "conn": report.number,
        "peer": report.peer.to_string(),
        "seconds": report.duration.as_secs_f64(),
        "forth": of_moved(&report.forth),
        "back": of_moved(&report.back),
        "dir": closed.map(|(direction, _)| direction.sign()),
        "code": closed.map(|(_, reason)| reason.code.number()),
        "reason": closed.map(|(_, reason)| &reason.reason),
        "error": report.trouble.as_ref().map(ToString::to_string),
    })
}

fn of_relayed(relayed: &Relayed) -> Value {
    json!({
        "event": "sum",
        "connections": relayed.connections,
        "failed": relayed.failed,
        "refused": relayed.refused,
        "dropped": relayed.dropped,
        "seconds": relayed.duration.as_secs_f64(),
        "forth": of_moved(&relayed.forth),
        "back": of_moved(&relayed.back),
    })
}
