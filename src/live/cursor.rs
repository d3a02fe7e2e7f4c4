//! A reader over plain HTTP: a cursor of its own, pulled by whoever writes the body.

use std::sync::Arc;

use enchufe_core::{ChannelName, End, Gap, GapReason, Position, Publication, SlowPolicy};

use super::broker::{Broker, Claim, ReadError, Start, Tail, TailEvent};

/// Follows one channel from where it starts.
///
/// It reads the history itself, where a WebSocket viewer reads what its shard keeps for all of
/// them. So being too slow means something else here: with [`SlowPolicy::Cut`] the reader is cut
/// when the *history* has moved on without it, and with [`SlowPolicy::Latest`] it gets the newest
/// message of the channel each time it comes for more.
pub struct Cursor {
    tail: Tail,
    position: Position,
    slow: SlowPolicy,
    first_gap: Option<Gap>,
    /// What comes after a gap that was made by leaving messages out.
    newest: Option<Arc<Publication>>,
    /// What was found behind the newest message.
    next: Option<TailEvent>,
    /// It has had everything once: what it misses from then on, it misses because it is slow.
    head: Position,
    was_live: bool,
    /// Where publishers wait for readers.
    claim: Option<Claim>,
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
    /// A cursor that begins at `start`. `slow` is the reader's own choice. Cancel-safe.
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
        let Start { after, head, gap, .. } = start;
        let slow = slow.unwrap_or(start.slow);
        let claim = match slow {
            // Who wants the newest alone waits for nothing else.
            SlowPolicy::Latest => None,
            SlowPolicy::Skip | SlowPolicy::Cut => broker.claim(channel, after, false)?,
            SlowPolicy::Block => broker.claim(channel, after, true)?,
        };
        let tail = broker.tail(channel, after).await?;
        Ok(Self {
            tail,
            position: after,
            slow,
            first_gap: gap,
            newest: None,
            next: None,
            head,
            was_live: after == head,
            claim,
        })
    }

    /// Waits until publishers wait for this reader no longer, where they do: it is too slow.
    /// Cancel-safe.
    pub(crate) async fn given_up(&self) {
        match &self.claim {
            Some(claim) => claim.given_up().await,
            None => std::future::pending().await,
        }
    }

    /// Waits until the reader is to be cut, for it had publishers wait for too long. Cancel-safe.
    pub(crate) async fn cut(&self) {
        match self.slow {
            SlowPolicy::Block => self.given_up().await,
            _ => std::future::pending().await,
        }
    }

    /// The reader has had everything through here.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Whether the reader has to be told of a gap before anything else.
    pub fn begins_with_gap(&self) -> bool {
        self.first_gap.is_some()
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
        let event = match self.next.take() {
            Some(event) => event,
            None => self.tail.next().await,
        };
        let from = std::mem::replace(&mut self.position, self.tail.position());
        if let Some(claim) = &self.claim {
            claim.reached(self.position);
        }
        self.was_live |= from.epoch == self.head.epoch && from.offset >= self.head.offset;
        match event {
            TailEvent::Publications(items) => {
                if self.slow == SlowPolicy::Latest && self.was_live {
                    return self.conflate(from, items);
                }
                CursorEvent::Publications(items)
            }
            TailEvent::Gap(_)
                if self.was_live && matches!(self.slow, SlowPolicy::Cut | SlowPolicy::Block) =>
            {
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

    /// Leaves out all but the newest message there is: says so first, and keeps the newest for
    /// the next call. A page is read faster than it is published, so this comes to an end.
    fn conflate(&mut self, after: Position, mut items: Vec<Arc<Publication>>) -> CursorEvent {
        let mut missing = 0;
        while self.next.is_none() {
            match self.tail.try_next() {
                Some(TailEvent::Publications(newer)) => {
                    missing += items.len() as u64;
                    items = newer;
                }
                Some(event) => self.next = Some(event),
                None => break,
            }
        }
        missing += items.len().saturating_sub(1) as u64;
        if missing > 0
            && let Some(newest) = items.pop()
        {
            let next = newest.position;
            self.newest = Some(newest);
            self.position = next.before();
            let missing = Some(missing);
            return CursorEvent::Gap(Gap { after, next, reason: GapReason::Conflated, missing });
        }
        CursorEvent::Publications(items)
    }
}

#[cfg(test)]
mod tests {
    use enchufe_core::{Message, Since};
    use tokio::time::{Duration, timeout};

    use super::*;
    use crate::live::broker::ChannelOptions;

    struct Feed {
        broker: Broker,
        channel: ChannelName,
    }

    impl Feed {
        fn new(history_len_max: usize) -> Self {
            let (broker, channel) = (Broker::memory(), "feed".parse().expect("a name"));
            broker
                .declare(&channel, ChannelOptions { history_len_max, ..ChannelOptions::default() });
            Self { broker, channel }
        }

        async fn publish(&self, count: usize) {
            for _ in 0..count {
                let published = self.broker.publish(&self.channel, vec![Message::text("x")], None);
                published.await.expect("the channel is there");
            }
        }

        async fn open(&self, since: &str, slow: SlowPolicy) -> Cursor {
            let since: Since = since.parse().expect("a place to begin");
            let start = self.broker.resolve(&self.channel, since).await.expect("it is there");
            let cursor = Cursor::open(&self.broker, &self.channel, start, Some(slow)).await;
            cursor.expect("it is there")
        }
    }

    /// What happened, in offsets: messages, gaps, and whether the cursor stands where it says.
    async fn next(cursor: &mut Cursor) -> String {
        match timeout(Duration::from_secs(1), cursor.next()).await {
            Err(_) => "nothing".to_owned(),
            Ok(CursorEvent::Publications(items)) => {
                let [first, .., last] = items.as_slice() else {
                    assert_eq!(cursor.position(), items[0].position);
                    return items[0].position.offset.to_string();
                };
                assert_eq!(last.position, cursor.position());
                format!("{}..{}", first.position.offset, last.position.offset)
            }
            Ok(CursorEvent::Gap(gap)) => {
                assert_eq!(cursor.position(), gap.next.before());
                let missing = gap.missing.map_or("?".to_owned(), |missing| missing.to_string());
                format!("{}: {missing} of ({}, {})", gap.reason, gap.after.offset, gap.next.offset)
            }
            Ok(CursorEvent::Cut) => format!("cut at {}", cursor.position().offset),
            Ok(CursorEvent::End(end)) => format!("end at {}", end.position.offset),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_fell_behind_is_slow_and_one_that_came_late_is_not() {
        let feed = Feed::new(10);
        let mut prompt = feed.open("now", SlowPolicy::Skip).await;
        feed.publish(1).await;
        let mut late = feed.open("all", SlowPolicy::Skip).await;
        assert_eq!(next(&mut prompt).await, "1");
        feed.publish(29).await;
        assert_eq!(next(&mut prompt).await, "slow: 19 of (1, 21)");
        assert_eq!(next(&mut prompt).await, "21..30");
        // It has never had everything there was when it came.
        assert_eq!(next(&mut late).await, "expired: 20 of (0, 21)");
        assert_eq!(next(&mut late).await, "21..30");
        feed.publish(30).await;
        assert_eq!(next(&mut late).await, "slow: 20 of (30, 51)");
        assert_eq!(next(&mut late).await, "51..60");
        assert_eq!(next(&mut late).await, "nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_of_the_newest_gets_the_newest_there_is_and_is_told_what_was_left_out() {
        let feed = Feed::new(10_000);
        feed.publish(3).await;
        let mut cursor = feed.open("all", SlowPolicy::Latest).await;
        assert_eq!(next(&mut cursor).await, "1..3", "history is not left out");
        feed.publish(1).await;
        assert_eq!(next(&mut cursor).await, "4", "a prompt reader misses nothing");
        // More than a tail yields at once.
        feed.publish(2_000).await;
        assert_eq!(next(&mut cursor).await, "conflated: 1999 of (4, 2004)");
        feed.publish(1).await;
        assert_eq!(next(&mut cursor).await, "2004");
        assert_eq!(next(&mut cursor).await, "2005");
        feed.publish(2).await;
        feed.broker.end(&feed.channel, "exit 0".to_owned()).await.expect("it is there");
        assert_eq!(next(&mut cursor).await, "conflated: 1 of (2005, 2007)");
        assert_eq!(next(&mut cursor).await, "2007");
        assert_eq!(next(&mut cursor).await, "end at 2007");
        assert_eq!(next(&mut cursor).await, "nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_asked_for_it_is_cut_once_the_history_has_moved_on() {
        let feed = Feed::new(10);
        let mut cursor = feed.open("now", SlowPolicy::Cut).await;
        feed.publish(10).await;
        assert_eq!(next(&mut cursor).await, "1..10", "all of it is still there");
        feed.publish(11).await;
        assert_eq!(next(&mut cursor).await, "cut at 10");
    }

    #[tokio::test(start_paused = true)]
    async fn a_position_of_another_log_is_a_gap_before_anything_else() {
        let feed = Feed::new(10);
        feed.publish(1).await;
        let mut cursor = feed.open("7-5", SlowPolicy::Cut).await;
        assert_eq!(next(&mut cursor).await, "reset: ? of (5, 1)");
        assert_eq!(next(&mut cursor).await, "1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_read_moves_nothing() {
        let feed = Feed::new(10);
        let mut cursor = feed.open("now", SlowPolicy::Skip).await;
        assert_eq!(next(&mut cursor).await, "nothing");
        feed.publish(2).await;
        assert_eq!(next(&mut cursor).await, "1..2");
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_message_is_always_kept() {
        let feed = Feed::new(0);
        let mut cursor = feed.open("now", SlowPolicy::Skip).await;
        feed.publish(1).await;
        assert_eq!(next(&mut cursor).await, "1", "a history of nothing would deliver nothing");
    }
}
