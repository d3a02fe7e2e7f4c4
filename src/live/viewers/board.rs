//! What the viewers of a shard let others see: counts, written once a round of its loop.

use std::sync::{Mutex, PoisonError};

use enchufe_core::fanout::Counts;

#[derive(Default)]
pub(in crate::live) struct Board(Mutex<(Counts, u64, usize)>);

impl Board {
    pub(super) fn write(&self, counts: Counts, dropped: u64, unfinished: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (counts, dropped, unfinished);
    }

    /// The fan-out's counts, connections dropped, subscriptions that are not finished.
    pub(in crate::live) fn read(&self) -> (Counts, u64, usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
