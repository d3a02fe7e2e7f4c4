//! A reader over plain HTTP: a cursor of its own, pulled by whoever writes the body.

use std::sync::Arc;

use enchufe_core::{ChannelName, End, Gap, GapReason, Position, Publication, SlowPolicy};

use super::broker::{Broker, ReadError, Start, Tail, TailEvent};

/// Follows one channel from where it starts.
pub struct Cursor {
    tail: Tail,
    position: Position,
    slow: SlowPolicy,
    first_gap: Option<Gap>,
    /// What comes after a gap that was made by leaving messages out.
    newest: Option<Arc<Publication>>,
    /// It has had everything once: what it misses from then on, it misses because it is slow.
    head: Position,
    was_live: bool,
}

/// What a cursor yields.
#[derive(Debug, Clone)]
pub enum CursorEvent {
    /// The next messages, at least one.
    Publications(Vec<Arc<Publication>>),
    /// Messages are missing; resume after [`Cursor::position`].
    Gap(Gap),
    /// The reader was too slow and its policy is `cut`: end the stream, to be resumed after
    /// [`Cursor::position`].
    Cut,
    /// Nothing more will come.
    End(Arc<End>),
}

impl Cursor {
    /// A cursor that begins at `start`.
    ///
    /// # Errors
    ///
    /// When there is no such channel.
    pub async fn open(
        broker: &Broker,
        channel: &ChannelName,
        start: Start,
        slow: Option<SlowPolicy>,
    ) -> Result<Self, ReadError> {
        let tail = broker.tail(channel, start.after).await?;
        let Start { after, head, gap, .. } = start;
        let (slow, was_live) = (slow.unwrap_or(start.slow), after == head);
        Ok(Self { tail, position: after, slow, first_gap: gap, newest: None, head, was_live })
    }

    /// The reader has had everything through here.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next event; pends after the end. Cancel-safe.
    pub async fn next(&mut self) -> CursorEvent {
        if let Some(gap) = self.first_gap.take() {
            return CursorEvent::Gap(gap);
        }
        if let Some(newest) = self.newest.take() {
            self.position = newest.position;
            return CursorEvent::Publications(vec![newest]);
        }
        let event = self.tail.next().await;
        let from = std::mem::replace(&mut self.position, self.tail.position());
        self.was_live |= from.epoch == self.head.epoch && from.offset >= self.head.offset;
        match event {
            TailEvent::Publications(mut items) => {
                let conflates = self.slow == SlowPolicy::Latest && self.was_live;
                if conflates
                    && items.len() > 1
                    && let Some(newest) = items.pop()
                {
                    return self.conflate(from, items.len(), newest);
                }
                CursorEvent::Publications(items)
            }
            TailEvent::Gap(_) if self.was_live && self.slow == SlowPolicy::Cut => {
                self.position = from;
                CursorEvent::Cut
            }
            TailEvent::Gap(mut gap) => {
                if self.was_live && gap.reason == GapReason::Expired {
                    gap.reason = GapReason::Slow;
                }
                CursorEvent::Gap(gap)
            }
            TailEvent::End(end) => CursorEvent::End(end),
        }
    }

    /// Says what is left out and keeps the newest for the next call.
    fn conflate(&mut self, after: Position, len: usize, newest: Arc<Publication>) -> CursorEvent {
        let next = newest.position;
        let missing = Some(len as u64);
        self.newest = Some(newest);
        self.position = Position::new(next.epoch, next.offset - 1);
        CursorEvent::Gap(Gap { after, next, reason: GapReason::Conflated, missing })
    }
}
