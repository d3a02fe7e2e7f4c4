//! Readers and their cursors: joining the ring, falling out of it, catching up, leaving.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use smallvec::SmallVec;

use super::{Action, ChannelCounts, Fanout, Passage, ReaderId, Ring, SubscriptionId};
use crate::{
    ChannelName, ErrorCode, Form, Gap, Position, Publication, SlowPolicy,
    v1::{self, RequestId},
    ws::{CloseCode, CloseReason},
};

/// A connection. There may be very many that nothing is sent to: one that is idle owns nothing but
/// its row.
pub(super) struct Reader {
    pub(super) generation: u32,
    pub(super) form: Form,
    pub(super) token: usize,
    /// Most read one channel.
    pub(super) subscriptions: SmallVec<[SubscriptionId; 2]>,
    /// Which subscription writes first: they take turns.
    pub(super) turn: u32,
    /// What was to be sent to nobody else, and has not gone out.
    pub(super) unsent: Option<Box<Unsent>>,
    /// The socket takes nothing for now.
    pub(super) blocked: bool,
    /// The socket has held the reader up since it last had everything.
    pub(super) lags: bool,
    /// In the queue of urgent readers.
    pub(super) hurried: bool,
    /// The close is in the outbox: nothing comes after it.
    pub(super) closing: bool,
    /// It is to be said when the outbox is empty.
    pub(super) drain_watched: bool,
}

/// What waits for one reader alone.
#[derive(Default)]
pub(super) struct Unsent {
    /// Frames of the reader's own: replies, gaps, ends, the close.
    pub(super) outbox: VecDeque<Bytes>,
    pub(super) outbox_bytes: usize,
    /// The frame of which only a part was accepted, and how much of it. It goes first.
    pub(super) partial: Option<(Bytes, usize)>,
}

impl Unsent {
    pub(super) fn push(&mut self, frame: Bytes) {
        self.outbox_bytes += frame.len();
        self.outbox.push_back(frame);
    }

    /// Takes off what was accepted, and says how much was accepted besides.
    pub(super) fn accepted(&mut self, mut bytes: usize) -> usize {
        if let Some((frame, sent)) = &mut self.partial {
            let rest = frame.len() - *sent;
            if bytes < rest {
                *sent += bytes;
                return 0;
            }
            bytes -= rest;
            self.partial = None;
        }
        while bytes > 0
            && let Some(frame) = self.outbox.pop_front()
        {
            self.outbox_bytes -= frame.len();
            if bytes < frame.len() {
                self.partial = Some((frame, bytes));
                return 0;
            }
            bytes -= frame.len();
        }
        bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.partial.is_none() && self.outbox.is_empty()
    }
}

impl Reader {
    pub(super) fn new(form: Form, token: usize, generation: u32) -> Self {
        Self {
            generation,
            form,
            token,
            subscriptions: SmallVec::new(),
            turn: 0,
            unsent: None,
            blocked: false,
            lags: false,
            hurried: false,
            closing: false,
            drain_watched: false,
        }
    }

    /// How many bytes of its own frames wait for it.
    pub(super) fn outbox_bytes(&self) -> usize {
        self.unsent.as_ref().map_or(0, |unsent| unsent.outbox_bytes)
    }
}

/// A cursor.
pub(super) struct Subscription {
    pub(super) generation: u32,
    pub(super) reader: ReaderId,
    pub(super) ring: usize,
    /// The reader's choice, or from its start on what holds for its channel.
    pub(super) slow: Option<SlowPolicy>,
    pub(super) state: State,
    /// What the reader has everything through; unknown until it has started.
    pub(super) after: Option<Position>,
    /// It was up to date once: what it misses from then on, it misses because it is slow.
    pub(super) was_live: bool,
    /// Named in the ring's list of readers.
    pub(super) listed: bool,
    /// What the reader calls the request that is still to be answered.
    pub(super) request: Option<Box<RequestId>>,
}

