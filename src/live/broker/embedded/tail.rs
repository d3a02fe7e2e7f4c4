//! A cursor into an embedded log that waits for what comes.

use std::sync::Arc;

use enchufe_core::Position;
use tokio::sync::watch;

use super::Channel;
use crate::{
    limits,
    live::broker::{PageLimit, TailEvent},
};

/// Follows one channel.
pub struct Tail {
    channel: Arc<Channel>,
    changed: watch::Receiver<()>,
    after: Position,
    ended: bool,
}

impl Tail {
    pub(super) fn new(channel: Arc<Channel>, after: Position) -> Self {
        let changed = channel.changed.subscribe();
        Self { channel, changed, after, ended: false }
    }

    pub(in crate::live::broker) fn position(&self) -> Position {
        self.after
    }

    /// Cancel-safe: the cursor moves only when an event is returned.
    pub(in crate::live::broker) async fn next(&mut self) -> TailEvent {
        loop {
            self.changed.mark_unchanged();
            if let Some(event) = self.try_next() {
                return event;
            }
            if self.changed.changed().await.is_err() {
                // The sender lives as long as the channel, which this cursor holds.
                std::future::pending::<()>().await;
            }
        }
    }

    /// What there is without waiting.
    pub(in crate::live::broker) fn try_next(&mut self) -> Option<TailEvent> {
        let log = self.channel.log();
        let limit = PageLimit { len_max: limits::TAIL_LEN_MAX, bytes_max: limits::TAIL_BYTES_MAX };
        let page = log.page(self.after, limit);
        if let Some(gap) = page.gap {
            self.after = gap.next.before();
            return Some(TailEvent::Gap(gap));
        }
        if !page.items.is_empty() {
            self.after = page.through;
            return Some(TailEvent::Publications(page.items));
        }
        let end = log.end_event().filter(|_| !self.ended)?.clone();
        self.ended = true;
        tracing::trace!(channel = %self.channel.name, "the tail has reached the end");
        Some(TailEvent::End(end))
    }
}
