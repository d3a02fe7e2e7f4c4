//! Readers of the control plane: one that is counted, and one that wants to know who else reads.

use std::sync::Arc;

use enchufe_core::{
    ChannelName,
    presence::{Change, Due, Identity},
};
use tokio::sync::watch;

use super::{News, Readers};

/// A reader over plain HTTP or a stream; it has left when this is dropped.
pub struct Reading {
    readers: Arc<Readers>,
    channel: ChannelName,
    reader: Identity,
}

impl Reading {
    pub(super) fn new(readers: Arc<Readers>, channel: ChannelName, reader: Identity) -> Self {
        Self { readers, channel, reader }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.readers.depart(self.reader, &self.channel);
    }
}

/// Follows who reads a channel: a snapshot first, then what changes. Who is slow to come for it
/// gets another snapshot instead of what it has missed.
pub struct Watch {
    readers: Arc<Readers>,
    channel: ChannelName,
    receiver: watch::Receiver<Arc<News>>,
    seen: Option<u64>,
}

impl Watch {
    pub(super) fn new(
        readers: Arc<Readers>,
        channel: ChannelName,
        receiver: watch::Receiver<Arc<News>>,
    ) -> Self {
        Self { readers, channel, receiver, seen: None }
    }

    /// What is to be told next, at least one change. Cancel-safe.
    pub async fn next(&mut self) -> Vec<Change> {
        loop {
            if self.receiver.changed().await.is_err() {
                // Whoever watches a channel reads it, and as long as that is so, it is told.
                std::future::pending::<()>().await;
            }
            let news = Arc::clone(&self.receiver.borrow_and_update());
            match news.told.due(self.seen) {
                Due::Nothing => {}
                Due::Changes => {
                    self.seen = Some(news.told.version);
                    return news.told.changes.clone();
                }
                Due::Snapshot => {
                    let snapshot = self.readers.known(&self.channel).snapshot.clone();
                    self.seen = Some(snapshot.version);
                    return vec![Change::Presence(snapshot)];
                }
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.readers.unfollow(&self.channel);
    }
}
