//! Logs in this process: no other service, nothing to administer.

mod channel;
mod claims;
mod epochs;
mod keys;
mod log;
mod tail;

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use enchufe_core::{ChannelName, Message, Position, Since, fanout::Page};
use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    ChannelOptions, ChannelState, Claim, IdempotencyKey, PageLimit, PublishError, ReadError,
    Receipt, Rules, Start,
};
use crate::live::figures::Meter;
use channel::Channel;
use epochs::Epochs;
use log::{Log, Origin};
pub use tail::Tail;

type Channels = BTreeMap<ChannelName, Arc<Channel>>;

/// Channels by name, each a log of its own.
///
/// Locks are taken in the order of the fields, and a log's last of all.
pub struct Embedded {
    rules: RwLock<Rules>,
    channels: RwLock<Channels>,
    epochs: Epochs,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    meter: Meter,
}

impl Embedded {
    pub(super) fn new(rules: Rules) -> Self {
        Self::with_clock(rules, Timestamp::now)
    }

    fn with_clock(rules: Rules, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let (rules, channels) = (RwLock::new(rules), RwLock::default());
        Self {
            rules,
            channels,
            epochs: Epochs::default(),
            clock: Box::new(clock),
            meter: Meter::default(),
        }
    }

    pub(super) fn declare(&self, name: &ChannelName, options: ChannelOptions) {
        let mut channels = self.write();
        if let Some(channel) = channels.get(name) {
            channel.log().declare(options);
            channel.changed.send_replace(());
            return;
        }
        self.make(&mut channels, name, options, Origin::Declared);
    }

    pub(super) fn set_rules(&self, rules: Rules) {
        let mut current = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        *current = rules;
        for (name, channel) in self.read().iter() {
            let Some(options) = current.options(name) else { continue };
            let mut log = channel.log();
            if log.is_made_on_first_use() {
                log.configure(options.clone());
                drop(log);
                channel.changed.send_replace(());
            }
        }
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(super) fn channels(&self) -> Vec<(ChannelName, ChannelState)> {
        self.channels_after(None, usize::MAX)
    }

    pub(super) fn channels_after(
        &self,
        after: Option<&ChannelName>,
        len_max: usize,
    ) -> Vec<(ChannelName, ChannelState)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let (channels, now) = (self.read(), self.now());
        let listed = channels.range::<ChannelName, _>((from, Bound::Unbounded)).take(len_max);
        listed.map(|(name, channel)| (name.clone(), channel.log().state(now))).collect()
    }

    pub(super) fn channel_count(&self) -> usize {
        self.read().len()
    }

    pub(super) fn options(&self, name: &ChannelName) -> Result<ChannelOptions, ReadError> {
        if let Some(channel) = self.find(name) {
            return Ok(channel.log().options().clone());
        }
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        rules.options(name).cloned().ok_or_else(|| ReadError::UnknownChannel(name.clone()))
    }

    pub(super) fn state(&self, name: &ChannelName) -> Result<ChannelState, ReadError> {
        let channel = self.find(name).ok_or_else(|| ReadError::UnknownChannel(name.clone()))?;
        Ok(channel.log().state(self.now()))
    }

    pub(super) async fn publish(
        &self,
        name: &ChannelName,
        batch: &[Message],
        key: Option<IdempotencyKey>,
    ) -> Result<Receipt, PublishError> {
        loop {
            let channel = self.channel(name)?;
            let patience = channel.log().patience();
            let appended = if patience.is_zero() {
                channel.append(batch, key.clone(), self.now())
            } else {
                let _turn = channel.turns.lock().await;
                channel.wait_for_readers(batch, patience).await;
                channel.append(batch, key.clone(), self.now())
            };
            // One that has gone meanwhile is made anew.
            if let Ok(appended) = appended {
                return appended;
            }
        }
    }

    pub(super) fn claim(
        &self,
        name: &ChannelName,
        after: Position,
        blocks: bool,
    ) -> Result<Option<Claim>, ReadError> {
        self.with_log(name, |log| log.claim(after, blocks))
    }

