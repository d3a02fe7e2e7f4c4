//! What readers publish, where a channel lets them: from the shards to the broker.
//!
//! A shard does not wait. What its readers say goes to a task of their channel, in order, which may
//! have to wait for those who read. A reader of whom too much is under way is not read any further
//! until that has been published: so whoever says more than the others can take is slowed down, and
//! nobody else.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use enchufe_core::{ChannelName, Message};
use tokio::sync::mpsc;

use super::{
    broker::Broker,
    inbox::{Inbox, Letter},
};
use crate::limits;

/// What one reader has said that is not published yet, in bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    /// Whether so much of it is under way that no more may come.
    pub(super) fn is_full(&self) -> bool {
        self.0.load(Ordering::Acquire) >= limits::PUBLISHING_BYTES_MAX
    }

    pub(super) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::AcqRel);
    }

    /// Whether it was full, and is not any more.
    pub(super) fn remove(&self, bytes: usize) -> bool {
        let before = self.0.fetch_sub(bytes, Ordering::AcqRel);
        let max = limits::PUBLISHING_BYTES_MAX;
        before >= max && before - bytes < max
    }
}

/// What a reader says.
#[derive(Debug)]
pub(super) struct Said {
    shard: usize,
    /// Where the reader is, to be read again.
    row: usize,
    channel: ChannelName,
    message: Message,
    under_way: UnderWay,
}

/// A reader that may publish: where it sits, and to which channel it speaks.
#[derive(Debug)]
pub(super) struct Speaker {
    pub(super) shard: usize,
    pub(super) row: usize,
    pub(super) channel: ChannelName,
    pub(super) under_way: UnderWay,
}

impl Speaker {
    /// What it says, counted until it is published. An empty message counts, too.
    pub(super) fn say(&self, message: Message) -> Said {
        self.under_way.add(message.payload.len() + 1);
        let (channel, under_way) = (self.channel.clone(), self.under_way.clone());
        Said { shard: self.shard, row: self.row, channel, message, under_way }
    }
}

/// Publishes what readers say, each channel's in order, until the last shard has ended.
pub(super) async fn run(
    broker: Broker,
    inboxes: Arc<[Arc<Inbox>]>,
    mut said: mpsc::UnboundedReceiver<Said>,
) {
    let mut channels: HashMap<ChannelName, Waiting> = HashMap::new();
    while let Some(one) = said.recv().await {
        if channels.len() == channels.capacity() {
            // Instead of growing, where that will do: channels come and go.
            channels.retain(|_, waiting| waiting.count.load(Ordering::Acquire) > 0);
        }
        let waiting = channels.entry(one.channel.clone()).or_insert_with_key(|channel| {
            let ((sender, said), count) = (mpsc::unbounded_channel(), Arc::default());
            let (broker, inboxes) = (broker.clone(), Arc::clone(&inboxes));
            tokio::spawn(publish_to(channel.clone(), broker, inboxes, said, Arc::clone(&count)));
            Waiting { sender, count }
        });
        waiting.count.fetch_add(1, Ordering::AcqRel);
        // The task lives as long as this, unless the runtime ends.
        waiting.sender.send(one).ok();
    }
}

/// What is to be published to one channel.
struct Waiting {
    sender: mpsc::UnboundedSender<Said>,
    /// How much of it is not published yet.
    count: Arc<AtomicUsize>,
}

async fn publish_to(
    channel: ChannelName,
    broker: Broker,
    inboxes: Arc<[Arc<Inbox>]>,
    mut said: mpsc::UnboundedReceiver<Said>,
    count: Arc<AtomicUsize>,
) {
    let mut taken = Vec::new();
    while said.recv_many(&mut taken, limits::SAID_LEN_MAX).await > 0 {
        let (messages, from): (Vec<_>, Vec<_>) = taken
            .drain(..)
            .map(|Said { shard, row, message, under_way, .. }| {
                let bytes = message.payload.len() + 1;
                (message, (shard, row, bytes, under_way))
            })
            .unzip();
        if let Err(error) = broker.publish(&channel, messages, None).await {
            // Its end is on the way to the same readers.
            tracing::warn!(%channel, count = from.len(), %error, "what readers said is not published");
        }
        count.fetch_sub(from.len(), Ordering::AcqRel);
        for (shard, row, bytes, under_way) in from {
            if under_way.remove(bytes) {
                inboxes[shard].post(Letter::Published(row));
            }
        }
    }
}
