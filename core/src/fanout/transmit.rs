//! The hot path: which reader next, which bytes, and what became of them.

use arrayvec::ArrayVec;

use super::{
    Fanout, Passage, ReaderId, SubscriptionId,
    reader::{Reader, State},
    row,
};

/// How many slices one write takes at most.
pub const SLICES_MAX: usize = 64;

/// What there is to write for a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transmit {
    /// The slices, this many bytes of them.
    Bytes(usize),
    /// Nothing for now.
    Idle,
    /// The close has gone out: shut the write side.
    Closed,
}

impl Fanout {
    /// The next reader that may have something to write and is not blocked, `slice` of them at
    /// most. Those with something of their own and the dirty channels take turns, so that neither
    /// a crowd that catches up nor a busy channel keeps the others waiting; when the slice is used
    /// up, it is the next dirty channel's turn.
    pub fn next_ready(&mut self, slice: &mut usize) -> Option<ReaderId> {
        if *slice == 0 {
            self.next_channel();
            return None;
        }
        self.swept = !self.swept;
        let next = if self.swept {
            self.next_swept().or_else(|| self.next_urgent())
        } else {
            self.next_urgent().or_else(|| self.next_swept())
        };
        *slice -= usize::from(next.is_some());
        next
    }

    fn next_urgent(&mut self) -> Option<ReaderId> {
        while let Some(id) = self.urgent.pop_front() {
            if let Some(reader) = self.reader_mut(id) {
                reader.hurried = false;
                if !reader.blocked {
                    return Some(id);
                }
            }
        }
        None
    }

    fn next_swept(&mut self) -> Option<ReaderId> {
        while let Some(&index) = self.dirty.front() {
            let ring = &mut self.rings[index];
            let Some(&id) = ring.readers.get(ring.sweep.at) else {
                self.end_sweep(index);
                continue;
            };
            ring.sweep.at += 1;
            let Some(subscription) = self.subscription(id) else { continue };
            if !matches!(subscription.state, State::Live { .. }) {
                continue;
            }
            let reader = subscription.reader;
            if self.reader(reader).is_some_and(|reader| !reader.blocked) {
                return Some(reader);
            }
        }
        None
    }

    fn next_channel(&mut self) {
        if let Some(index) = self.dirty.pop_front() {
            self.dirty.push_back(index);
        }
    }

    /// Whether there is work left for [`Fanout::next_ready`].
    pub fn has_ready(&self) -> bool {
        !self.urgent.is_empty() || !self.dirty.is_empty()
    }

    fn end_sweep(&mut self, index: usize) {
        self.forget_stale(index);
        let sweep = &mut self.rings[index].sweep;
        sweep.at = 0;
        if std::mem::take(&mut sweep.again) {
            self.next_channel();
        } else {
            sweep.queued = false;
            self.dirty.pop_front();
        }
    }

