//! Logs in this process: no other service, nothing to administer.

mod claims;
mod keys;
mod log;
mod tail;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use enchufe_core::{ChannelName, Epoch, Message, Position, Since, fanout::Page};
use jiff::Timestamp;
use tokio::{
    sync::{Mutex as Turns, watch},
    time::{Instant, sleep},
};

use super::{
    ChannelOptions, ChannelState, Claim, IdempotencyKey, PageLimit, PublishError, ReadError,
    Receipt, Start,
};
use crate::limits;
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
    /// Publishers who wait for readers take turns, in the order in which they come.
    turns: Turns<()>,
    /// A bell for those who know how far readers are that do not say so by themselves.
    questions: watch::Sender<()>,
}

impl Channel {
    fn log(&self) -> MutexGuard<'_, Log> {
        // Nothing panics while it holds the lock; were it so, the log would still be whole.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(
        &self,
        batch: &[Message],
        key: Option<IdempotencyKey>,
    ) -> Result<Receipt, PublishError> {
        let receipt = self.log().append(&self.name, batch, key, Timestamp::now())?;
        if !receipt.duplicate {
            self.changed.send_replace(());
        }
        Ok(receipt)
    }

    /// Waits until `batch` takes nothing from readers that they have not had, or until patience
    /// with them is over.
    async fn wait_for_readers(&self, batch: &[Message], patience: Duration) {
        let Some(through) = self.log().hold_up(&self.name, batch) else { return };
        let deadline = Instant::now() + patience;
        loop {
            self.questions.send_replace(());
            sleep(limits::RETRY_PAUSE).await;
            let mut log = self.log();
            if log.is_read_through(through) {
                return;
            }
            if Instant::now() >= deadline {
                let readers = log.give_up(through);
                tracing::warn!(channel = %self.name, readers, "too slow: not waited for any longer");
                return;
            }
        }
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
        let (changed, questions) = (watch::Sender::new(()), watch::Sender::new(()));
        let (name, turns) = (name.clone(), Turns::default());
        let channel = Channel { name: name.clone(), log, changed, turns, questions };
        channels.insert(name, Arc::new(channel));
    }

    pub(super) fn channels(&self) -> Vec<(ChannelName, ChannelState)> {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        channels.iter().map(|(name, channel)| (name.clone(), channel.log().state())).collect()
    }

    pub(super) fn state(&self, name: &ChannelName) -> Result<ChannelState, ReadError> {
        Ok(self.channel(name)?.log().state())
    }

    pub(super) async fn publish(
        &self,
        name: &ChannelName,
        batch: &[Message],
        key: Option<IdempotencyKey>,
    ) -> Result<Receipt, PublishError> {
        let channel = self.channel(name).map_err(|_| PublishError::UnknownChannel(name.clone()))?;
        let patience = channel.log().patience();
        if patience.is_zero() {
            return channel.append(batch, key);
        }
        let _turn = channel.turns.lock().await;
        channel.wait_for_readers(batch, patience).await;
        channel.append(batch, key)
    }

    pub(super) fn claim(
        &self,
        name: &ChannelName,
        after: Position,
    ) -> Result<Option<Claim>, ReadError> {
        Ok(self.channel(name)?.log().claim(after))
    }

    pub(super) fn questions(&self, name: &ChannelName) -> Result<watch::Receiver<()>, ReadError> {
        Ok(self.channel(name)?.questions.subscribe())
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

#[cfg(test)]
mod tests;
