//! Fan-out: one ring per channel, one cursor per subscription, nothing queued per reader.
//!
//! Whoever owns the sockets drives it: publications go in, readers that can be written to come
//! out, the bytes to write are borrowed from the publications themselves, and what was accepted
//! by the socket moves the cursors. It has no socket, no clock and no thread, so that a test can
//! try every order of events.
//!
//! A reader that is not in the ring (it came late, or fell behind) asks for pages of history
//! through [`Action::History`] until it has caught up. Only history declares messages missing.

mod error;
mod figures;
mod reader;
mod ring;
#[cfg(test)]
mod tests;
mod transmit;
mod window;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use slab::Slab;

use crate::{
    ChannelName, End, Form, Gap, Position, Publication, SlowPolicy,
    v1::{self, RequestId},
    ws::{self, CloseCode, CloseReason},
};
use reader::{Reader, State, Subscription};
use ring::Ring;
use window::Windows;

pub use error::{OutboxFull, SubscribeError};
pub use figures::{ChannelCounts, ChannelFigures, Figures};
pub use transmit::{SLICES_MAX, Transmit};

/// The bounds of a [`Fanout`].
#[derive(Debug, Clone)]
pub struct Limits {
    /// Publications a ring keeps.
    pub ring_len_max: usize,
    /// Bytes a ring keeps, counted by [`Publication::cost`].
    pub ring_bytes_max: usize,
    /// Bytes of replies waiting for one reader.
    pub outbox_bytes_max: usize,
    /// Channels one connection may read.
    pub subscriptions_max: usize,
}

/// One reader's connection. Not used again before four thousand million others were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReaderId {
    index: u32,
    generation: u32,
}

/// One reader's cursor into one channel. Not used again before four thousand million others were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubscriptionId {
    index: u32,
    generation: u32,
}

impl ReaderId {
    fn row(self) -> usize {
        self.index as usize
    }
}

impl SubscriptionId {
    fn row(self) -> usize {
        self.index as usize
    }

    /// Its number, which another subscription of this fan-out has at the earliest after four
    /// thousand million others.
    pub fn number(self) -> u32 {
        self.generation
    }
}

/// What the owner has to do for the fan-out. Each history request is answered with
/// [`Fanout::page`], and no subscription has two under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Begin the channel's tail here: [`Fanout::attached`], then [`Fanout::publish`].
    Attach(ChannelName),
    /// Nobody reads the channel here any more.
    Detach(ChannelName),
    /// Read a page of history.
    History {
        /// For whom.
        subscription: SubscriptionId,
        /// Of which channel.
        channel: ChannelName,
        /// What the page comes after.
        after: Position,
    },
}

/// What has become of a reader, for the owner to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// A cursor has been set: its reader reads the channel from now on.
    Came(SubscriptionId, ChannelName),
    /// A cursor has gone, or will never be set.
    Left(SubscriptionId, ChannelName),
    /// All replies have gone out to a reader of whom this was to be said.
    Drained(ReaderId),
}

/// A run of a channel's history.
#[derive(Debug, Clone)]
pub struct Page {
    /// In order, all of them after the position that was asked for.
    pub items: Vec<Arc<Publication>>,
    /// What is missing before the first item.
    pub gap: Option<Gap>,
    /// The page is complete through here.
    pub through: Position,
}

/// What has happened, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Publications handed to sockets.
    pub delivered: u64,
    /// Gaps told, conflation aside.
    pub gaps: u64,
    /// Publications left out for readers of the newest only.
    pub conflated: u64,
    /// Readers closed because they were too slow.
    pub cut: u64,
    /// Frames kept for a reader because only part of one was accepted.
    pub pinned: u64,
}

/// The fan-out of one shard.
pub struct Fanout {
    limits: Limits,
    generation: u32,
    rings: Slab<Ring>,
    names: BTreeMap<ChannelName, usize>,
    readers: Slab<Reader>,
    subscriptions: Slab<Subscription>,
    urgent: VecDeque<ReaderId>,
    dirty: VecDeque<usize>,
    windows: Windows,
    /// The last turn of [`Fanout::next_ready`] was that of the dirty channels.
    swept: bool,
    actions: VecDeque<Action>,
    passages: VecDeque<Passage>,
    counts: Counts,
    /// What was counted in channels that nobody reads here any more, until it is asked for.
    departed: Vec<(ChannelName, ChannelCounts)>,
    /// Subscriptions in [`State::Ended`].
    finished: usize,
}