    pub(super) fn questions(&self, name: &ChannelName) -> Result<watch::Receiver<()>, ReadError> {
        Ok(self.channel(name)?.questions.subscribe())
    }

    pub(super) fn end(&self, name: &ChannelName, status: String) -> Result<(), ReadError> {
        let channel = self.find(name).ok_or_else(|| ReadError::UnknownChannel(name.clone()))?;
        channel.log().end(status);
        channel.changed.send_replace(());
        Ok(())
    }

    pub(super) fn resolve(&self, name: &ChannelName, since: Since) -> Result<Start, ReadError> {
        let now = self.now();
        self.with_log(name, |log| log.resolve(since, now))
    }

    pub(super) fn history(
        &self,
        name: &ChannelName,
        after: Position,
        limit: PageLimit,
    ) -> Result<Page, ReadError> {
        let now = self.now();
        self.with_log(name, |log| log.page(after, limit, now))
    }

    pub(super) fn tail(
        self: &Arc<Self>,
        name: &ChannelName,
        after: Position,
    ) -> Result<Tail, ReadError> {
        loop {
            // It counts as a reader first: nothing that is read goes.
            let tail = Tail::new(Arc::clone(self), self.channel(name)?, after);
            if !tail.is_gone() {
                return Ok(tail);
            }
        }
    }

    /// Lets go of what is too old, and of who has been idle for too long.
    pub(super) fn expire(&self) {
        let now = self.now();
        // The lock is held for no longer than it takes to count them.
        let channels: Vec<Arc<Channel>> = self.read().values().cloned().collect();
        let idle = channels.into_iter().filter(|channel| {
            let mut log = channel.log();
            log.expire(now);
            if channel.has_readers() {
                log.touch(now);
            }
            log.is_idle(now)
        });
        let idle: Vec<Arc<Channel>> = idle.collect();
        if idle.is_empty() {
            return;
        }
        let mut channels = self.write();
        for channel in idle {
            let mut log = channel.log();
            // Somebody may have come.
            if !channel.has_readers() && log.is_idle(now) {
                log.go();
                channels.remove(&channel.name);
                tracing::debug!(channel = %channel.name, "idle for so long that it is let go");
            }
        }
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Does something with the log of a channel, which is made if a rule says so.
    fn with_log<T>(
        &self,
        name: &ChannelName,
        mut act: impl FnMut(&mut Log) -> T,
    ) -> Result<T, ReadError> {
        loop {
            let channel = self.channel(name)?;
            let mut log = channel.log();
            // One that has gone since it was found is made anew.
            if !log.is_gone() {
                log.touch(self.now());
                return Ok(act(&mut log));
            }
        }
    }

    fn find(&self, name: &ChannelName) -> Option<Arc<Channel>> {
        self.read().get(name).cloned()
    }

    /// The channel of this name, which is made if a rule says so.
    fn channel(&self, name: &ChannelName) -> Result<Arc<Channel>, ReadError> {
        if let Some(channel) = self.find(name) {
            return Ok(channel);
        }
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        let options = rules.options(name).ok_or_else(|| ReadError::UnknownChannel(name.clone()))?;
        let mut channels = self.write();
        if let Some(channel) = channels.get(name) {
            return Ok(Arc::clone(channel));
        }
        let max = rules.channels_max();
        if channels.len() >= max {
            tracing::warn!(%name, max, "there are as many channels as there may be");
            return Err(ReadError::TooManyChannels(max));
        }
        Ok(self.make(&mut channels, name, options.clone(), Origin::FirstUse))
    }

    fn make(
        &self,
        channels: &mut Channels,
        name: &ChannelName,
        options: ChannelOptions,
        origin: Origin,
    ) -> Arc<Channel> {
        let now = self.now();
        let log = Log::new(self.epochs.next(now), options, origin, now);
        let channel = Arc::new(Channel::new(name.clone(), log));
        channels.insert(name.clone(), Arc::clone(&channel));
        channel
    }

    fn read(&self) -> RwLockReadGuard<'_, Channels> {
        self.channels.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Channels> {
        self.channels.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
