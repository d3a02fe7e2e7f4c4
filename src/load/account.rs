//! What the viewers of a channel had, compared with each other and with what was published.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::limits;

/// Every message that somebody had, or that was published: by its offset.
#[derive(Debug, Default)]
pub(super) struct Course {
    offsets: Mutex<BTreeSet<u64>>,
    newest: AtomicU64,
}

impl Course {
    /// There is a message.
    pub(super) fn note(&self, offset: u64) {
        self.offsets().insert(offset);
        self.newest.fetch_max(offset, Ordering::Relaxed);
    }

    /// The newest message; 0 when there is none.
    pub(super) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Relaxed)
    }

    /// How many messages there are through an offset.
    pub(super) fn len_through(&self, offset: u64) -> u64 {
        self.offsets().range(..=offset).count() as u64
    }

    fn offsets(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        // Inserting leaves it whole.
        self.offsets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one viewer had.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Messages, each counted once.
    pub(super) distinct: u64,
    /// Messages that came again.
    pub(super) repeated: u64,
    /// Messages that came after a newer one.
    pub(super) disordered: u64,
    /// The newest it had.
    pub(super) newest: u64,
    /// What it had last, to tell what comes late from what comes again.
    recent: VecDeque<u64>,
}

impl Account {
    /// The viewer has got a message.
    pub(super) fn took(&mut self, offset: u64) {
        if offset > self.newest {
            self.newest = offset;
            self.distinct += 1;
        } else if self.recent.contains(&offset) {
            self.repeated += 1;
            return;
        } else {
            self.disordered += 1;
            self.distinct += 1;
        }
        if self.recent.len() >= limits::LOAD_RECENT_LEN_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(offsets: &[u64]) -> Account {
        let mut account = Account::default();
        offsets.iter().for_each(|offset| account.took(*offset));
        account
    }

    #[test]
    fn what_is_missing_repeated_or_late_is_told_apart() {
        let course = Course::default();
        [1, 2, 3, 5, 8].into_iter().for_each(|offset| course.note(offset));
        assert_eq!((course.newest(), course.len_through(5)), (8, 4));
        for (offsets, distinct, repeated, disordered) in [
            (&[1, 2, 3, 5, 8][..], 5, 0, 0),
            (&[1, 2, 5, 8], 4, 0, 0),
            (&[1, 2, 2, 3, 5, 8, 3], 5, 2, 0),
            (&[1, 3, 2, 5, 8], 5, 0, 1),
            (&[1, 3, 2, 2], 3, 1, 1),
        ] {
            let account = account(offsets);
            let found = (account.distinct, account.repeated, account.disordered);
            assert_eq!(found, (distinct, repeated, disordered), "{offsets:?}");
        }
    }

    #[test]
    fn what_was_had_is_remembered_for_so_long_and_no_longer() {
        let many = limits::LOAD_RECENT_LEN_MAX as u64 + 1;
        let mut account = account(&(1..=many).collect::<Vec<_>>());
        assert_eq!(account.recent.len(), limits::LOAD_RECENT_LEN_MAX);
        account.took(2);
        assert_eq!((account.repeated, account.disordered), (1, 0));
    }
}
