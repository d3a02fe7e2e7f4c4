//! A shard's timers: two queues, each with one constant delay, so that the oldest is the next.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::Key;
use crate::limits;

/// How long peers are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often a peer is pinged.
    pub ping_interval: Duration,
    /// How long after its last sign of life a peer is dropped: at the next ping.
    pub dead_after: Duration,
    /// How long a peer may take to close after it was told that this is the end.
    pub linger: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            ping_interval: limits::PING_INTERVAL,
            dead_after: limits::DEAD_AFTER,
            linger: limits::LINGER,
        }
    }
}

/// Entries of sockets that have gone stay until they are due and are ignored then.
pub(super) struct Deadlines {
    pub(super) patience: Patience,
    pings: VecDeque<(Instant, Key)>,
    lingers: VecDeque<(Instant, Key)>,
}

impl Deadlines {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, pings: VecDeque::new(), lingers: VecDeque::new() }
    }

    pub(super) fn ping(&mut self, now: Instant, key: Key) {
        self.pings.push_back((now + self.patience.ping_interval, key));
    }

    pub(super) fn linger(&mut self, now: Instant, key: Key) {
        self.lingers.push_back((now + self.patience.linger, key));
    }

    pub(super) fn ping_due(&mut self, now: Instant) -> Option<Key> {
        due(&mut self.pings, now)
    }

    pub(super) fn linger_due(&mut self, now: Instant) -> Option<Key> {
        due(&mut self.lingers, now)
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<Instant> {
        let fronts = self.pings.front().into_iter().chain(self.lingers.front());
        fronts.map(|(due, _)| *due).min()
    }
}

fn due(queue: &mut VecDeque<(Instant, Key)>, now: Instant) -> Option<Key> {
    let (due, key) = *queue.front()?;
    if due > now {
        return None;
    }
    queue.pop_front();
    Some(key)
}
