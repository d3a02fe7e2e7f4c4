//! Who reads a channel, and what those who want to know are told of it.
//!
//! Readers come and go at any rate; what is told of it goes out now and then, all that has changed
//! since at once, so that many who come cost those who watch no more than a few. Each thing that is
//! told has a version, and so has a snapshot, which is always of what has been told: whoever has a
//! snapshot and takes each later version once knows exactly who is there. Nothing is queued for one
//! who falls behind; a snapshot brings it up to date.
//!
//! A crowd has no names: above a bound only the number of readers is told, until there are so few
//! again that it will not go to and fro.

use std::collections::BTreeSet;

use serde::Serialize;

/// What a reader is known by: a number that no other reader of the server has, nor gets before
/// thousands of millions of others have come.
///
/// That is all one knows today. What a client says of itself is no identity, since then anybody
/// could be anybody. Once tokens say who bears them, the name under which one is known joins the
/// number here, and nowhere else: a reader is one subscription of one connection, and the same
/// bearer may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Identity {
    /// Its number.
    pub id: u64,
}

/// When a channel's readers are told by name, and when only counted.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Above so many readers they are only counted.
    pub named_max: usize,
    /// At so many they are named again; fewer than `named_max`.
    pub named_again: usize,
}

/// The readers of one channel.
#[derive(Debug, Clone)]
pub struct Presence {
    bounds: Bounds,
    readers: BTreeSet<Identity>,
    /// Those who have come since it was last told, unless they are only counted.
    joined: BTreeSet<Identity>,
    /// Those who have left since, of whom it had been told that they are there.
    left: BTreeSet<Identity>,
    told: Standing,
    version: u64,
}

/// What those who watch believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    count: usize,
    /// Whether the readers are only counted.
    counted: bool,
}

/// Everything there is to know at one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// How many readers there are.
    pub count: usize,
    /// Who they are, in the order of their numbers; `None` when there are too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readers: Option<Vec<Identity>>,
    /// What was told last when it was like this.
    pub version: u64,
}

/// Some readers of a channel that came or left together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readers {
    /// Who they are, in the order of their numbers.
    pub readers: Vec<Identity>,
    /// How many readers there are then.
    pub count: usize,
    /// Which version this is.
    pub version: u64,
}

/// How many readers there are, when they are too many to be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Count {
    /// How many.
    pub count: usize,
    /// Which version this is.
    pub version: u64,
}

/// One thing that is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// All of it: what was known before counts no longer.
    Presence(Snapshot),
    /// Readers have come.
    Join(Readers),
    /// Readers have left.
    Leave(Readers),
    /// There are so many now; who they are is not told any more.
    Count(Count),
}

/// What is told at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The version that those who watch have before it.
    pub before: u64,
    /// The version that they have after it.
    pub version: u64,
    /// What they are told: two things at most, each with a version of its own.
    pub changes: Vec<Change>,
}

/// What is due to one who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// It knows all that.
    Nothing,
    /// The changes, one after another.
    Changes,
    /// A snapshot: it knows nothing yet, or has missed something.
    Snapshot,
}

impl Told {
    /// What is due to one who has been told everything through `seen`.
    pub fn due(&self, seen: Option<u64>) -> Due {
        match seen {
            Some(seen) if seen >= self.version => Due::Nothing,
            Some(seen) if seen == self.before => Due::Changes,
            _ => Due::Snapshot,
        }
    }
}

impl Presence {
    /// A channel that nobody reads, of which `version` was the last thing told.
    pub fn new(bounds: Bounds, version: u64) -> Self {
        Self {
            bounds,
            readers: BTreeSet::new(),
            joined: BTreeSet::new(),
            left: BTreeSet::new(),
            told: Standing { count: 0, counted: false },
            version,
        }
    }

    /// A reader has come. Its identity was never here before.
    pub fn join(&mut self, reader: Identity) {
        if self.readers.insert(reader) && !self.told.counted {
            self.joined.insert(reader);
        }
    }

    /// A reader has left; `false` when it was not here.
    pub fn leave(&mut self, reader: Identity) -> bool {
        let was_here = self.readers.remove(&reader);
        if was_here && !self.told.counted && !self.joined.remove(&reader) {
            self.left.insert(reader);
        }
        was_here
    }

    /// How many readers there are, told or not.
    pub fn count(&self) -> usize {
        self.readers.len()
    }

