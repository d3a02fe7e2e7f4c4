//! Those who watch a channel's readers, against a plain list of who is there.

use std::collections::BTreeSet;

use enchufe_core::presence::{Bounds, Change, Count, Due, Identity, Presence, Snapshot};
use proptest::prelude::*;

const BOUNDS: Bounds = Bounds { named_max: 5, named_again: 3 };

fn reader(id: u64) -> Identity {
    Identity { id }
}

/// One who watches, as a careful client does it.
#[derive(Default)]
struct Client {
    seen: Option<u64>,
    count: usize,
    readers: Option<BTreeSet<Identity>>,
}

impl Client {
    fn snapshot(&mut self, snapshot: Snapshot) {
        self.seen = Some(snapshot.version);
        self.count = snapshot.count;
        self.readers = snapshot.readers.map(|readers| readers.into_iter().collect());
        let named = self.readers.as_ref().map(BTreeSet::len);
        assert!(named.is_none_or(|len| len == self.count));
    }

    fn change(&mut self, change: &Change) {
        let (before, version) = (
            self.seen.expect("it had a snapshot"),
            match change {
                Change::Presence(snapshot) => return self.snapshot(snapshot.clone()),
                Change::Join(those) | Change::Leave(those) => those.version,
                Change::Count(count) => count.version,
            },
        );
        assert_eq!(version, before + 1, "versions follow each other");
        self.seen = Some(version);
        match change {
            Change::Join(those) => {
                let known = self.readers.as_mut().expect("they are named");
                assert!(those.readers.iter().all(|r| known.insert(*r)), "told twice");
                self.count = those.count;
            }
            Change::Leave(those) => {
                let known = self.readers.as_mut().expect("they are named");
                assert!(those.readers.iter().all(|r| known.remove(r)), "was never there");
                self.count = those.count;
            }
            Change::Count(Count { count, .. }) => (self.readers, self.count) = (None, *count),
            Change::Presence(_) => {}
        }
        let named = self.readers.as_ref().map(BTreeSet::len);
        assert!(named.is_none_or(|len| len == self.count), "the count is that of the names");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Join,
    Leave(usize),
    Tell,
    /// One more client takes a snapshot, in the midst of what has not been told.
    Watch,
    /// A client hears nothing of what is told next.
    Miss(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Join),
        6 => any::<usize>().prop_map(Step::Leave),
        3 => Just(Step::Tell),
        1 => Just(Step::Watch),
        1 => any::<usize>().prop_map(Step::Miss),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// Whatever happens, all who watch know after each telling exactly who is there, or how
    /// many, and nobody was told anything twice.
    #[test]
    fn all_who_watch_know_who_is_there(steps in steps(), base in 0u64..9) {
        let mut presence = Presence::new(BOUNDS, base);
        let (mut model, mut next) = (Vec::new(), 0);
        let mut clients: Vec<(Client, bool)> = Vec::new();
        for step in steps {
            match step {
                Step::Join => {
                    presence.join(reader(next));
                    model.push(reader(next));
                    next += 1;
                }
                Step::Leave(index) if !model.is_empty() => {
                    let index = index % model.len();
                    prop_assert!(presence.leave(model.swap_remove(index)));
                }
                Step::Leave(_) => {}
                Step::Watch => {
                    let mut client = Client::default();
                    client.snapshot(presence.snapshot());
                    clients.push((client, true));
                }
                Step::Miss(index) => {
                    let len = clients.len().max(1);
                    if let Some((_, hears)) = clients.get_mut(index % len) {
                        *hears = false;
                    }
                }
                Step::Tell => {
                    let told = presence.tell();
                    prop_assert!(told.changes.len() <= 2);
                    for (client, hears) in &mut clients {
                        if !std::mem::replace(hears, true) {
                            continue;
                        }
                        match told.due(client.seen) {
                            Due::Nothing => {}
                            Due::Changes => told.changes.iter().for_each(|c| client.change(c)),
                            Due::Snapshot => client.snapshot(presence.snapshot()),
                        }
                        prop_assert_eq!(client.seen, Some(presence.version()));
                        prop_assert_eq!(client.count, model.len());
                        if let Some(readers) = &client.readers {
                            prop_assert_eq!(readers, &model.iter().copied().collect());
                            prop_assert!(model.len() <= BOUNDS.named_max);
                        } else {
                            prop_assert!(model.len() > BOUNDS.named_again);
                        }
                    }
                }
            }
        }
    }
}