    /// Fills `slices` with what the reader is to be sent, at most `bytes_max` bytes beyond the
    /// first slice. Borrowed: nothing is copied. Tell [`Fanout::sent`] what the socket accepted.
    pub fn poll_transmit<'a>(
        &'a mut self,
        id: ReaderId,
        bytes_max: usize,
        slices: &mut ArrayVec<&'a [u8], SLICES_MAX>,
    ) -> Transmit {
        let subscriptions = self.reader(id).map_or(0, |reader| reader.subscriptions.len());
        for at in 0..subscriptions {
            // Settling may close the reader, which takes its subscriptions away.
            let Some(&sub) = self.reader(id).and_then(|reader| reader.subscriptions.get(at)) else {
                break;
            };
            self.settle(sub);
        }
        let Some(reader) = self.reader(id) else { return Transmit::Idle };
        let mut bytes = 0;
        self.walk(reader, |frame| {
            slices.push(frame);
            bytes += frame.len();
            bytes < bytes_max && !slices.is_full()
        });
        match bytes {
            0 if reader.closing => Transmit::Closed,
            0 => Transmit::Idle,
            _ => Transmit::Bytes(bytes),
        }
    }

    /// Everything that waits for a reader, in order, until `take` has enough.
    fn walk<'a>(&'a self, reader: &'a Reader, mut take: impl FnMut(&'a [u8]) -> bool) {
        if let Some(unsent) = &reader.unsent {
            let partial = unsent.partial.iter().map(|(frame, sent)| &frame[*sent..]);
            let mut frames = partial.chain(unsent.outbox.iter().map(|frame| &frame[..]));
            if !frames.all(&mut take) {
                return;
            }
        }
        let (later, first) =
            reader.subscriptions.split_at((reader.turn as usize).min(reader.subscriptions.len()));
        for id in first.iter().chain(later) {
            let Some(subscription) = self.subscription(*id) else { continue };
            let ring = &self.rings[subscription.ring];
            let taken = match &subscription.state {
                State::Backlog { queue, .. } => {
                    queue.iter().all(|entry| take(entry.frame(reader.form, &ring.channel)))
                }
                State::Live { next } => {
                    let mut entries = (*next..).map_while(|sequence| ring.get(sequence));
                    entries.all(|entry| take(entry.frame(reader.form, &ring.channel)))
                }
                _ => true,
            };
            if !taken {
                return;
            }
        }
    }

    /// Moves the reader's cursors past what the socket accepted. A frame of which only a part
    /// was accepted is kept until the rest has gone out.
    pub fn sent(&mut self, id: ReaderId, mut bytes: usize) {
        let Some(reader) = self.readers.get_mut(id.row()) else { return };
        if reader.generation != id.generation {
            return;
        }
        if let Some(unsent) = &mut reader.unsent {
            bytes = unsent.accepted(bytes);
            if unsent.is_empty() {
                // An idle reader owns no buffer.
                reader.unsent = None;
                if std::mem::take(&mut reader.drain_watched) {
                    self.passages.push_back(Passage::Drained(id));
                }
            }
        }
        let count = reader.subscriptions.len();
        let turn = (reader.turn as usize).min(count);
        for step in 0..count {
            let at = (turn + step) % count;
            let sub = &mut self.subscriptions[reader.subscriptions[at].row()];
            let ring = &self.rings[sub.ring];
            let (mut delivered, mut delivered_bytes) = (0, 0);
            while bytes > 0 {
                let entry = match &sub.state {
                    State::Backlog { queue, .. } => queue.front(),
                    State::Live { next } => ring.get(*next),
                    _ => None,
                };
                let Some(entry) = entry else { break };
                let frame = entry.frame(reader.form, &ring.channel);
                if bytes < frame.len() {
                    let unsent = reader.unsent.get_or_insert_default();
                    unsent.partial = Some((frame.clone(), bytes));
                    self.counts.pinned += 1;
                }
                bytes = bytes.saturating_sub(frame.len());
                sub.after = Some(entry.position);
                self.counts.delivered += 1;
                delivered += 1;
                delivered_bytes += frame.len() as u64;
                match &mut sub.state {
                    State::Backlog { queue, .. } => drop(queue.pop_front()),
                    State::Live { next } => *next += 1,
                    _ => {}
                }
                reader.turn = row(at);
            }
            if delivered > 0 {
                // Once a write, however many messages it took.
                let counts = &mut self.rings[sub.ring].counts;
                counts.delivered += delivered;
                counts.bytes += delivered_bytes;
            }
        }
        // Whoever wrote last writes last next time.
        reader.turn = if count == 0 { 0 } else { (reader.turn + 1) % row(count) };
    }

    /// Whether nothing more is to be done for a reader now: it has everything, and neither a close
    /// nor an end is to follow. Spares asking [`Fanout::poll_transmit`] once more after each
    /// delivery.
    pub fn is_done(&mut self, id: ReaderId) -> bool {
        let Some(reader) = self.readers.get_mut(id.row()) else { return true };
        if reader.generation != id.generation {
            return true;
        }
        let has_all = |id: &SubscriptionId| {
            let subscription = &self.subscriptions[id.row()];
            let ring = &self.rings[subscription.ring];
            matches!(subscription.state, State::Live { next } if next == ring.end_sequence())
                && ring.end.is_none()
        };
        let is_done =
            reader.unsent.is_none() && !reader.closing && reader.subscriptions.iter().all(has_all);
        // Its socket no longer holds it up.
        reader.lags &= !is_done;
        is_done
    }

    /// The socket takes nothing until [`Fanout::writable`].
    pub fn blocked(&mut self, id: ReaderId) {
        if let Some(reader) = self.reader_mut(id) {
            reader.blocked = true;
            reader.lags = true;
        }
    }

    /// The socket takes bytes again.
    pub fn writable(&mut self, id: ReaderId) {
        if let Some(reader) = self.reader_mut(id) {
            reader.blocked = false;
            self.hurry(id);
        }
    }

    /// Writes stopped before everything was written: the reader's turn comes again.
    pub fn again(&mut self, id: ReaderId) {
        self.hurry(id);
    }
}
