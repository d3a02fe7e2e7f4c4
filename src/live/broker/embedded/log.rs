//! A channel's log in memory, bounded by count, bytes and age.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use enchufe_core::{
    ChannelName, End, Epoch, Gap, GapReason, Message, Position, Publication, Since, fanout::Page,
};
use jiff::{SignedDuration, Timestamp};

use super::{claims::Claims, keys::Keys};
use crate::{
    limits,
    live::broker::{
        ChannelOptions, ChannelState, Claim, IdempotencyKey, PageLimit, PublishError, Receipt,
        Start,
    },
};

/// Offsets are dense here: entry `i` has the offset `before_oldest + 1 + i`.
pub(super) struct Log {
    epoch: Epoch,
    options: ChannelOptions,
    entries: VecDeque<Arc<Publication>>,
    before_oldest: u64,
    bytes: usize,
    published: u64,
    published_bytes: u64,
    end: Option<Arc<End>>,
    keys: Keys,
    claims: Claims,
    origin: Origin,
    /// When it was last used.
    touched: Timestamp,
    is_gone: bool,
}

/// How a channel came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Declared,
    FirstUse,
}

impl Log {
    pub(super) fn new(
        epoch: Epoch,
        options: ChannelOptions,
        origin: Origin,
        now: Timestamp,
    ) -> Self {
        Self {
            epoch,
            options,
            origin,
            touched: now,
            is_gone: false,
            entries: VecDeque::new(),
            before_oldest: 0,
            bytes: 0,
            published: 0,
            published_bytes: 0,
            end: None,
            keys: Keys::default(),
            claims: Claims::default(),
        }
    }

    /// It stays from now on, with these options.
    pub(super) fn declare(&mut self, options: ChannelOptions) {
        self.origin = Origin::Declared;
        self.configure(options);
    }

    pub(super) fn configure(&mut self, options: ChannelOptions) {
        self.options = options;
        self.evict();
    }

    pub(super) fn is_made_on_first_use(&self) -> bool {
        self.origin == Origin::FirstUse
    }

    pub(super) fn options(&self) -> &ChannelOptions {
        &self.options
    }

    /// It is used.
    pub(super) fn touch(&mut self, now: Timestamp) {
        self.touched = self.touched.max(now);
    }

