//! The words that `feed` and `serve` share: those of the sources that make their own messages.

use clap::Args;

use crate::{
    cli::values,
    source::{Interval, Numbers},
};

/// The flags of the sources that make their own messages.
#[derive(Debug, Args)]
pub(crate) struct Generator {
    /// clock, random: seconds between messages, drawn anew each time [default: 0..3, 0..1]
    #[arg(long, value_name = "FROM..TO", value_parser = str::parse::<Interval>)]
    pub(crate) interval: Option<Interval>,

    /// random: the numbers, both ends included [default: 0..9]
    #[arg(long, value_name = "FROM..TO", value_parser = values::range, conflicts_with = "value")]
    #[arg(allow_hyphen_values = true)]
    pub(crate) range: Option<Numbers>,

    /// random: always this number
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub(crate) value: Option<i64>,
}

impl Generator {
    /// The first flag given that means nothing to a source of this name.
    pub(crate) fn misplaced(&self, source: &str) -> Option<&'static str> {
        let flags = [
            (self.interval.is_some(), "--interval", &["clock", "random"][..]),
            (self.range.is_some(), "--range", &["random"]),
            (self.value.is_some(), "--value", &["random"]),
        ];
        let misplaced = |(is_given, _, sources): &&(bool, &'static str, &[&str])| {
            *is_given && !sources.contains(&source)
        };
        flags.iter().find(misplaced).map(|(_, flag, _)| *flag)
    }

    /// The numbers to draw from.
    pub(crate) fn numbers(&self) -> Numbers {
        let always = self.value.and_then(|value| Numbers::new(value..=value));
        always.or_else(|| self.range.clone()).unwrap_or(Numbers::DIGITS)
    }
}
