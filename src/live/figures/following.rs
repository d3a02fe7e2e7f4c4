//! Readers over plain HTTP, each with an account of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use enchufe_core::{ChannelName, Position, fanout::ChannelCounts};

use super::Ledger;

/// How a reader over plain HTTP gets its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamForm {
    /// Server-Sent Events.
    Events,
    /// NDJSON.
    NdJson,
}

/// What one such reader has had.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) channel: ChannelName,
    pub(super) form: StreamForm,
    had: Mutex<Had>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Had {
    pub(super) counts: ChannelCounts,
    pub(super) through: Position,
}

impl Account {
    /// Only its own task writes to it, so that nobody waits here but while it is looked at.
    pub(super) fn had(&self) -> MutexGuard<'_, Had> {
        self.had.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader over plain HTTP that has not yet had everything; counted until it is dropped.
#[derive(Debug)]
pub struct Following {
    account: Arc<Account>,
    key: usize,
    ledger: Arc<Ledger>,
}

impl Following {
    pub(in crate::live) fn new(
        ledger: &Arc<Ledger>,
        channel: ChannelName,
        form: StreamForm,
        after: Position,
    ) -> Self {
        let had = Mutex::new(Had { counts: ChannelCounts::default(), through: after });
        let account = Arc::new(Account { channel, form, had });
        let key = ledger.open(Arc::clone(&account));
        Self { account, key, ledger: Arc::clone(ledger) }
    }

    /// Counts what the reader was given, through a position.
    pub fn count(&self, counts: &ChannelCounts, through: Position) {
        let mut had = self.account.had();
        had.counts.add(counts);
        had.through = through;
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.ledger.close(self.key);
    }
}
