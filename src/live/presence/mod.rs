//! Who reads which channel on this node, over whatever wire form, and those who are told of it.
//!
//! Shards and streams say who comes and who leaves; a lock is taken for that, never for a delivery.
//! One task then tells those who watch, at most every [`limits::PRESENCE_INTERVAL`]: a shard of
//! which viewers watch gets a letter that there is news, one at most per channel, and fetches it. So
//! nothing is queued, and ten thousand who come at once are told of a few times.

mod news;
mod room;
mod watch;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use enchufe_core::{ChannelName, ErrorCode, fanout::SubscriptionId, presence::Identity};
use tokio::sync::mpsc;

use super::{
    broker::{Broker, ReadError},
    inbox::{Inbox, Letter},
};
use crate::limits;
pub(super) use news::{Known, News};
use room::Room;
pub use watch::{Reading, Watch};

/// Why nobody is told who reads a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresenceError {
    /// The channel is not there.
    #[error(transparent)]
    Channel(#[from] ReadError),
    /// The channel does not say it.
    #[error("the channel '{0}' does not tell who reads it")]
    Refused(ChannelName),
}

impl PresenceError {
    /// The stable word for programs.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Channel(error) => error.code(),
            Self::Refused(_) => ErrorCode::NoPresence,
        }
    }
}

/// The readers of all channels of a node.
pub(super) struct Readers {
    broker: Broker,
    /// Who gives numbers to readers: the shards, and the control plane after them.
    lanes: u64,
    state: Mutex<State>,
    /// Rings when something is to be told.
    bell: mpsc::Sender<()>,
}

/// The channels that somebody reads, and those of which it has still to be told that nobody does.
struct State {
    rooms: BTreeMap<ChannelName, Room>,
    /// Those with something to tell, each once.
    changed: Vec<ChannelName>,
    /// The highest version of the rooms that have gone, so that versions never go back.
    version: u64,
    /// The number that the control plane gave last.
    streams: u32,
}

impl Readers {
    /// None yet, for so many shards. What is returned beside them goes to [`tell`].
    pub(super) fn new(broker: Broker, shards: usize) -> (Arc<Self>, mpsc::Receiver<()>) {
        let (bell, rings) = mpsc::channel(1);
        let state = State { rooms: BTreeMap::new(), changed: Vec::new(), version: 0, streams: 0 };
        let lanes = shards as u64 + 1;
        (Arc::new(Self { broker, lanes, state: Mutex::new(state), bell }), rings)
    }

    /// Whether those who read a channel may be told who reads it.
    ///
    /// # Errors
    ///
    /// When they may not, or the channel is not there and would not be made.
    pub(super) fn permit(&self, channel: &ChannelName) -> Result<(), PresenceError> {
        match self.broker.options(channel)?.presence {
            true => Ok(()),
            false => Err(PresenceError::Refused(channel.clone())),
        }
    }

    /// Who reads a channel, as it was told last.
    ///
    /// # Errors
    ///
    /// As [`permit`](Self::permit).
    pub(super) fn ask(&self, channel: &ChannelName) -> Result<Arc<Known>, PresenceError> {
        self.permit(channel)?;
        Ok(self.state().known(channel))
    }

    /// A viewer of a shard reads a channel from now on.
    pub(super) fn join(&self, shard: usize, subscription: SubscriptionId, channel: &ChannelName) {
        let reader = self.identity(shard as u64, subscription.number().into());
        self.change(channel, |room| room.presence.join(reader));
    }

    /// It does not any more.
    pub(super) fn leave(&self, shard: usize, subscription: SubscriptionId, channel: &ChannelName) {
        self.depart(self.identity(shard as u64, subscription.number().into()), channel);
    }

    /// A reader of the control plane reads a channel until what is returned is dropped.
    pub(super) fn enter(self: &Arc<Self>, channel: ChannelName) -> Reading {
        let number = {
            let mut state = self.state();
            state.streams = state.streams.wrapping_add(1);
            state.streams
        };
        let reader = self.identity(self.lanes - 1, number.into());
        self.change(&channel, |room| room.presence.join(reader));
        Reading::new(Arc::clone(self), channel, reader)
    }

