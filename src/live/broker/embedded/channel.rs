//! One channel of an embedded broker: its log, and who is told when that has changed.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use enchufe_core::{ChannelName, Message};
use jiff::Timestamp;
use tokio::{
    sync::{Mutex as Turns, watch},
    time::{Instant, sleep},
};

use super::log::Log;
use crate::{
    limits,
    live::broker::{IdempotencyKey, PublishError, Receipt},
};

/// One channel: its log, and a bell that rings when the log has changed.
pub(super) struct Channel {
    pub(super) name: ChannelName,
    log: Mutex<Log>,
    /// Each tail has a receiver: so it is known whether anybody reads.
    pub(super) changed: watch::Sender<()>,
    /// Publishers who wait for readers take turns, in the order in which they come.
    pub(super) turns: Turns<()>,
    /// A bell for those who know how far readers are that do not say so by themselves.
    pub(super) questions: watch::Sender<()>,
}

/// The channel was idle for too long and has gone: there may be another of its name.
pub(super) struct Gone;

impl Channel {
    pub(super) fn new(name: ChannelName, log: Log) -> Self {
        let (changed, questions) = (watch::Sender::new(()), watch::Sender::new(()));
        Self { name, log: Mutex::new(log), changed, turns: Turns::default(), questions }
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        // Nothing panics while it holds the lock; were it so, the log would still be whole.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_readers(&self) -> bool {
        self.changed.receiver_count() > 0
    }

    pub(super) fn append(
        &self,
        batch: &[Message],
        key: Option<IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Result<Receipt, PublishError>, Gone> {
        let mut log = self.log();
        if log.is_gone() {
            return Err(Gone);
        }
        let appended = log.append(&self.name, batch, key, now);
        drop(log);
        if appended.as_ref().is_ok_and(|receipt| !receipt.duplicate) {
            self.changed.send_replace(());
        }
        Ok(appended)
    }

    /// Waits until `batch` takes nothing from readers that they have not had, or until patience
    /// with them is over.
    pub(super) async fn wait_for_readers(&self, batch: &[Message], patience: Duration) {
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
                drop(log);
                // Those who are to be cut are to hear of it.
                self.questions.send_replace(());
                tracing::warn!(channel = %self.name, readers, "too slow: not waited for any longer");
                return;
            }
        }
    }
}
