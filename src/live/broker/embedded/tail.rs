//! A cursor into an embedded log that waits for what comes.

use std::{sync::Arc, time::Duration};

use enchufe_core::Position;
use tokio::sync::watch;

use super::{Embedded, channel::Channel};
use crate::{
    limits,
    live::broker::{PageLimit, TailEvent},
};

/// Follows one channel.
pub struct Tail {
    broker: Arc<Embedded>,
    channel: Arc<Channel>,
    changed: watch::Receiver<()>,
    after: Position,
    ended: bool,
}

impl Tail {
    pub(super) fn new(broker: Arc<Embedded>, channel: Arc<Channel>, after: Position) -> Self {
        let changed = channel.changed.subscribe();
        Self { broker, channel, changed, after, ended: false }
    }

    /// Whether the channel had gone before anybody knew that it is read.
    pub(super) fn is_gone(&self) -> bool {
        self.channel.log().is_gone()
    }

    pub(in crate::live::broker) fn flush_window(&self) -> Duration {
        self.channel.log().options().flush_window
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
        let mut log = self.channel.log();
        let limit = PageLimit { len_max: limits::TAIL_LEN_MAX, bytes_max: limits::TAIL_BYTES_MAX };
        let page = log.page(self.after, limit, self.broker.now());
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
