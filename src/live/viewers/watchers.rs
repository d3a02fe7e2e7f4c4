//! The viewers of a shard who want to know who reads a channel.
//!
//! Each has a place in what is told, and nothing is kept for one that does not read: once it has
//! taken what it was told before, it gets a snapshot.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use enchufe_core::{
    ChannelName, Fanout,
    fanout::{Passage, ReaderId, SubscriptionId},
    presence::Due,
};

use crate::{limits, live::presence::Readers};

/// Who watches, and what they have been told.
pub(super) struct Watchers {
    shard: usize,
    readers: Arc<Readers>,
    /// Subscriptions that are to be told and have not begun.
    wishes: BTreeMap<SubscriptionId, ReaderId>,
    channels: BTreeMap<ChannelName, BTreeMap<SubscriptionId, Watcher>>,
    /// Those who do not read what they are told, and of which channels they are to be told again.
    behind: BTreeMap<ReaderId, BTreeSet<(ChannelName, SubscriptionId)>>,
}

struct Watcher {
    reader: ReaderId,
    /// The version of what it was told last.
    seen: Option<u64>,
    is_behind: bool,
}

impl Watchers {
    pub(super) fn new(shard: usize, readers: Arc<Readers>) -> Self {
        let (wishes, channels, behind) = Default::default();
        Self { shard, readers, wishes, channels, behind }
    }

    pub(super) fn readers(&self) -> &Readers {
        &self.readers
    }

    /// This subscription is to be told who reads its channel, once it has begun.
    pub(super) fn wish(&mut self, subscription: SubscriptionId, reader: ReaderId) {
        self.wishes.insert(subscription, reader);
    }

    /// Says who has come and who has left since the last round, and tells those who can be told again.
    pub(super) fn on_round(&mut self, fanout: &mut Fanout) {
        while let Some(passage) = fanout.next_passage() {
            match passage {
                Passage::Came(subscription, channel) => self.came(subscription, channel),
                Passage::Left(subscription, channel) => self.left(subscription, &channel),
                Passage::Drained(reader) => self.drained(reader, fanout),
            }
        }
    }

    fn came(&mut self, subscription: SubscriptionId, channel: ChannelName) {
        self.readers.join(self.shard, subscription, &channel);
        if let Some(reader) = self.wishes.remove(&subscription) {
            self.readers.watch(self.shard, &channel);
            let watcher = Watcher { reader, seen: None, is_behind: false };
            self.channels.entry(channel).or_default().insert(subscription, watcher);
        }
    }

    fn left(&mut self, subscription: SubscriptionId, channel: &ChannelName) {
        self.readers.leave(self.shard, subscription, channel);
        self.wishes.remove(&subscription);
        let Some(watchers) = self.channels.get_mut(channel) else { return };
        let Some(watcher) = watchers.remove(&subscription) else { return };
        if watchers.is_empty() {
            self.channels.remove(channel);
            self.readers.unwatch(self.shard, channel);
        }
        if let Some(behind) = self.behind.get_mut(&watcher.reader) {
            behind.remove(&(channel.clone(), subscription));
            if behind.is_empty() {
                self.behind.remove(&watcher.reader);
            }
        }
    }

    /// There is news of a channel.
    pub(super) fn tell(&mut self, channel: &ChannelName, fanout: &mut Fanout) {
        let Some(news) = self.readers.news(self.shard, channel) else { return };
        let Some(watchers) = self.channels.get_mut(channel) else { return };
        let mut known = None;
        for (subscription, watcher) in watchers.iter_mut().filter(|(_, one)| !one.is_behind) {
            let (version, frames) = match news.told.due(watcher.seen) {
                Due::Nothing => continue,
                Due::Changes => (news.told.version, news.frames()),
                Due::Snapshot => {
                    let known = known.get_or_insert_with(|| self.readers.known(channel));
                    (known.snapshot.version, known.frame())
                }
            };
            if deliver(frames, watcher.reader, fanout) {
                watcher.seen = Some(version);
            } else {
                watcher.is_behind = true;
                let behind = self.behind.entry(watcher.reader).or_default();
                behind.insert((channel.clone(), *subscription));
            }
        }
    }

    /// A reader has taken what it was told: where it is behind it gets a snapshot.
    fn drained(&mut self, reader: ReaderId, fanout: &mut Fanout) {
        let mut behind = self.behind.remove(&reader).unwrap_or_default();
        while let Some((channel, subscription)) = behind.pop_first() {
            let watchers = self.channels.get_mut(&channel);
            let Some(watcher) = watchers.and_then(|watchers| watchers.get_mut(&subscription))
            else {
                continue;
            };
            let known = self.readers.known(&channel);
            if deliver(known.frame(), reader, fanout) {
                (watcher.seen, watcher.is_behind) = (Some(known.snapshot.version), false);
            } else {
                behind.insert((channel, subscription));
                self.behind.insert(reader, behind);
                return;
            }
        }
    }
}

/// Queues frames for a reader that reads; otherwise it will be said when it has.
fn deliver(frames: &Bytes, reader: ReaderId, fanout: &mut Fanout) -> bool {
    let reads = fanout.waiting(reader) <= limits::PRESENCE_WAITING_BYTES_MAX;
    let is_queued = reads && fanout.push(reader, frames.clone()).is_ok();
    if !is_queued {
        fanout.watch_drain(reader);
    }
    is_queued
}
