//! Publishers who wait for readers, in time that passes only while everybody waits.

use std::future::Future;

use tokio::time::{Duration, Instant, sleep, timeout};

use super::*;
use crate::limits;

const PATIENCE: Duration = Duration::from_secs(10);

/// Shorter than patience, and longer than it takes to look again.
const MOMENT: Duration = Duration::from_secs(1);

struct Room {
    broker: Embedded,
    channel: ChannelName,
}

impl Room {
    /// With a history of ten messages.
    fn new() -> Self {
        let (broker, channel) = (Embedded::new(Rules::default()), "room".parse().expect("a name"));
        let options =
            ChannelOptions { history_len_max: 10, patience: PATIENCE, ..ChannelOptions::default() };
        broker.declare(&channel, options);
        Self { broker, channel }
    }

    fn reader(&self) -> Claim {
        let start = self.broker.resolve(&self.channel, Since::Now).expect("it is there");
        let claim = self.broker.claim(&self.channel, start.after, false).expect("it is there");
        claim.expect("publishers wait here")
    }

    async fn publish(&self, count: usize) -> Receipt {
        let batch = vec![Message::text("x"); count];
        self.broker.publish(&self.channel, &batch, None).await.expect("it is there")
    }

    fn at(&self, offset: u64) -> Position {
        Position { offset, ..self.broker.state(&self.channel).expect("it is there").head }
    }

    fn oldest(&self) -> u64 {
        self.broker.state(&self.channel).expect("it is there").before_oldest.offset
    }
}

/// Whether it is still waiting after a moment.
async fn waits(publishing: impl Future) -> bool {
    timeout(MOMENT, publishing).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn what_a_reader_has_not_had_is_kept_until_it_is_through_half_of_it() {
    let room = Room::new();
    let reader = room.reader();
    room.publish(10).await;
    assert!(waits(room.publish(1)).await, "there is no room");
    reader.reached(room.at(4));
    assert!(waits(room.publish(1)).await, "it would be asked for every message");
    reader.reached(room.at(5));
    assert_eq!(room.publish(5).await.last.offset, 15);
    assert_eq!(room.oldest(), 5, "nothing was taken from it");
    assert!(waits(room.publish(1)).await);
    drop(reader);
    assert_eq!(room.publish(20).await.last.offset, 35, "nobody is left to be waited for");
}

#[tokio::test(start_paused = true)]
async fn a_reader_has_publishers_wait_so_long_and_no_longer() {
    let room = Room::new();
    let (stuck, slow, fast) = (room.reader(), room.reader(), room.reader());
    room.publish(10).await;
    fast.reached(room.at(10));
    slow.reached(room.at(4));
    let begun = Instant::now();
    room.publish(1).await;
    assert!((PATIENCE..PATIENCE + MOMENT).contains(&begun.elapsed()));
    for (claim, is_lost) in [(&stuck, true), (&slow, true), (&fast, false)] {
        assert_eq!(timeout(MOMENT, claim.given_up()).await.is_ok(), is_lost);
    }
    // Who was too slow once holds nobody up again; the others still do.
    let begun = Instant::now();
    room.publish(9).await;
    assert!(begun.elapsed() < MOMENT);
    assert!(waits(room.publish(1)).await);
}

#[tokio::test(start_paused = true)]
async fn publishers_that_wait_have_their_turns_in_order() {
    let room = Arc::new(Room::new());
    let reader = room.reader();
    room.publish(10).await;
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let room = Arc::clone(&room);
            tokio::spawn(async move { room.publish(1).await.first.offset })
        })
        .collect();
    while room.oldest() < 20 {
        // As fast as it is published.
        sleep(limits::RETRY_PAUSE).await;
        reader.reached(room.broker.state(&room.channel).expect("it is there").head);
    }
    for (place, publisher) in waiting.into_iter().enumerate() {
        assert_eq!(publisher.await.expect("no panic"), 11 + place as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_are_kept_for_readers_as_messages_are_and_what_is_refused_does_not_wait() {
    let room = Room::new();
    let options = ChannelOptions {
        history_bytes_max: 9_000,
        patience: PATIENCE,
        ..ChannelOptions::default()
    };
    room.broker.declare(&room.channel, options);
    let reader = room.reader();
    let publish = |bytes: usize| {
        let batch = [Message::binary(vec![0; bytes])];
        let (broker, channel) = (&room.broker, &room.channel);
        async move { broker.publish(channel, &batch, None).await }
    };
    publish(1_000).await.expect("there is room");
    publish(1_000).await.expect("there is room");
    assert!(waits(publish(3_000)).await, "there is none");
    let refused = publish(limits::MESSAGE_BYTES_MAX + 1).await;
    assert_eq!(refused, Err(PublishError::TooLarge(limits::MESSAGE_BYTES_MAX + 1)));
    reader.reached(room.at(2));
    publish(3_000).await.expect("there is room");
    assert_eq!(room.oldest(), 2);
}
