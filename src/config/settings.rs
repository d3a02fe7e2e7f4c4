//! Who says what: a flag, the environment, a file, or nobody.

use std::path::{Path, PathBuf};

use super::{
    Cause, Key, Problem,
    document::{Entry, Table, excerpt},
    values::{self, Expected},
};

/// What a flag or a variable says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Of which key.
    pub key: Key,
    /// One text for each value of a list; otherwise one.
    pub texts: Vec<String>,
}

/// What is said outside of files.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// By flags.
    pub flags: Vec<Given>,
    /// By the environment.
    pub environment: Vec<Given>,
}

impl Layers {
    /// These flags, and of the environment those variables that belong to keys. A variable that is
    /// empty says nothing; those of lists have their values apart by blanks or commas.
    pub fn new(flags: Vec<Given>, variable: impl Fn(&str) -> Option<String>) -> Self {
        let said = |key: Key| {
            let text = variable(&key.variable()?).filter(|text| !text.is_empty())?;
            let texts = if key.is_list() {
                let parts = text.split([',', ' ', '\t', '\n']).filter(|part| !part.is_empty());
                parts.map(str::to_owned).collect()
            } else {
                vec![text]
            };
            Some(Given { key, texts })
        };
        let environment = Key::ALL.into_iter().filter_map(said);
        Self { flags, environment: environment.collect() }
    }

    /// The flag or the variable that says something of a key.
    fn get(&self, key: Key) -> Option<(&Given, Origin)> {
        let of = |given: &'_ &Given| given.key == key;
        let flag = self.flags.iter().find(of).map(|given| (given, Origin::Flag));
        flag.or_else(|| self.environment.iter().find(of).map(|given| (given, Origin::Environment)))
    }
}

/// Who says a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag,
    /// A variable of the environment.
    Environment,
    /// A line of the file.
    File(usize),
    /// Nobody.
    Default,
}

/// A value, and who says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Of which key.
    pub key: Key,
    /// Of which listener, counted from 0, or of which channel.
    pub of: Option<String>,
    /// One text for each value of a list; otherwise one. None if there is none.
    pub texts: Option<Vec<String>>,
    /// By whom.
    pub origin: Origin,
}

/// Picks values, and keeps account of what is wrong and of who says what.
pub(super) struct Settings<'a> {
    layers: &'a Layers,
    folder: &'a Path,
    /// Which listener or channel is being read.
    pub(super) of: Option<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) shown: Vec<Setting>,
}

impl<'a> Settings<'a> {
    pub(super) fn new(layers: &'a Layers, folder: &'a Path) -> Self {
        Self { layers, folder, of: None, problems: Vec::new(), shown: Vec::new() }
    }

    /// Reads a section, which the file may not have.
    pub(super) fn section<'t, T>(
        &mut self,
        table: Option<Table<'t>>,
        read: impl FnOnce(&mut Table<'t>, &mut Self) -> T,
    ) -> T {
        let mut table = table.unwrap_or_default();
        let value = read(&mut table, self);
        table.finish(&mut self.problems);
        value
    }

    /// The one value of a key, from whoever counts most, or nothing where nobody says anything, or
    /// something that is wrong.
    pub(super) fn pick<T>(
        &mut self,
        table: &mut Table<'_>,
        key: Key,
        parse: impl Fn(&str) -> Result<T, Expected>,
    ) -> Option<T> {
        let found = self.find(table, key)?;
        let value = self.parse(&found, 0, parse)?;
        Some(value)
    }

    /// The value of a key that a flag or a variable would overrule, as the file alone has it.
    pub(super) fn pick_in_file<T>(
        &mut self,
        table: &mut Table<'_>,
        key: Key,
        parse: impl Fn(&str) -> Result<T, Expected>,
    ) -> Option<T> {
        let entry = table.take(key, &mut self.problems)?;
        self.note(key, &entry);
        let origin = Origin::File(entry.place.as_ref().map_or(0, |place| place.line));
        let found = Found { entry, origin, name: key.name().to_owned() };
        self.parse(&found, 0, parse)
    }