pub(super) enum State {
    /// Waits for [`Fanout::start`].
    Starting,
    /// Waits for the channel's tail to begin.
    Parked,
    /// Waits for [`Fanout::page`].
    AwaitingHistory,
    /// Sends a page of history.
    Backlog { queue: VecDeque<Arc<Publication>>, through: Position },
    /// Sends what the ring has, from this sequence on.
    Live { next: u64 },
    /// Everything was sent, the end too.
    Ended,
}

impl Fanout {
    pub(super) fn reader(&self, id: ReaderId) -> Option<&Reader> {
        self.readers.get(id.row()).filter(|reader| reader.generation == id.generation)
    }

    pub(super) fn reader_mut(&mut self, id: ReaderId) -> Option<&mut Reader> {
        self.readers.get_mut(id.row()).filter(|reader| reader.generation == id.generation)
    }

    pub(super) fn subscription(&self, id: SubscriptionId) -> Option<&Subscription> {
        self.subscriptions.get(id.row()).filter(|sub| sub.generation == id.generation)
    }

    pub(super) fn subscription_mut(&mut self, id: SubscriptionId) -> Option<&mut Subscription> {
        self.subscriptions.get_mut(id.row()).filter(|sub| sub.generation == id.generation)
    }

    pub(super) fn subscription_of(
        &self,
        reader: ReaderId,
        channel: &ChannelName,
    ) -> Option<SubscriptionId> {
        let of_channel = |id: &&SubscriptionId| {
            self.subscription(**id).is_some_and(|sub| self.rings[sub.ring].channel == *channel)
        };
        self.reader(reader)?.subscriptions.iter().find(of_channel).copied()
    }

    /// Puts a cursor into the ring, or asks for the history it needs first.
    pub(super) fn join(&mut self, id: SubscriptionId) {
        let Some(subscription) = self.subscription(id) else { return };
        let (Some(after), index) = (subscription.after, subscription.ring) else { return };
        let listed = subscription.listed;
        let ring = &mut self.rings[index];
        let (state, action) = if !ring.is_attached() {
            ring.parked.push(id);
            (State::Parked, None)
        } else if let Some(next) = ring.join(after) {
            if !listed {
                ring.readers.push(id);
            }
            (State::Live { next }, None)
        } else {
            let channel = ring.channel.clone();
            let action = Action::History { subscription: id, channel, after };
            (State::AwaitingHistory, Some(action))
        };
        self.actions.extend(action);
        let Some(subscription) = self.subscription_mut(id) else { return };
        if matches!(state, State::Live { .. }) {
            subscription.was_live = true;
            subscription.listed = true;
        }
        subscription.state = state;
        let reader = subscription.reader;
        self.hurry(reader);
    }

    /// Brings a cursor to where it can write: everything that is not a plain delivery happens
    /// here. Called before the reader is written to.
    pub(super) fn settle(&mut self, id: SubscriptionId) {
        loop {
            let subscription = self.subscriptions.get_mut(id.row());
            let Some(subscription) = subscription.filter(|sub| sub.generation == id.generation)
            else {
                return;
            };
            match &mut subscription.state {
                State::Backlog { queue, through } if queue.is_empty() => {
                    subscription.after = Some(*through);
                    if self.cuts(id) {
                        return;
                    }
                    self.join(id);
                }
                State::Live { next } => {
                    let ring = &self.rings[subscription.ring];
                    if !ring.holds(*next) {
                        if !self.fell_out(id) {
                            return;
                        }
                        continue;
                    }
                    // A cursor that came from history may be ahead of the ring.
                    while let (Some(entry), Some(after)) = (ring.get(*next), subscription.after)
                        && entry.position.epoch == after.epoch
                        && entry.position.offset <= after.offset
                    {
                        *next += 1;
                    }
                    let pending = ring.end_sequence().saturating_sub(*next);
                    if pending == 0 {
                        self.readers[subscription.reader.row()].lags = false;
                    }
                    if pending == 0 && ring.end.is_some() {
                        self.tell_end(id);
                    } else if pending > 1 && subscription.slow == Some(SlowPolicy::Latest) {
                        self.conflate(id);
                    }
                    return;
                }
                _ => return,
            }
        }
    }

