//! The newest publications of one channel, shared by every live reader of a shard.

use std::{collections::VecDeque, sync::Arc};

use super::{ChannelCounts, SubscriptionId, window::Window};
use crate::{ChannelName, End, Position, Publication};

/// A bounded run of publications, numbered densely by a sequence of its own, because offsets
/// need not be dense.
pub(super) struct Ring {
    pub(super) channel: ChannelName,
    /// The position before the oldest entry; `None` until the channel's tail has begun.
    after: Option<Position>,
    entries: VecDeque<Arc<Publication>>,
    /// The sequence number of the oldest entry.
    base: u64,
    bytes: usize,
    pub(super) end: Option<Arc<End>>,
    /// Readers to visit, in the order they came. Some may have left: see [`Ring::stale`].
    pub(super) readers: Vec<SubscriptionId>,
    /// How many of `readers` have left.
    pub(super) stale: usize,
    /// Subscriptions that cannot go on before the tail has begun.
    pub(super) parked: Vec<SubscriptionId>,
    /// How many subscriptions there are, in whatever state.
    pub(super) subscriptions: usize,
    pub(super) sweep: Sweep,
    pub(super) window: Window,
    pub(super) counts: ChannelCounts,
}

/// Where the delivery of what is new stands. A sweep goes on where the last slice stopped.
#[derive(Default)]
pub(super) struct Sweep {
    /// Index into [`Ring::readers`].
    pub(super) at: usize,
    /// In the queue of dirty rings.
    pub(super) queued: bool,
    /// More was published while the sweep was under way.
    pub(super) again: bool,
}

impl Ring {
    pub(super) fn new(channel: ChannelName) -> Self {
        Self {
            channel,
            after: None,
            entries: VecDeque::new(),
            base: 0,
            bytes: 0,
            end: None,
            readers: Vec::new(),
            stale: 0,
            parked: Vec::new(),
            subscriptions: 0,
            sweep: Sweep::default(),
            window: Window::default(),
            counts: ChannelCounts::default(),
        }
    }

    pub(super) fn is_attached(&self) -> bool {
        self.after.is_some()
    }

    /// The sequence number that the next publication will have.
    pub(super) fn end_sequence(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    /// Whether `sequence` is still here, or yet to come.
    pub(super) fn holds(&self, sequence: u64) -> bool {
        sequence >= self.base
    }

    /// The entry numbered `sequence`, if it is here.
    pub(super) fn get(&self, sequence: u64) -> Option<&Arc<Publication>> {
        self.entries.get(usize::try_from(sequence.checked_sub(self.base)?).ok()?)
    }

    /// The sequence at which a reader that has everything through `after` goes on; `None` when
    /// what it needs is not here.
    pub(super) fn join(&self, after: Position) -> Option<u64> {
        let start = self.after?;
        if start.epoch != after.epoch || after.offset < start.offset {
            return None;
        }
        let index = self.entries.partition_point(|entry| entry.position.offset <= after.offset);
        Some(self.base + index as u64)
    }

    /// Begins, or begins again, after a position: everything before it has to come from history.
    pub(super) fn restart(&mut self, after: Position) {
        // One number is left out, so that even a reader who had everything notices.
        self.base = self.end_sequence() + 1;
        self.entries.clear();
        self.bytes = 0;
        self.after = Some(after);
    }

    /// Adds the newest and lets go of the oldest beyond the bounds.
    pub(super) fn push(&mut self, publication: Arc<Publication>, len_max: usize, bytes_max: usize) {
        let cost = publication.cost();
        self.bytes += cost;
        self.window.note(cost);
        self.entries.push_back(publication);
        while self.entries.len() > len_max || (self.bytes > bytes_max && self.entries.len() > 1) {
            if let Some(evicted) = self.entries.pop_front() {
                self.bytes -= evicted.cost();
                self.base += 1;
                self.after = Some(evicted.position);
            }
        }
    }

    /// The position of the newest entry, or where the tail began; `None` until it has.
    pub(super) fn head(&self) -> Option<Position> {
        self.entries.back().map(|entry| entry.position).or(self.after)
    }

    /// The newest entry and its sequence.
    pub(super) fn newest(&self) -> Option<(u64, &Arc<Publication>)> {
        self.entries.back().map(|entry| (self.end_sequence() - 1, entry))
    }
}