    /// A value that stands in no file.
    pub(super) fn pick_from<T>(
        &mut self,
        key: Key,
        text: &str,
        origin: Origin,
        parse: impl Fn(&str) -> Result<T, Expected>,
    ) -> Option<T> {
        let entry = Entry { place: None, texts: vec![text.to_owned()] };
        self.show(key, Some(entry.texts.clone()), origin);
        self.parse(&Found { entry, origin, name: name(key, origin) }, 0, parse)
    }

    /// What a flag or a variable says of a key.
    pub(super) fn outside(&self, key: Key) -> Option<(&'a Given, Origin)> {
        self.layers.get(key)
    }

    /// The values of a key that has a list.
    pub(super) fn pick_all<T>(
        &mut self,
        table: &mut Table<'_>,
        key: Key,
        parse: impl Fn(&str) -> Result<T, Expected>,
    ) -> Option<Vec<T>> {
        let found = self.find(table, key)?;
        let parsed =
            (0..found.entry.texts.len()).filter_map(|index| self.parse(&found, index, &parse));
        Some(parsed.collect())
    }

    /// The file or folder that a key names.
    pub(super) fn pick_path(&mut self, table: &mut Table<'_>, key: Key) -> Option<PathBuf> {
        let found = self.find(table, key)?;
        let text = self.parse(&found, 0, values::text)?;
        let is_of_file = matches!(found.origin, Origin::File(_));
        Some(if is_of_file { self.folder.join(text) } else { PathBuf::from(text) })
    }

    /// Takes note of a key that is not read here.
    pub(super) fn note(&mut self, key: Key, entry: &Entry) {
        let origin = Origin::File(entry.place.as_ref().map_or(0, |place| place.line));
        self.show(key, Some(entry.texts.clone()), origin);
    }

    /// A value that is not what it must be.
    pub(super) fn refuse(&mut self, key: Key, entry: &Entry, index: usize, expected: Expected) {
        let value = excerpt(entry.texts.get(index).map_or("", String::as_str));
        let cause = Cause::BadValue { name: key.name().into(), value, expected };
        self.problems.push(Problem { place: entry.place.clone(), cause });
    }

    fn find(&mut self, table: &mut Table<'_>, key: Key) -> Option<Found> {
        // Taken in any case: what somebody overrules is no unknown key.
        let of_file = table.take(key, &mut self.problems);
        let found = match (self.layers.get(key), of_file) {
            (Some((given, origin)), _) => {
                let entry = Entry { place: None, texts: given.texts.clone() };
                Some(Found { entry, origin, name: name(key, origin) })
            }
            (None, Some(entry)) => {
                let origin = Origin::File(entry.place.as_ref().map_or(0, |place| place.line));
                Some(Found { entry, origin, name: key.name().to_owned() })
            }
            (None, None) => None,
        };
        match &found {
            Some(found) => self.show(key, Some(found.entry.texts.clone()), found.origin),
            None => self.show(key, None, Origin::Default),
        }
        found
    }

    fn show(&mut self, key: Key, texts: Option<Vec<String>>, origin: Origin) {
        self.shown.push(Setting { key, of: self.of.clone(), texts, origin });
    }

    fn parse<T>(
        &mut self,
        found: &Found,
        index: usize,
        parse: impl Fn(&str) -> Result<T, Expected>,
    ) -> Option<T> {
        let text = found.entry.texts.get(index)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(expected) => {
                let (name, value) = (found.name.clone(), excerpt(text));
                let cause = Cause::BadValue { name, value, expected };
                self.problems.push(Problem { place: found.entry.place.clone(), cause });
                None
            }
        }
    }
}

/// What whoever says it calls a key.
fn name(key: Key, origin: Origin) -> String {
    let said = match origin {
        Origin::Flag => key.flag().map(|flag| format!("--{flag}")),
        Origin::Environment => key.variable(),
        Origin::File(_) | Origin::Default => None,
    };
    said.unwrap_or_else(|| key.name().to_owned())
}

/// A value, and who says it.
struct Found {
    entry: Entry,
    origin: Origin,
    /// What whoever says it calls the key.
    name: String,
}