    fn depart(&self, reader: Identity, channel: &ChannelName) {
        let mut state = self.state();
        let Some(room) = state.rooms.get_mut(channel) else { return };
        let is_changed = room.presence.leave(reader) && room.is_first_change();
        self.changed(state, channel, is_changed);
    }

    /// Viewers of a shard want to know who reads a channel; one more of them, perhaps.
    pub(super) fn watch(&self, shard: usize, channel: &ChannelName) {
        self.change(channel, |room| room.watch(shard));
    }

    /// None of them does any more.
    pub(super) fn unwatch(&self, shard: usize, channel: &ChannelName) {
        self.change(channel, |room| room.unwatch(shard));
    }

    /// What a letter has announced to a shard. `None` when none of its viewers watches any more.
    pub(super) fn news(&self, shard: usize, channel: &ChannelName) -> Option<Arc<News>> {
        self.state().rooms.get_mut(channel)?.take(shard)
    }

    /// Who reads a channel, as it was told last.
    pub(super) fn known(&self, channel: &ChannelName) -> Arc<Known> {
        self.state().known(channel)
    }

    /// Follows who reads a channel, for a reader of the control plane.
    pub(super) fn follow(self: &Arc<Self>, channel: ChannelName) -> Watch {
        let mut receiver = None;
        self.change(&channel, |room| receiver = Some(room.follow()));
        let receiver = receiver.expect("a change is made at once");
        Watch::new(Arc::clone(self), channel, receiver)
    }

    fn unfollow(&self, channel: &ChannelName) {
        self.change(channel, Room::unfollow);
    }

    /// A number of its own for each reader, though nobody counts them together: the shards and
    /// the control plane take turns. This is the one place where a reader gets an identity.
    fn identity(&self, lane: u64, number: u64) -> Identity {
        Identity { id: number * self.lanes + lane }
    }

    fn change(&self, channel: &ChannelName, change: impl FnOnce(&mut Room)) {
        let mut state = self.state();
        let version = state.version;
        let is_changed = match state.rooms.get_mut(channel) {
            Some(room) => {
                change(room);
                room.is_first_change()
            }
            None => {
                let mut room = Room::new(channel, version);
                change(&mut room);
                let is_changed = room.is_first_change();
                state.rooms.insert(channel.clone(), room);
                is_changed
            }
        };
        self.changed(state, channel, is_changed);
    }

    fn changed(&self, mut state: MutexGuard<'_, State>, channel: &ChannelName, is_first: bool) {
        if is_first {
            state.changed.push(channel.clone());
            drop(state);
            // A bell that has not been heard yet need not be rung again.
            self.bell.try_send(()).ok();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what has changed; `false` when nothing has.
    fn tell(&self, inboxes: &[Arc<Inbox>]) -> bool {
        let changed = std::mem::take(&mut self.state().changed);
        for channel in &changed {
            let shards = self.state().tell(channel);
            for shard in shards {
                inboxes[shard].post(Letter::Presence(channel.clone()));
            }
        }
        !changed.is_empty()
    }
}

impl State {
    fn known(&mut self, channel: &ChannelName) -> Arc<Known> {
        match self.rooms.get_mut(channel) {
            Some(room) => room.known(channel),
            None => Room::new(channel, self.version).known(channel),
        }
    }

    /// Tells what has changed in a room, and says to which shards a letter goes.
    fn tell(&mut self, channel: &ChannelName) -> Vec<usize> {
        let Some(room) = self.rooms.get_mut(channel) else { return Vec::new() };
        let shards = room.tell(channel);
        if room.is_deserted() {
            self.version = self.version.max(room.presence.version());
            self.rooms.remove(channel);
        }
        shards
    }
}

/// Tells those who watch what has changed, until the last [`Readers`] have gone.
pub(super) async fn tell(
    readers: Weak<Readers>,
    inboxes: Arc<[Arc<Inbox>]>,
    mut bell: mpsc::Receiver<()>,
) {
    while bell.recv().await.is_some() {
        while readers.upgrade().is_some_and(|readers| readers.tell(&inboxes)) {
            tokio::time::sleep(limits::PRESENCE_INTERVAL).await;
        }
    }
}
