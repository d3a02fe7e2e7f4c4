//! `source` of a channel: where its messages come from.

use super::{
    Cause, Key, Problem, Section,
    document::{Entry, Table},
    settings::Settings,
    values::{self, Expected},
};
use crate::{
    source::{Check, Interval, Origin, Restart, Spec},
    transport::Framing,
};

const RESTARTS: &[&str] = &["never", "on-failure", "always"];
const FRAMINGS: &[&str] = &["lines", "nul", "length", "raw"];
const CHECKS: &[&str] = &["none", "json", "number"];

/// The source of a channel: one word or address, or a table with more about it.
pub(super) fn read(channel: &mut Table<'_>, settings: &mut Settings<'_>) -> Option<Spec> {
    if !channel.has_table(Key::Source.name()) {
        let entry = channel.take(Key::Source, &mut settings.problems)?;
        settings.note(Key::Source, &entry);
        return origin(&entry, Key::Source, settings).map(Spec::new);
    }
    let name = Key::Source.name();
    let mut table = channel.take_table(name, Section::Source, &mut settings.problems)?;
    let place = table.place.clone();
    let from = table.take(Key::From, &mut settings.problems);
    if let Some(from) = &from {
        settings.note(Key::From, from);
    }
    let interval = settings.pick(&mut table, Key::Interval, |text| {
        text.parse::<Interval>().map_err(|_| Expected::Interval)
    });
    let range = settings.pick(&mut table, Key::Range, values::range);
    let pty = settings.pick(&mut table, Key::Pty, values::flag);
    let restart = settings.pick(&mut table, Key::Restart, restart);
    let framing = settings.pick(&mut table, Key::Framing, framing);
    let check = settings.pick(&mut table, Key::Check, check);
    table.finish(&mut settings.problems);
    let Some(from) = from else {
        let cause = Cause::Missing { key: Key::From, with: Key::Source.name() };
        settings.problems.push(Problem { place, cause });
        return None;
    };
    let mut spec = Spec::new(origin(&from, Key::From, settings)?);
    let mut misplaced = Vec::new();
    let mut unless = |fits: bool, key: Key| {
        if !fits {
            misplaced.push(key);
        }
    };
    match &mut spec.origin {
        Origin::Clock { interval: own } => {
            *own = interval.unwrap_or(*own);
            unless(range.is_none(), Key::Range);
        }
        Origin::Random { numbers, interval: own } => {
            *own = interval.unwrap_or(*own);
            *numbers = range.unwrap_or_else(|| numbers.clone());
        }
        _ => {
            unless(interval.is_none(), Key::Interval);
            unless(range.is_none(), Key::Range);
        }
    }
    if let Origin::Exec { pty: own, restart: again, .. } = &mut spec.origin {
        *own = pty.unwrap_or(*own);
        *again = restart.unwrap_or(*again);
    } else {
        unless(pty != Some(true), Key::Pty);
        unless(restart.unwrap_or_default() == Restart::Never, Key::Restart);
    }
    let with = spec.origin.to_string();
    for key in misplaced {
        let cause = Cause::Misplaced { key, with: with.clone() };
        settings.problems.push(Problem { place: place.clone(), cause });
    }
    spec.framing = framing.unwrap_or(spec.framing);
    spec.check = check.unwrap_or(spec.check);
    Some(spec)
}

fn origin(entry: &Entry, key: Key, settings: &mut Settings<'_>) -> Option<Origin> {
    let text = entry.texts.first()?;
    match Origin::parse(text) {
        Ok(origin) => Some(origin),
        Err(error) => {
            settings.refuse(key, entry, 0, Expected::Source(error));
            None
        }
    }
}

fn restart(text: &str) -> Result<Restart, Expected> {
    Ok(match text {
        "never" => Restart::Never,
        "on-failure" => Restart::OnFailure,
        "always" => Restart::Always,
        _ => return Err(Expected::OneOf(RESTARTS)),
    })
}

fn framing(text: &str) -> Result<Framing, Expected> {
    Ok(match text {
        "lines" => Framing::Lines,
        "nul" => Framing::Nul,
        "length" => Framing::Length,
        "raw" => Framing::Raw,
        _ => return Err(Expected::OneOf(FRAMINGS)),
    })
}

fn check(text: &str) -> Result<Check, Expected> {
    Ok(match text {
        "none" => Check::None,
        "json" => Check::Json,
        "number" => Check::Number,
        _ => return Err(Expected::OneOf(CHECKS)),
    })
}