    /// The version of what was told last.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What has changed since it was last told, all of it at once. Who came and left in between
    /// is not mentioned.
    pub fn tell(&mut self) -> Told {
        let before = self.version;
        let count = self.readers.len();
        let counted = match self.told.counted {
            true => count > self.bounds.named_again,
            false => count > self.bounds.named_max,
        };
        let now = Standing { count, counted };
        let (joined, left) = (std::mem::take(&mut self.joined), std::mem::take(&mut self.left));
        let mut changes = Vec::new();
        match (self.told.counted, counted) {
            (false, false) => {
                let between = self.told.count + joined.len();
                self.readers_changed(joined, between, Change::Join, &mut changes);
                self.readers_changed(left, count, Change::Leave, &mut changes);
            }
            (_, true) if now != self.told => {
                self.version += 1;
                changes.push(Change::Count(Count { count, version: self.version }));
            }
            (true, true) | (false, true) => {}
            (true, false) => self.version += 1,
        }
        let is_named_again = self.told.counted && !counted;
        self.told = now;
        if is_named_again {
            changes.push(Change::Presence(self.snapshot()));
        }
        Told { before, version: self.version, changes }
    }

    fn readers_changed(
        &mut self,
        readers: BTreeSet<Identity>,
        count: usize,
        change: fn(Readers) -> Change,
        changes: &mut Vec<Change>,
    ) {
        if !readers.is_empty() {
            self.version += 1;
            let readers = readers.into_iter().collect();
            changes.push(change(Readers { readers, count, version: self.version }));
        }
    }

    /// What those know who have been told everything so far.
    pub fn snapshot(&self) -> Snapshot {
        let Standing { count, counted } = self.told;
        let named = || {
            let stayed = self.readers.difference(&self.joined);
            let mut readers: Vec<Identity> = stayed.chain(&self.left).copied().collect();
            readers.sort_unstable();
            readers
        };
        Snapshot { count, readers: (!counted).then(named), version: self.version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { named_max: 5, named_again: 3 };

    fn reader(id: u64) -> Identity {
        Identity { id }
    }

    fn with(readers: std::ops::Range<u64>) -> Presence {
        let mut presence = Presence::new(BOUNDS, 0);
        for id in readers {
            presence.join(reader(id));
        }
        presence
    }

    fn json(told: &Told) -> Vec<String> {
        let text = |change| serde_json::to_string(change).expect("plain data");
        told.changes.iter().map(text).collect()
    }

    #[test]
    fn who_comes_and_who_leaves_is_told_at_once_and_nothing_is_told_twice() {
        let mut presence = with(1..3);
        let first = presence.tell();
        assert_eq!(
            json(&first),
            [r#"{"join":{"readers":[{"id":1},{"id":2}],"count":2,"version":1}}"#]
        );
        presence.join(reader(3));
        presence.leave(reader(1));
        presence.join(reader(4));
        presence.leave(reader(4));
        let second = presence.tell();
        assert_eq!(
            json(&second),
            [
                r#"{"join":{"readers":[{"id":3}],"count":3,"version":2}}"#,
                r#"{"leave":{"readers":[{"id":1}],"count":2,"version":3}}"#
            ]
        );
        assert_eq!((second.before, second.version), (first.version, 3));
        assert_eq!(json(&presence.tell()), [""; 0]);
    }

    #[test]
    fn a_crowd_is_only_counted_until_there_are_clearly_fewer() {
        let mut presence = with(0..6);
        assert_eq!(json(&presence.tell()), [r#"{"count":{"count":6,"version":1}}"#]);
        presence.leave(reader(0));
        presence.leave(reader(1));
        // One below the bound is not enough, or it would go to and fro.
        assert_eq!(json(&presence.tell()), [r#"{"count":{"count":4,"version":2}}"#]);
        presence.leave(reader(2));
        assert_eq!(
            json(&presence.tell()),
            [r#"{"presence":{"count":3,"readers":[{"id":3},{"id":4},{"id":5}],"version":3}}"#]
        );
        presence.leave(reader(3));
        presence.join(reader(9));
        assert_eq!(presence.tell().changes.len(), 2, "named again");
    }

    #[test]
    fn a_crowd_of_which_as_many_come_as_leave_says_nothing() {
        let mut presence = with(0..9);
        presence.tell();
        presence.leave(reader(0));
        presence.join(reader(10));
        assert_eq!(json(&presence.tell()), [""; 0]);
    }

    #[test]
    fn a_snapshot_is_of_what_has_been_told() {
        let mut presence = with(1..3);
        presence.tell();
        presence.leave(reader(1));
        presence.join(reader(7));
        let told = presence.snapshot();
        assert_eq!(told.readers, Some(vec![reader(1), reader(2)]));
        assert_eq!((told.count, told.version), (2, 1));
        presence.tell();
        assert_eq!(presence.snapshot().readers, Some(vec![reader(2), reader(7)]));
    }

    #[test]
    fn who_was_never_here_does_not_leave() {
        let mut presence = with(1..2);
        assert!(!presence.leave(reader(2)));
        assert!(presence.leave(reader(1)) && !presence.leave(reader(1)));
        assert_eq!(json(&presence.tell()), [""; 0]);
    }
}
