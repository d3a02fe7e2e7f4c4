//! A file of TOML, table by table: what is asked for is taken out, and what is left is unknown.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Cause, Key, Place, Problem, Section, values::Expected};
use crate::limits;

/// The text of a file, for the places in it.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

impl Text<'_> {
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        Place::new(self.path, self.text, span)
    }
}

/// A value of a file, as text: what a flag would say.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Where, if it is in a file.
    pub(super) place: Option<Place>,
    /// One text for each value of a list; otherwise one.
    pub(super) texts: Vec<String>,
}

/// A table that is being read; by default one that is not there.
pub(super) struct Table<'a> {
    text: Text<'a>,
    section: Section,
    /// Its place, for what is missing in it.
    pub(super) place: Option<Place>,
    /// In the order of the file.
    entries: Vec<(&'a Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>)>,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        text: Text<'a>,
        section: Section,
        span: Range<usize>,
        table: &'a DeTable<'a>,
    ) -> Self {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        Self { text, section, place: Some(text.place(span)), entries }
    }

    fn remove(&mut self, name: &str) -> Option<(Range<usize>, &'a Spanned<DeValue<'a>>)> {
        let at = self.entries.iter().position(|(key, _)| key.get_ref() == name)?;
        let (key, value) = self.entries.remove(at);
        Some((key.span(), value))
    }

    /// Takes a key whose value is text, or a list of texts if the key has lists.
    pub(super) fn take(&mut self, key: Key, problems: &mut Vec<Problem>) -> Option<Entry> {
        let (_, value) = self.remove(key.name())?;
        let place = self.text.place(value.span());
        let texts = match value.get_ref() {
            DeValue::Array(items) if key.is_list() => {
                items.iter().map(|item| plain(item.get_ref())).collect::<Option<Vec<_>>>()
            }
            other => plain(other).map(|text| vec![text]),
        };
        let Some(texts) = texts else {
            let value = self.shown(value.span());
            let cause = Cause::BadValue { name: key.name().into(), value, expected: Expected::One };
            problems.push(Problem { place: Some(place), cause });
            return None;
        };
        Some(Entry { place: Some(place), texts })
    }

    /// Takes a table.
    pub(super) fn take_table(
        &mut self,
        name: &str,
        section: Section,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let (key, value) = self.remove(name)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Table::new(self.text, section, key, table)),
            _ => {
                problems.push(self.mistaken(name, value.span(), Expected::Table));
                None
            }
        }
    }

    /// Takes a list of tables, or nothing when the file has none.
    pub(super) fn take_tables(
        &mut self,
        name: &str,
        section: Section,
        problems: &mut Vec<Problem>,
    ) -> Option<Vec<Self>> {
        let (_, value) = self.remove(name)?;
        let items = value.get_ref().as_array().map(|items| {
            let tables = items.iter().map(|item| match item.get_ref() {
                DeValue::Table(table) => Some(Table::new(self.text, section, item.span(), table)),
                _ => None,
            });
            tables.collect::<Option<Vec<_>>>()
        });
        let found = items.flatten();
        if found.is_none() {
            problems.push(self.mistaken(name, value.span(), Expected::Tables));
        }
        found
    }

    /// Takes all that is there as tables whose names are the user's, in the order of the file.
    pub(super) fn take_named(
        mut self,
        section: Section,
        problems: &mut Vec<Problem>,
    ) -> Vec<(String, Place, Self)> {
        let mut named = Vec::new();
        for (key, value) in std::mem::take(&mut self.entries) {
            let name = key.get_ref().to_string();
            let place = self.text.place(key.span());
            match value.get_ref() {
                DeValue::Table(table) => {
                    named.push((name, place, Table::new(self.text, section, key.span(), table)));
                }
                _ => problems.push(self.mistaken(&name, value.span(), Expected::Table)),
            }
        }
        named
    }

    /// Whether it has a key.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, _)| key.get_ref() == name)
    }

    /// Whether a key's value is a table.
    pub(super) fn has_table(&self, name: &str) -> bool {
        let found = self.entries.iter().find(|(key, _)| key.get_ref() == name);
        found.is_some_and(|(_, value)| value.get_ref().is_table())
    }

    /// Says of what is left that nobody knows it.
    pub(super) fn finish(self, problems: &mut Vec<Problem>) {
        for (key, _) in &self.entries {
            let name = key.get_ref();
            let elsewhere = Key::ALL.into_iter().find(|key| key.name() == name);
            let of_section = self.section.keys().map(|key| (key.name(), key));
            let similar = of_section
                .map(|(known, key)| (strsim::osa_distance(known, name), key))
                .filter(|(distance, key)| *distance <= (key.name().len() / 3).max(1))
                .min_by_key(|(distance, _)| *distance)
                .map(|(_, key)| key);
            let name = excerpt(name);
            let cause = Cause::UnknownKey { name, section: self.section, similar, elsewhere };
            problems.push(Problem { place: Some(self.text.place(key.span())), cause });
        }
    }

    fn shown(&self, span: Range<usize>) -> String {
        excerpt(self.text.text.get(span).unwrap_or_default())
    }

    fn mistaken(&self, name: &str, span: Range<usize>, expected: Expected) -> Problem {
        let cause =
            Cause::BadValue { name: excerpt(name), value: self.shown(span.clone()), expected };
        Problem { place: Some(self.text.place(span)), cause }
    }
}

impl Default for Table<'_> {
    fn default() -> Self {
        let text = Text { path: "", text: "" };
        Self { text, section: Section::Root, place: None, entries: Vec::new() }
    }
}

/// What a flag would say for the value.
fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The beginning of a text, in one line.
pub(super) fn excerpt(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(limits::EXCERPT_CHARS_MAX).collect()
}