    /// The ring no longer has what the cursor needs. `true` when there is more to settle.
    fn fell_out(&mut self, id: SubscriptionId) -> bool {
        if self.cuts(id) {
            return false;
        }
        let Some(subscription) = self.subscription(id) else { return false };
        let ring = &self.rings[subscription.ring];
        let Some(after) = subscription.after else { return false };
        let newest = ring.newest().map(|(_, publication)| publication.position.epoch);
        let conflates = subscription.slow == Some(SlowPolicy::Latest)
            && ring.join(after).is_none()
            && newest == Some(after.epoch);
        if conflates {
            return self.conflate(id);
        }
        self.join(id);
        true
    }

    /// Closes the connection of a reader that wants it so, was up to date once, was held up by its
    /// socket since, and has fallen behind what the ring has. Whoever was not held up is not slow:
    /// it was the ring that moved on too fast.
    fn cuts(&mut self, id: SubscriptionId) -> bool {
        let Some(subscription) = self.subscription(id) else { return false };
        let (reader, ring) = (subscription.reader, &self.rings[subscription.ring]);
        let Some(after) = subscription.after else { return false };
        let newest = ring.newest().map(|(_, publication)| publication.position.epoch);
        let is_slow = subscription.slow == Some(SlowPolicy::Cut)
            && subscription.was_live
            && self.reader(reader).is_some_and(|reader| reader.lags)
            && ring.join(after).is_none()
            && newest == Some(after.epoch);
        if is_slow {
            self.counts.cut += 1;
            let ring = self.subscriptions[id.row()].ring;
            self.rings[ring].counts.cut += 1;
            self.close(reader, CloseCode::SLOW, "slow");
        }
        is_slow
    }

    /// Closes the connection of a reader that publishers wait for no longer.
    pub fn cut(&mut self, id: SubscriptionId) {
        if let Some(subscription) = self.subscription(id) {
            let reader = subscription.reader;
            self.counts.cut += 1;
            self.close(reader, CloseCode::SLOW, "slow");
        }
    }

    /// Moves the cursor of a reader of the newest only to the newest. Waits while replies are
    /// queued, so that a reader that takes nothing gathers no notices.
    fn conflate(&mut self, id: SubscriptionId) -> bool {
        let Some(subscription) = self.subscription(id) else { return false };
        let (reader, ring) = (subscription.reader, &self.rings[subscription.ring]);
        let (State::Live { next }, Some(after)) = (&subscription.state, subscription.after) else {
            return false;
        };
        if self.reader(reader).is_none_or(|reader| reader.outbox_bytes() > 0) {
            return false;
        }
        let Some((newest, publication)) = ring.newest() else { return false };
        let missing = ring.holds(*next).then(|| newest - *next);
        let reason = crate::GapReason::Conflated;
        let gap = Gap { after, next: publication.position, reason, missing };
        let event = v1::frame(&v1::Event::gap(&ring.channel, &gap));
        let told = publication.position.before();
        let index = subscription.ring;
        self.counts.conflated += missing.unwrap_or(1);
        self.rings[index].counts.conflate(missing.unwrap_or(1));
        if self.form(reader) == Some(Form::V1) {
            self.enqueue(reader, event);
        }
        if let Some(subscription) = self.subscription_mut(id) {
            subscription.state = State::Live { next: newest };
            subscription.after = Some(told);
        }
        true
    }

    /// Tells a reader that messages are missing. A raw reader cannot be told in band: it is
    /// closed with the position to resume after, and `false` is returned.
    pub(super) fn tell_gap(&mut self, id: SubscriptionId, gap: Gap) -> bool {
        let Some(subscription) = self.subscription_mut(id) else { return false };
        subscription.after = Some(gap.next.before());
        let (reader, ring, slow) = (subscription.reader, subscription.ring, subscription.slow);
        self.counts.gaps += 1;
        self.rings[ring].counts.gap(gap.reason, gap.missing);
        match self.form(reader) {
            Some(Form::V1) => {
                let event = v1::frame(&v1::Event::gap(&self.rings[ring].channel, &gap));
                self.enqueue(reader, event);
                true
            }
            // The newest only, without a word about the rest: that was its own choice.
            Some(Form::Raw) if slow == Some(SlowPolicy::Latest) => true,
            Some(Form::Raw) => {
                self.close(reader, CloseCode::GAP, "gap");
                false
            }
            None => false,
        }
    }

