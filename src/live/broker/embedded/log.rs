//! A channel's log in memory, bounded by count and bytes.

use std::{collections::VecDeque, sync::Arc};

use enchufe_core::{
    ChannelName, End, Epoch, Gap, GapReason, Message, Position, Publication, Since, fanout::Page,
};
use jiff::{SignedDuration, Timestamp};

use super::keys::Keys;
use crate::{
    limits,
    live::broker::{
        ChannelOptions, ChannelState, IdempotencyKey, PageLimit, PublishError, Receipt, Start,
    },
};

/// Offsets are dense here: entry `i` has the offset `before_oldest + 1 + i`.
pub(super) struct Log {
    epoch: Epoch,
    options: ChannelOptions,
    entries: VecDeque<Arc<Publication>>,
    before_oldest: u64,
    bytes: usize,
    end: Option<Arc<End>>,
    keys: Keys,
}

impl Log {
    pub(super) fn new(epoch: Epoch, options: ChannelOptions) -> Self {
        Self {
            epoch,
            options,
            entries: VecDeque::new(),
            before_oldest: 0,
            bytes: 0,
            end: None,
            keys: Keys::default(),
        }
    }

    pub(super) fn configure(&mut self, options: ChannelOptions) {
        self.options = options;
        self.evict();
    }

    pub(super) fn state(&self) -> ChannelState {
        ChannelState {
            head: self.head(),
            before_oldest: self.at(self.before_oldest),
            options: self.options.clone(),
            end: self.end.clone(),
        }
    }

    pub(super) fn end_event(&self) -> Option<&Arc<End>> {
        self.end.as_ref()
    }

    pub(super) fn append(
        &mut self,
        channel: &ChannelName,
        batch: &[Message],
        key: Option<IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Receipt, PublishError> {
        if let Some(key) = &key
            && let Some((same, receipt)) = self.keys.recall(key, batch, now)
        {
            let duplicate = Receipt { duplicate: true, ..receipt };
            return if same { Ok(duplicate) } else { Err(PublishError::KeyReused) };
        }
        if let Some(end) = &self.end {
            let (channel, status) = (channel.clone(), end.status.clone());
            return Err(PublishError::Ended { channel, status });
        }
        if batch.is_empty() {
            return Err(PublishError::Empty);
        }
        if batch.len() > limits::BATCH_LEN_MAX {
            return Err(PublishError::BatchTooLong(batch.len()));
        }
        if let Some(large) = batch.iter().find(|m| m.payload.len() > limits::MESSAGE_BYTES_MAX) {
            return Err(PublishError::TooLarge(large.payload.len()));
        }
        let first = self.at(self.head().offset + 1);
        for message in batch {
            let position = self.at(self.head().offset + 1);
            let publication = Arc::new(Publication::new(position, now, message.as_ref()));
            self.bytes += publication.cost();
            self.entries.push_back(publication);
        }
        let receipt = Receipt { first, last: self.head(), duplicate: false };
        if let Some(key) = key {
            self.keys.remember(key, batch, receipt, now);
        }
        self.evict();
        Ok(receipt)
    }

    pub(super) fn end(&mut self, status: String) {
        let position = self.head();
        self.end.get_or_insert_with(|| Arc::new(End { position, status }));
    }

    pub(super) fn resolve(&self, since: Since, now: Timestamp) -> Start {
        let head = self.head();
        let oldest = self.at(self.before_oldest);
        let len = self.entries.len() as u64;
        let slow = self.options.slow;
        let after = match since {
            Since::Now => head,
            Since::All => oldest,
            Since::Last(count) => self.at(head.offset - count.min(len)),
            Since::Age(age) => {
                let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
                let is_older = |entry: &Arc<Publication>| now.duration_since(entry.time) > age;
                self.at(self.before_oldest + self.entries.partition_point(is_older) as u64)
            }
            Since::After(position)
                if position.epoch == self.epoch && position.offset <= head.offset =>
            {
                position
            }
            Since::After(position) => {
                let next = self.at(self.before_oldest + 1);
                let gap = Gap { after: position, next, reason: GapReason::Reset, missing: None };
                return Start { after: oldest, head, gap: Some(gap), slow };
            }
        };
        Start { after, head, gap: None, slow }
    }

    pub(super) fn page(&self, after: Position, limit: PageLimit) -> Page {
        let gap = self.gap(after);
        let start = gap.map_or(after, |gap| gap.next.before()).offset - self.before_oldest;
        let start = usize::try_from(start).unwrap_or(usize::MAX).min(self.entries.len());
        let mut bytes = 0;
        let items: Vec<_> = self
            .entries
            .range(start..)
            .take(limit.len_max)
            .take_while(|entry| {
                let fits = bytes == 0 || bytes + entry.cost() <= limit.bytes_max;
                bytes += entry.cost();
                fits
            })
            .cloned()
            .collect();
        let through = self.at(self.before_oldest + (start + items.len()) as u64);
        Page { items, gap, through }
    }

    /// What a reader at `after` has to be told before it can go on.
    fn gap(&self, after: Position) -> Option<Gap> {
        let next = self.at(self.before_oldest + 1);
        if after.epoch != self.epoch || after.offset > self.head().offset {
            return Some(Gap { after, next, reason: GapReason::Reset, missing: None });
        }
        let missing =
            self.before_oldest.checked_sub(after.offset).filter(|missing| *missing > 0)?;
        Some(Gap { after, next, reason: GapReason::Expired, missing: Some(missing) })
    }

    fn head(&self) -> Position {
        self.at(self.before_oldest + self.entries.len() as u64)
    }

    fn at(&self, offset: u64) -> Position {
        Position::new(self.epoch, offset)
    }

    fn evict(&mut self) {
        let ChannelOptions { history_len_max, history_bytes_max, .. } = self.options;
        // The newest stays whatever the options: what has gone before a tail looks is a gap.
        while self.entries.len() > history_len_max.max(1)
            || (self.bytes > history_bytes_max && self.entries.len() > 1)
        {
            let Some(evicted) = self.entries.pop_front() else { return };
            self.bytes -= evicted.cost();
            self.before_oldest += 1;
        }
    }
}
