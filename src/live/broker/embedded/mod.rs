//! Logs in this process: no other service, nothing to administer.

mod keys;
mod log;
mod tail;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use enchufe_core::{ChannelName, Epoch, Message, Position, Since, fanout::Page};
use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    ChannelOptions, ChannelState, IdempotencyKey, PageLimit, PublishError, ReadError, Receipt,
    Start,
};
use log::Log;
pub use tail::Tail;

/// Channels by name, each a log of its own.
#[derive(Default)]
pub struct Embedded {
    channels: RwLock<BTreeMap<ChannelName, Arc<Channel>>>,
}

/// One channel: its log, and a bell that rings when the log has changed.
struct Channel {
    name: ChannelName,
    log: Mutex<Log>,
    changed: watch::Sender<()>,
}

impl Channel {
    fn log(&self) -> MutexGuard<'_, Log> {
        // Nothing panics while it holds the lock; were it so, the log would still be whole.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Embedded {
    pub(super) fn declare(&self, name: &ChannelName, options: ChannelOptions) {
        let mut channels = self.channels.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(name) {
            channel.log().configure(options);
            return;
        }
        let epoch = Epoch(u64::try_from(Timestamp::now().as_microsecond()).unwrap_or_default());
        let log = Mutex::new(Log::new(epoch, options));
        let changed = watch::Sender::new(());
        let channel = Channel { name: name.clone(), log, changed };
        channels.insert(name.clone(), Arc::new(channel));
    }

    pub(super) fn channels(&self) -> Vec<(ChannelName, ChannelState)> {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        channels.iter().map(|(name, channel)| (name.clone(), channel.log().state())).collect()
    }

    pub(super) fn state(&self, name: &ChannelName) -> Result<ChannelState, ReadError> {
        Ok(self.channel(name)?.log().state())
    }

    pub(super) fn publish(
        &self,
        name: &ChannelName,
        batch: &[Message],
        key: Option<IdempotencyKey>,
    ) -> Result<Receipt, PublishError> {
        let channel = self.channel(name).map_err(|_| PublishError::UnknownChannel(name.clone()))?;
        let receipt = channel.log().append(name, batch, key, Timestamp::now())?;
        if !receipt.duplicate {
            channel.changed.send_replace(());
        }
        Ok(receipt)
    }

    pub(super) fn end(&self, name: &ChannelName, status: String) -> Result<(), ReadError> {
        let channel = self.channel(name)?;
        channel.log().end(status);
        channel.changed.send_replace(());
        Ok(())
    }

    pub(super) fn resolve(&self, name: &ChannelName, since: Since) -> Result<Start, ReadError> {
        Ok(self.channel(name)?.log().resolve(since, Timestamp::now()))
    }

    pub(super) fn history(
        &self,
        name: &ChannelName,
        after: Position,
        limit: PageLimit,
    ) -> Result<Page, ReadError> {
        Ok(self.channel(name)?.log().page(after, limit))
    }

    pub(super) fn tail(&self, name: &ChannelName, after: Position) -> Result<Tail, ReadError> {
        Ok(Tail::new(self.channel(name)?, after))
    }

    fn channel(&self, name: &ChannelName) -> Result<Arc<Channel>, ReadError> {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        channels.get(name).cloned().ok_or_else(|| ReadError::UnknownChannel(name.clone()))
    }
}