    fn tell_end(&mut self, id: SubscriptionId) {
        let Some(subscription) = self.subscription_mut(id) else { return };
        subscription.state = State::Ended;
        let (reader, ring) = (subscription.reader, subscription.ring);
        self.finished += 1;
        match self.form(reader) {
            Some(Form::V1) => {
                let Ring { channel, end: Some(end), .. } = &self.rings[ring] else { return };
                let event = v1::frame(&v1::Event::end(channel, end));
                self.enqueue(reader, event);
            }
            Some(Form::Raw) => self.close(reader, CloseCode::ENDED, "the channel has ended"),
            None => {}
        }
    }

    /// Whether more replies wait for a reader than is good, and it may be able to take them now.
    pub fn is_filling(&self, reader: ReaderId) -> bool {
        let enough = self.limits.outbox_bytes_max / 2;
        self.reader(reader).is_some_and(|r| !r.blocked && r.outbox_bytes() > enough)
    }

    /// Whether the close waits for a reader, or has gone out to it.
    pub fn is_closing(&self, reader: ReaderId) -> bool {
        self.reader(reader).is_some_and(|reader| reader.closing)
    }

    /// A subscription that could not start, because of the channel or of `since`.
    pub fn refuse(&mut self, id: SubscriptionId, code: ErrorCode, message: &str) {
        let Some(subscription) = self.subscription_mut(id) else { return };
        let (reader, ring) = (subscription.reader, subscription.ring);
        let request = subscription.request.take();
        let channel = self.rings[ring].channel.clone();
        if self.form(reader) == Some(Form::Raw) {
            self.finish(reader, &CloseReason::new(CloseCode::UNKNOWN_CHANNEL, message.to_owned()));
            return;
        }
        self.unsubscribe(reader, &channel);
        let event = v1::Event::error(code, message, Some(&channel));
        self.enqueue(reader, v1::answer(&event, request.as_deref()));
    }

    pub(super) fn drop_subscriptions(&mut self, reader: ReaderId) {
        let Some(state) = self.reader_mut(reader) else { return };
        for id in std::mem::take(&mut state.subscriptions) {
            self.remove_subscription(id);
        }
    }

    pub(super) fn remove_subscription(&mut self, id: SubscriptionId) {
        if self.subscription(id).is_none() {
            return;
        }
        let subscription = self.subscriptions.remove(id.row());
        self.finished -= usize::from(matches!(subscription.state, State::Ended));
        let ring = &mut self.rings[subscription.ring];
        self.passages.push_back(Passage::Left(id, ring.channel.clone()));
        ring.subscriptions -= 1;
        ring.stale += usize::from(subscription.listed);
        if matches!(subscription.state, State::Parked) {
            ring.parked.retain(|other| *other != id);
        }
        if ring.subscriptions == 0 {
            let ring_index = subscription.ring;
            self.forget_due(ring_index);
            let ring = self.rings.remove(ring_index);
            self.dirty.retain(|dirty| *dirty != ring_index);
            self.names.remove(&ring.channel);
            if ring.counts != ChannelCounts::default() {
                self.departed.push((ring.channel.clone(), ring.counts));
            }
            self.actions.push_back(Action::Detach(ring.channel));
        } else if !ring.sweep.queued {
            // A quiet channel is never swept, and its readers come and go all the same.
            self.forget_stale(subscription.ring);
        }
    }

    /// Takes those who have left off a ring's list, once they are most of it.
    pub(super) fn forget_stale(&mut self, index: usize) {
        let ring = &mut self.rings[index];
        if ring.stale * 2 > ring.readers.len() {
            let mut readers = std::mem::take(&mut ring.readers);
            ring.stale = 0;
            readers.retain(|id| self.subscription(*id).is_some());
            self.rings[index].readers = readers;
        }
    }
}