impl Fanout {
    /// An empty one.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            generation: 0,
            rings: Slab::new(),
            names: BTreeMap::new(),
            readers: Slab::new(),
            subscriptions: Slab::new(),
            urgent: VecDeque::new(),
            dirty: VecDeque::new(),
            windows: Windows::default(),
            swept: false,
            actions: VecDeque::new(),
            passages: VecDeque::new(),
            counts: Counts::default(),
            departed: Vec::new(),
            finished: 0,
        }
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How many cursors have not yet sent the end of their channel.
    pub fn unfinished(&self) -> usize {
        self.subscriptions.len() - self.finished
    }

    /// What the owner has to do next.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What has become of readers since it was last asked.
    pub fn next_passage(&mut self) -> Option<Passage> {
        self.passages.pop_front()
    }

    /// Takes in a connection. `token` is the owner's name for it.
    pub fn connect(&mut self, form: Form, token: usize) -> ReaderId {
        let generation = self.next_generation();
        let index = self.readers.insert(Reader::new(form, token, generation));
        ReaderId { index: row(index), generation }
    }

    fn next_generation(&mut self) -> u32 {
        self.generation = self.generation.wrapping_add(1);
        self.generation
    }

    /// The owner's name for a reader, while it is here.
    pub fn token(&self, reader: ReaderId) -> Option<usize> {
        self.reader(reader).map(|reader| reader.token)
    }

    /// How the reader's messages are encoded, while it is here.
    pub fn form(&self, reader: ReaderId) -> Option<Form> {
        self.reader(reader).map(|reader| reader.form)
    }

    /// Forgets a connection and all its subscriptions.
    pub fn disconnect(&mut self, reader: ReaderId) {
        if self.reader(reader).is_some() {
            self.drop_subscriptions(reader);
            self.readers.remove(reader.row());
        }
    }

    /// Adds a cursor, which waits for [`Fanout::start`]. `slow` is the reader's own choice.
    ///
    /// # Errors
    ///
    /// When the connection may not, or cannot, read one more channel. Nothing has changed then.
    pub fn subscribe(
        &mut self,
        reader_id: ReaderId,
        channel: &ChannelName,
        slow: Option<SlowPolicy>,
    ) -> Result<SubscriptionId, SubscribeError> {
        let reader =
            self.reader(reader_id).filter(|r| !r.closing).ok_or(SubscribeError::Closing)?;
        if reader.outbox_bytes() >= self.limits.outbox_bytes_max {
            return Err(OutboxFull.into());
        }
        if reader.subscriptions.len() >= self.limits.subscriptions_max {
            return Err(SubscribeError::TooMany(self.limits.subscriptions_max));
        }
        if self.subscription_of(reader_id, channel).is_some() {
            return Err(SubscribeError::Already);
        }
        let ring = self.ring_of(channel);
        self.rings[ring].subscriptions += 1;
        let generation = self.next_generation();
        let index = self.subscriptions.insert(Subscription {
            generation,
            reader: reader_id,
            ring,
            slow,
            state: State::Starting,
            after: None,
            was_live: false,
            listed: false,
            request: None,
        });
        let id = SubscriptionId { index: row(index), generation };
        self.readers[reader_id.row()].subscriptions.push(id);
        Ok(id)
    }

    /// What the reader calls the request whose answer the start of this cursor, or its refusal, is.
    pub fn name_request(&mut self, id: SubscriptionId, request: RequestId) {
        if let Some(subscription) = self.subscription_mut(id) {
            subscription.request = Some(Box::new(request));
        }
    }

    /// Sets a cursor: the reader gets what comes after `after`, and is told of `gap` first.
    /// `slow` is what holds for readers who did not choose.
    pub fn start(
        &mut self,
        id: SubscriptionId,
        after: Position,
        gap: Option<Gap>,
        slow: SlowPolicy,
    ) {
        let Some(subscription) = self.subscription_mut(id) else { return };
        subscription.slow.get_or_insert(slow);
        subscription.after = Some(after);
        let (reader, ring) = (subscription.reader, subscription.ring);
        let request = subscription.request.take();
        self.passages.push_back(Passage::Came(id, self.rings[ring].channel.clone()));
        if self.form(reader) == Some(Form::V1) {
            // Where the reader was: a position beyond the gap would let it resume without the gap,
            // were the connection lost in between.
            let at = gap.map_or(after, |gap| gap.after);
            let event = v1::Event::subscribed(&self.rings[ring].channel, at);
            let answer = v1::answer(&event, request.as_deref());
            self.enqueue(reader, answer);
        }
        if let Some(gap) = gap {
            self.tell_gap(id, gap);
        }
        self.join(id);
    }

    /// What the reader has everything through, while the cursor is here and once it has started.
    pub fn position(&self, id: SubscriptionId) -> Option<Position> {
        self.subscription(id)?.after
    }

    /// Takes a cursor back; `true` when there was one.
    pub fn unsubscribe(&mut self, reader: ReaderId, channel: &ChannelName) -> bool {
        let Some(id) = self.subscription_of(reader, channel) else { return false };
        self.readers[reader.row()].subscriptions.retain(|other| *other != id);
        self.remove_subscription(id);
        true
    }

    /// Answers [`Action::History`].
    pub fn page(&mut self, id: SubscriptionId, page: Page) {
        let Some(subscription) = self.subscription(id) else { return };
        if !matches!(subscription.state, State::AwaitingHistory) {
            return;
        }
        if page.gap.is_some()
            && subscription.was_live
            && subscription.slow == Some(SlowPolicy::Block)
        {
            // Publishers have waited for it, and do no longer.
            return self.cut(id);
        }
        if let Some(mut gap) = page.gap {
            if gap.reason == crate::GapReason::Expired && subscription.was_live {
                gap.reason = crate::GapReason::Slow;
            }
            if !self.tell_gap(id, gap) {
                return;
            }
        }
        let Some(subscription) = self.subscription_mut(id) else { return };
        let reader = subscription.reader;
        if page.items.is_empty() {
            subscription.after = Some(page.through);
            self.join(id);
        } else {
            subscription.state = State::Backlog { queue: page.items.into(), through: page.through };
        }
        self.hurry(reader);
    }

    /// The channel's tail has begun, or begun again, after a position.
    pub fn attached(&mut self, channel: &ChannelName, after: Position) {
        let Some(&ring) = self.names.get(channel) else { return };
        self.rings[ring].restart(after);
        for id in std::mem::take(&mut self.rings[ring].parked) {
            self.join(id);
        }
        self.mark_dirty(ring);
    }

    /// The newest messages of a channel. Ignored until the channel is attached.
    pub fn publish(
        &mut self,
        channel: &ChannelName,
        publications: impl IntoIterator<Item = Arc<Publication>>,
    ) {
        let Some(&ring) = self.names.get(channel) else { return };
        if self.rings[ring].is_attached() {
            let Limits { ring_len_max, ring_bytes_max, .. } = self.limits;
            for publication in publications {
                self.rings[ring].push(publication, ring_len_max, ring_bytes_max);
            }
            self.mark_new(ring);
        }
    }

    /// Nothing more will come after what has been published.
    pub fn ended(&mut self, channel: &ChannelName, end: Arc<End>) {
        let Some(&ring) = self.names.get(channel) else { return };
        if self.rings[ring].is_attached() {
            self.rings[ring].end = Some(end);
            self.mark_dirty(ring);
        }
    }

    /// Queues a frame of the owner's for a reader (a pong, a reply).
    ///
    /// # Errors
    ///
    /// When more than [`Limits::outbox_bytes_max`] would wait. The frame is not queued then.
    pub fn push(&mut self, reader: ReaderId, frame: Bytes) -> Result<(), OutboxFull> {
        let bytes_max = self.limits.outbox_bytes_max;
        match self.reader(reader) {
            Some(state) if state.outbox_bytes() + frame.len() > bytes_max => Err(OutboxFull),
            _ => {
                self.enqueue(reader, frame);
                Ok(())
            }
        }
    }

    /// Queues an answer of which the owner lets no more than so many be under way, however long it
    /// is: the bound of [`Fanout::push`] is not for it.
    pub fn answer(&mut self, reader: ReaderId, frame: Bytes) {
        self.enqueue(reader, frame);
    }

    /// Whether as much waits for a reader as may, or more.
    pub fn is_full(&self, reader: ReaderId) -> bool {
        let bytes_max = self.limits.outbox_bytes_max;
        self.reader(reader).is_some_and(|reader| reader.outbox_bytes() >= bytes_max)
    }

    /// Bytes of replies that wait for a reader.
    pub fn waiting(&self, reader: ReaderId) -> usize {
        self.reader(reader).map_or(0, Reader::outbox_bytes)
    }

    /// Has [`Passage::Drained`] said, once, when all replies have gone out to a reader for whom
    /// some wait.
    pub fn watch_drain(&mut self, reader: ReaderId) {
        if let Some(reader) = self.reader_mut(reader) {
            reader.drain_watched = true;
        }
    }

    /// Closes a connection once everything already queued for it has gone out: its
    /// subscriptions end here. A raw reader's reason is the position to resume after.
    pub fn close(&mut self, reader_id: ReaderId, code: CloseCode, reason: &str) {
        let Some(reader) = self.reader(reader_id).filter(|reader| !reader.closing) else { return };
        let position = reader
            .subscriptions
            .first()
            .filter(|_| reader.form == Form::Raw)
            .and_then(|id| self.subscription(*id)?.after);
        let reason = position.map_or_else(|| reason.to_owned(), |position| position.to_string());
        self.finish(reader_id, &CloseReason::new(code, reason));
    }

    /// As [`Fanout::close`], with exactly this reason (the answer to a peer's close).
    pub fn finish(&mut self, reader_id: ReaderId, reason: &CloseReason) {
        if self.reader(reader_id).is_none_or(|reader| reader.closing) {
            return;
        }
        self.drop_subscriptions(reader_id);
        let mut frame = Vec::new();
        ws::encode::close(&mut frame, Some(reason), None);
        self.enqueue(reader_id, Bytes::from(frame));
        self.readers[reader_id.row()].closing = true;
    }

    /// Tells a reader where it stands in the channels it is up to date with.
    pub fn heartbeat(&mut self, reader_id: ReaderId) {
        let Some(reader) = self.reader(reader_id) else { return };
        if reader.form != Form::V1 || reader.outbox_bytes() > 0 {
            return;
        }
        let frames: Vec<Bytes> = reader
            .subscriptions
            .iter()
            .filter_map(|id| {
                let subscription = self.subscription(*id)?;
                let ring = &self.rings[subscription.ring];
                let State::Live { next } = subscription.state else { return None };
                let after = subscription.after.filter(|_| next == ring.end_sequence())?;
                Some(v1::frame(&v1::Event::position(&ring.channel, after)))
            })
            .collect();
        for frame in frames {
            self.enqueue(reader_id, frame);
        }
    }

    /// Has a channel swept. Whatever is new in it waits no longer.
    fn mark_dirty(&mut self, ring: usize) {
        self.forget_due(ring);
        let sweep = &mut self.rings[ring].sweep;
        if sweep.queued {
            sweep.again = true;
        } else {
            *sweep = ring::Sweep { at: 0, queued: true, again: false };
            self.dirty.push_back(ring);
        }
    }

    fn ring_of(&mut self, channel: &ChannelName) -> usize {
        if let Some(&ring) = self.names.get(channel) {
            return ring;
        }
        let ring = self.rings.insert(Ring::new(channel.clone()));
        self.names.insert(channel.clone(), ring);
        self.actions.push_back(Action::Attach(channel.clone()));
        ring
    }

    fn enqueue(&mut self, reader: ReaderId, frame: Bytes) {
        if let Some(state) = self.reader_mut(reader).filter(|reader| !reader.closing) {
            state.unsent.get_or_insert_default().push(frame);
            self.hurry(reader);
        }
    }

    /// Puts a reader into the queue of those that have something of their own to write.
    fn hurry(&mut self, id: ReaderId) {
        if let Some(reader) = self.reader_mut(id).filter(|r| !r.hurried && !r.blocked) {
            reader.hurried = true;
            self.urgent.push_back(id);
        }
    }
}

/// A row as a number that takes half the room. Nobody has so many connections.
fn row(index: usize) -> u32 {
    u32::try_from(index).expect("fewer rows than descriptors, which are fewer still")
}
