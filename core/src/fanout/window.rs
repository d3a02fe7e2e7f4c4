//! Flush windows: what is new in a channel may wait for more, so as to leave with it in one write.
//!
//! Nearly all of what a delivery costs is the system call, so that only fewer of them win. A window
//! holds back when a channel is swept, and nothing else: a reader who has something to write anyway
//! (it catches up, is answered, can write again) gets what waits with it, and what is no message
//! (an end, a tail that begins again) ends the waiting.

use std::{collections::BTreeSet, time::Duration};

use super::{Fanout, SLICES_MAX};
use crate::ChannelName;

/// The window of one channel.
#[derive(Default)]
pub(super) struct Window {
    length: Duration,
    /// When what waits is swept; nothing waits without.
    due: Option<Duration>,
    /// What was published since the last sweep was asked for.
    len: usize,
    bytes: usize,
}

impl Window {
    /// A message was published.
    pub(super) fn note(&mut self, cost: usize) {
        self.len += 1;
        self.bytes += cost;
    }
}

/// The owner's time, and what is due when.
#[derive(Default)]
pub(super) struct Windows {
    now: Duration,
    /// Rings by when they are to be swept.
    due: BTreeSet<(Duration, usize)>,
}

impl Fanout {
    /// Sets how long what is new in a channel may wait for more from when it is published. Nothing,
    /// to begin with: it goes out at once. Ignored for a channel that nobody reads.
    pub fn set_window(&mut self, channel: &ChannelName, length: Duration) {
        if let Some(&ring) = self.names.get(channel) {
            self.rings[ring].window.length = length;
            if length.is_zero() && self.rings[ring].window.due.is_some() {
                self.mark_dirty(ring);
            }
        }
    }

    /// Says what time it is, counted from anywhere on a clock that does not go back. To be said
    /// before what is new is published, and when something is [due](Fanout::next_due).
    pub fn elapse(&mut self, now: Duration) {
        self.windows.now = self.windows.now.max(now);
        while let Some(&(due, ring)) = self.windows.due.first()
            && due <= self.windows.now
        {
            self.mark_dirty(ring);
        }
    }

    /// When [`Fanout::elapse`] has something to do next.
    pub fn next_due(&self) -> Option<Duration> {
        self.windows.due.first().map(|(due, _)| *due)
    }

    /// Has a channel swept that has something new, as soon as its window allows. What is as much as
    /// one write takes had better go: waiting longer would spare nothing. Nor may it wait until it
    /// falls out of the ring.
    pub(super) fn mark_new(&mut self, index: usize) {
        let len_max = SLICES_MAX.min(self.limits.ring_len_max / 2);
        let bytes_max = self.limits.ring_bytes_max / 2;
        let window = &mut self.rings[index].window;
        if window.length.is_zero() || window.len >= len_max || window.bytes >= bytes_max {
            self.mark_dirty(index);
        } else if window.len > 0 && window.due.is_none() {
            let due = self.windows.now + window.length;
            window.due = Some(due);
            self.windows.due.insert((due, index));
        }
    }

    /// Nothing waits in a channel any more: it is about to be swept, or let go of.
    pub(super) fn forget_due(&mut self, index: usize) {
        let window = &mut self.rings[index].window;
        (window.len, window.bytes) = (0, 0);
        if let Some(due) = window.due.take() {
            self.windows.due.remove(&(due, index));
        }
    }
}
