//! The readers of one channel on this node, and where they are watched from.

use std::sync::Arc;

use enchufe_core::{
    ChannelName,
    presence::{Bounds, Presence},
};
use tokio::sync::watch;

use super::{Known, News};
use crate::limits;

/// One channel.
pub(super) struct Room {
    pub(super) presence: Presence,
    /// It is in the list of those with something to tell.
    is_changed: bool,
    /// What was told last.
    news: Arc<News>,
    /// The snapshot of that, once somebody has asked for it.
    known: Option<Arc<Known>>,
    shards: Vec<Audience>,
    /// For those who watch over plain HTTP, and how many they are, while there are any.
    streams: Option<(watch::Sender<Arc<News>>, usize)>,
}

/// The viewers of a shard who watch.
struct Audience {
    shard: usize,
    /// Somebody new among them knows nothing yet.
    is_new: bool,
    /// A letter is on its way, and stands for all news until it is opened.
    is_told: bool,
}

impl Room {
    /// One that nobody is in, after a version.
    pub(super) fn new(channel: &ChannelName, version: u64) -> Self {
        let bounds = Bounds {
            named_max: limits::PRESENCE_READERS_MAX,
            named_again: limits::PRESENCE_READERS_AGAIN,
        };
        let mut presence = Presence::new(bounds, version);
        let news = Arc::new(News::new(channel.clone(), presence.tell()));
        Self { presence, is_changed: false, news, known: None, shards: Vec::new(), streams: None }
    }

    /// Something has changed: whether it is the first thing since it was last told.
    pub(super) fn is_first_change(&mut self) -> bool {
        !std::mem::replace(&mut self.is_changed, true)
    }

    pub(super) fn watch(&mut self, shard: usize) {
        match self.shards.iter_mut().find(|audience| audience.shard == shard) {
            Some(audience) => audience.is_new = true,
            None => self.shards.push(Audience { shard, is_new: true, is_told: false }),
        }
    }

    pub(super) fn unwatch(&mut self, shard: usize) {
        self.shards.retain(|audience| audience.shard != shard);
    }

    /// The news for a shard, whose letter is open now.
    pub(super) fn take(&mut self, shard: usize) -> Option<Arc<News>> {
        let audience = self.shards.iter_mut().find(|audience| audience.shard == shard)?;
        audience.is_told = false;
        Some(Arc::clone(&self.news))
    }

    /// One more watches over plain HTTP, until [`Room::unfollow`].
    pub(super) fn follow(&mut self) -> watch::Receiver<Arc<News>> {
        let news = &self.news;
        let first = || (watch::Sender::new(Arc::clone(news)), 0);
        let (sender, followers) = self.streams.get_or_insert_with(first);
        *followers += 1;
        sender.subscribe()
    }

    pub(super) fn unfollow(&mut self) {
        if let Some((_, followers)) = &mut self.streams {
            *followers -= 1;
        }
        self.streams.take_if(|(_, followers)| *followers == 0);
    }

    pub(super) fn known(&mut self, channel: &ChannelName) -> Arc<Known> {
        let presence = &self.presence;
        let known = || Arc::new(Known::new(channel.clone(), presence.snapshot()));
        Arc::clone(self.known.get_or_insert_with(known))
    }

    /// Tells what has changed: the streams at once, and the shards that are returned by a letter.
    pub(super) fn tell(&mut self, channel: &ChannelName) -> Vec<usize> {
        self.is_changed = false;
        let told = self.presence.tell();
        let is_news = !told.changes.is_empty();
        if is_news {
            self.news = Arc::new(News::new(channel.clone(), told));
            self.known = None;
        }
        if let Some((sender, _)) = &self.streams {
            // Whoever has just come waits for this, news or not.
            sender.send_replace(Arc::clone(&self.news));
        }
        let due = self.shards.iter_mut().filter_map(|audience| {
            let is_new = std::mem::take(&mut audience.is_new);
            let is_due = (is_news || is_new) && !std::mem::replace(&mut audience.is_told, true);
            is_due.then_some(audience.shard)
        });
        due.collect()
    }

    /// Whether nobody is here, nobody watches, and all of that has been told.
    pub(super) fn is_deserted(&self) -> bool {
        self.presence.count() == 0
            && !self.is_changed
            && self.shards.is_empty()
            && self.streams.is_none()
    }
}
