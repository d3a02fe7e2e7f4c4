//! `[channels."NAME"]`: a channel, or a rule for those that are made on first use.

use super::{
    Cause, Key, Problem, Section,
    document::Table,
    settings::Settings,
    source,
    values::{self, Expected},
};
use crate::{
    core::{ChannelName, SlowChoices, SlowPolicy},
    live::broker::{ChannelOptions, Pattern, Publishers},
    source::{Origin, Spec},
};

const POLICIES: &[&str] = &["skip", "latest", "cut"];
const PUBLISHERS: &[&str] = &["authorised", "readers"];

/// A channel, or a rule for those that are made on first use.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The names it is about.
    pub pattern: Pattern,
    /// What such a channel is made with.
    pub options: ChannelOptions,
    /// Where its messages come from, if not from publishers alone.
    pub source: Option<Spec>,
}

impl Channel {
    /// The one channel it is about, unless it is a rule for many.
    pub fn name(&self) -> Option<ChannelName> {
        let text = self.pattern.to_string();
        let is_rule = text.split('/').any(|segment| segment.contains('*'));
        if is_rule { None } else { text.parse().ok() }
    }
}

/// All channels, in the order of the file.
pub(super) fn read(table: Table<'_>, settings: &mut Settings<'_>) -> Vec<Channel> {
    let mut channels = Vec::new();
    let mut has_input = false;
    for (name, place, table) in table.take_named(Section::Channel, &mut settings.problems) {
        settings.of = Some(name.clone());
        let pattern = match name.parse::<Pattern>() {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let expected = Expected::Pattern(error);
                let cause =
                    Cause::BadValue { name: "channels".into(), value: name.clone(), expected };
                settings.problems.push(Problem { place: Some(place.clone()), cause });
                None
            }
        };
        let (options, source) = one(table, settings);
        let Some(pattern) = pattern else { continue };
        let channel = Channel { pattern, options, source };
        let mut complain = |cause| {
            settings.problems.push(Problem { place: Some(place.clone()), cause });
        };
        if channel.source.is_some() && channel.name().is_none() {
            complain(Cause::SourceOfPattern(name.clone()));
        }
        let reads_input = |source: &Spec| source.origin == Origin::StandardInput;
        if channel.source.as_ref().is_some_and(reads_input) {
            if has_input {
                complain(Cause::SharedInput(name));
            }
            has_input = true;
        }
        channels.push(channel);
    }
    settings.of = None;
    channels
}

fn one(mut table: Table<'_>, settings: &mut Settings<'_>) -> (ChannelOptions, Option<Spec>) {
    let mut options = ChannelOptions::default();
    let history = settings.pick(&mut table, Key::History, values::amount);
    let bytes = settings.pick(&mut table, Key::HistoryBytes, values::bytes);
    if let Some(count) = history {
        options.history_len_max = count;
    }
    if let Some(bytes) = bytes {
        options.history_bytes_max = bytes;
    }
    options.history_age_max = settings.pick(&mut table, Key::HistoryAge, values::some_time);
    if let Some(slow) = settings.pick(&mut table, Key::Slow, policy) {
        options.slow = slow;
    }
    if let Some(allowed) = settings.pick_all(&mut table, Key::SlowAllowed, policy) {
        options.slow_allowed = allowed.into_iter().collect::<SlowChoices>();
    }
    if let Some(window) = settings.pick(&mut table, Key::FlushWindow, values::flush_window) {
        options.flush_window = window;
    }
    if let Some(publish) = settings.pick(&mut table, Key::Publish, publishers) {
        options.publish = publish;
    }
    if let Some(patience) = settings.pick(&mut table, Key::Patience, values::time) {
        options.patience = patience;
    }
    if let Some(expiry) = settings.pick(&mut table, Key::IdleExpiry, values::time) {
        options.idle_expiry = (!expiry.is_zero()).then_some(expiry);
    }
    if let Some(generated) = settings.pick(&mut table, Key::Generated, values::flag) {
        options.generated = generated;
    }
    let source = source::read(&mut table, settings);
    table.finish(&mut settings.problems);
    (options, source)
}

fn policy(text: &str) -> Result<SlowPolicy, Expected> {
    text.parse().map_err(|_| Expected::OneOf(POLICIES))
}

fn publishers(text: &str) -> Result<Publishers, Expected> {
    Ok(match text {
        "authorised" => Publishers::Authorised,
        "readers" => Publishers::Readers,
        _ => return Err(Expected::OneOf(PUBLISHERS)),
    })
}