    /// Whether it may go, as far as it knows; who reads it is not known here.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let is_over = |time| now.duration_since(self.touched) > signed(time);
        // A publisher that repeats itself is owed its first answer.
        self.is_made_on_first_use()
            && self.keys.is_empty()
            && self.options.idle_expiry.is_some_and(is_over)
    }

    /// Nothing is appended to it any more.
    pub(super) fn go(&mut self) {
        self.is_gone = true;
    }

    pub(super) fn is_gone(&self) -> bool {
        self.is_gone
    }

    pub(super) fn state(&mut self, now: Timestamp) -> ChannelState {
        self.expire(now);
        ChannelState {
            head: self.head(),
            before_oldest: self.at(self.before_oldest),
            options: self.options.clone(),
            end: self.end.clone(),
            bytes: self.bytes,
            published: self.published,
            published_bytes: self.published_bytes,
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
        self.accepts(channel, batch)?;
        self.touch(now);
        let first = self.at(self.head().offset + 1);
        for message in batch {
            let position = self.at(self.head().offset + 1);
            let publication = Arc::new(Publication::new(position, now, message.as_ref()));
            self.bytes += publication.cost();
            self.published += 1;
            self.published_bytes += message.payload.len() as u64;
            self.entries.push_back(publication);
        }
        let receipt = Receipt { first, last: self.head(), duplicate: false };
        if let Some(key) = key {
            self.keys.remember(key, batch, receipt, now);
        }
        self.evict();
        Ok(receipt)
    }

    fn accepts(&self, channel: &ChannelName, batch: &[Message]) -> Result<(), PublishError> {
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
        Ok(())
    }

    pub(super) fn end(&mut self, status: String) {
        let position = self.head();
        self.end.get_or_insert_with(|| Arc::new(End { position, status }));
    }

    pub(super) fn resolve(&mut self, since: Since, now: Timestamp) -> Start {
        self.expire(now);
        let head = self.head();
        let oldest = self.at(self.before_oldest);
        let len = self.entries.len() as u64;
        let slow = self.options.slow;
        let after = match since {
            Since::Now => head,
            Since::All => oldest,
            Since::Last(count) => self.at(head.offset - count.min(len)),
            Since::Age(age) => {
                let age = signed(age);
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

    pub(super) fn page(&mut self, after: Position, limit: PageLimit, now: Timestamp) -> Page {
        self.expire(now);
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

    /// How long publishers wait for readers.
    pub(super) fn patience(&self) -> Duration {
        match self.options.patience {
            Duration::ZERO if self.claims.has_blocking() => limits::PUBLISH_PATIENCE,
            patience => patience,
        }
    }

    /// Has publishers wait for a reader that begins after a position.
    pub(super) fn claim(&mut self, after: Position, blocks: bool) -> Option<Claim> {
        let middle = self.middle();
        let is_waited_for = blocks || !self.options.patience.is_zero();
        is_waited_for.then(|| self.claims.add(after.offset, middle, blocks))
    }

    /// The offset that all readers have to be through before a publisher may append `batch`; none
    /// if it may. They have to get through half of the log, so that they are asked now and then
    /// and not for every message.
    pub(super) fn hold_up(&mut self, channel: &ChannelName, batch: &[Message]) -> Option<u64> {
        // What is refused need not wait for that.
        self.accepts(channel, batch).ok()?;
        let displaced = self.displaced_by(batch);
        if self.claims.are_known_through(displaced) {
            return None;
        }
        let through = displaced.max(self.middle());
        (!self.is_read_through(through)).then_some(through)
    }

    /// Whether all readers that are waited for are through this offset.
    pub(super) fn is_read_through(&mut self, offset: u64) -> bool {
        let (middle, head) = (self.middle(), self.head().offset);
        self.claims.are_through(offset, middle, head)
    }

    /// Waits no longer for who is not through this offset. How many they are.
    pub(super) fn give_up(&mut self, offset: u64) -> usize {
        self.claims.give_up(offset)
    }

    /// What will be before the oldest entry when `batch` is in, at most.
    fn displaced_by(&self, batch: &[Message]) -> u64 {
        let ChannelOptions { history_len_max, history_bytes_max, .. } = self.options;
        let mut len = self.entries.len() + batch.len();
        let costs = batch.iter().map(|message| Publication::cost_max(message.as_ref()));
        let mut bytes = self.bytes + costs.sum::<usize>();
        let mut displaced = self.before_oldest;
        for entry in &self.entries {
            if len <= history_len_max && bytes <= history_bytes_max {
                break;
            }
            len -= 1;
            bytes -= entry.cost();
            displaced += 1;
        }
        displaced
    }

    fn middle(&self) -> u64 {
        self.before_oldest + self.entries.len() as u64 / 2
    }

    fn head(&self) -> Position {
        self.at(self.before_oldest + self.entries.len() as u64)
    }

    fn at(&self, offset: u64) -> Position {
        Position::new(self.epoch, offset)
    }

    fn evict(&mut self) {
        let ChannelOptions { history_len_max, history_bytes_max, .. } = self.options;
        // The newest stays whatever the options, unless it is too old: what has gone before a tail
        // looks is a gap.
        while self.entries.len() > history_len_max.max(1)
            || (self.bytes > history_bytes_max && self.entries.len() > 1)
        {
            self.evict_oldest();
        }
    }

    /// Lets go of what is too old: of messages, of answers to keys.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.keys.forget(now);
        let Some(age_max) = self.options.history_age_max.map(signed) else { return };
        while self.entries.front().is_some_and(|oldest| now.duration_since(oldest.time) > age_max) {
            self.evict_oldest();
        }
        if self.entries.is_empty() {
            // A channel in which nothing is any more owns no memory for it.
            self.entries = VecDeque::new();
        }
    }

    fn evict_oldest(&mut self) {
        let Some(evicted) = self.entries.pop_front() else { return };
        self.bytes -= evicted.cost();
        self.before_oldest += 1;
    }
}

fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn channel() -> ChannelName {
        "feed".parse().expect("a name")
    }

    fn log(change: impl FnOnce(&mut ChannelOptions)) -> Log {
        let mut options = ChannelOptions::default();
        change(&mut options);
        Log::new(Epoch(1), options, Origin::Declared, NOW)
    }

    fn append(log: &mut Log, batch: &[Message]) -> Result<Receipt, PublishError> {
        log.append(&channel(), batch, None, NOW)
    }

    fn everything() -> PageLimit {
        PageLimit { len_max: usize::MAX, bytes_max: usize::MAX }
    }

    #[test]
    fn a_history_keeps_so_many_messages_and_says_how_many_are_missing() {
        let mut log = log(|options| options.history_len_max = 3);
        append(&mut log, &vec![Message::text("x"); 10]).expect("room");
        let page = log.page(log.at(0), everything(), NOW);
        let gap = page.gap.expect("seven are missing");
        assert_eq!((gap.next.offset, gap.reason, gap.missing), (8, GapReason::Expired, Some(7)));
        assert_eq!((page.items.len(), page.through.offset), (3, 10));
    }

    #[test]
    fn a_history_keeps_so_many_bytes_and_always_the_newest_message() {
        let mut log = log(|options| options.history_bytes_max = 1_000);
        append(&mut log, &vec![Message::binary(vec![0; 300]); 10]).expect("room");
        assert!(log.bytes <= 1_000 && !log.entries.is_empty(), "{} bytes", log.bytes);
        append(&mut log, &[Message::binary(vec![0; 5_000])]).expect("room");
        assert_eq!(log.entries.len(), 1, "larger than all there is room for");
    }

    #[test]
    fn a_page_has_so_many_messages_and_bytes_and_at_least_one() {
        let mut log = log(|_| {});
        append(&mut log, &vec![Message::binary(vec![0; 100]); 10]).expect("room");
        let cost = log.entries[0].cost();
        let mut page =
            |len_max, bytes_max| log.page(log.at(0), PageLimit { len_max, bytes_max }, NOW);
        assert_eq!(page(4, usize::MAX).items.len(), 4);
        assert_eq!(page(usize::MAX, 3 * cost).items.len(), 3);
        assert_eq!(page(usize::MAX, 3 * cost - 1).items.len(), 2);
        assert_eq!(page(usize::MAX, 0).items.len(), 1);
        assert_eq!(page(4, usize::MAX).through.offset, 4);
    }

    #[test]
    fn what_is_too_much_is_refused_whole() {
        let mut log = log(|_| {});
        let many = vec![Message::text("x"); limits::BATCH_LEN_MAX + 1];
        let large = vec![0; limits::MESSAGE_BYTES_MAX + 1];
        let large = [Message::text("x"), Message::binary(large)];
        assert_eq!(append(&mut log, &many), Err(PublishError::BatchTooLong(many.len())));
        let length = limits::MESSAGE_BYTES_MAX + 1;
        assert_eq!(append(&mut log, &large), Err(PublishError::TooLarge(length)));
        assert_eq!(append(&mut log, &[]), Err(PublishError::Empty));
        assert_eq!(log.head().offset, 0);
        append(&mut log, &many[1..]).expect("exactly as many as a batch may have");
    }

    #[test]
    fn a_place_to_begin_is_always_within_the_log() {
        let mut log = log(|options| options.history_len_max = 5);
        append(&mut log, &vec![Message::text("x"); 10]).expect("room");
        for (since, after) in [
            (Since::All, 5),
            (Since::Now, 10),
            (Since::Last(0), 10),
            (Since::Last(3), 7),
            (Since::Last(u64::MAX), 5),
            (Since::Age(std::time::Duration::MAX), 5),
            (Since::Age(std::time::Duration::ZERO), 5),
            (Since::After(Position::new(Epoch(1), 2)), 2),
            (Since::After(Position::new(Epoch(1), u64::MAX)), 5),
            (Since::After(Position::new(Epoch(2), 7)), 5),
        ] {
            let start = log.resolve(since, NOW);
            assert_eq!((start.after.offset, start.head.offset), (after, 10), "{since:?}");
            let is_reset = matches!(since, Since::After(p) if p.offset > 2);
            assert_eq!(start.gap.is_some(), is_reset, "{since:?}");
        }
    }
}
