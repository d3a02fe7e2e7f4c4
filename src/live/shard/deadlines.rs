//! A shard's timers: two queues, each with one constant delay, so that the oldest is the next.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use enchufe_core::fanout::ReaderId;

use crate::live::node::Patience;

/// Entries of sockets that have gone stay until they are due and are ignored then.
pub(super) struct Deadlines {
    pub(super) patience: Patience,
    pings: VecDeque<(Instant, usize, ReaderId)>,
    lingers: VecDeque<(Instant, usize, ReaderId)>,
}

impl Deadlines {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, pings: VecDeque::new(), lingers: VecDeque::new() }
    }

    pub(super) fn ping(&mut self, now: Instant, key: usize, reader: ReaderId) {
        self.pings.push_back((now + self.patience.ping_interval, key, reader));
    }

    pub(super) fn linger(&mut self, now: Instant, key: usize, reader: ReaderId) {
        self.lingers.push_back((now + self.patience.linger, key, reader));
    }

    pub(super) fn ping_due(&mut self, now: Instant) -> Option<(usize, ReaderId)> {
        due(&mut self.pings, now)
    }

    pub(super) fn linger_due(&mut self, now: Instant) -> Option<(usize, ReaderId)> {
        due(&mut self.lingers, now)
    }

    /// How long until something is due.
    pub(super) fn next_in(&self, now: Instant) -> Option<Duration> {
        let fronts = self.pings.front().into_iter().chain(self.lingers.front());
        fronts.map(|(due, _, _)| due.saturating_duration_since(now)).min()
    }
}

fn due(
    queue: &mut VecDeque<(Instant, usize, ReaderId)>,
    now: Instant,
) -> Option<(usize, ReaderId)> {
    let (due, key, reader) = *queue.front()?;
    if due > now {
        return None;
    }
    queue.pop_front();
    Some((key, reader))
}
