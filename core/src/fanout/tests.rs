//! What readers who come and go, or take nothing, may cost.

use super::*;
use crate::ErrorCode;

fn fanout() -> Fanout {
    Fanout::new(Limits {
        ring_len_max: 10,
        ring_bytes_max: 1 << 20,
        outbox_bytes_max: 4 << 10,
        subscriptions_max: 8,
    })
}

fn name(text: &str) -> ChannelName {
    text.parse().expect("a name")
}

#[test]
fn readers_who_come_and_go_leave_nothing_behind_in_a_quiet_channel() {
    let mut fanout = fanout();
    let (channel, start) = (name("quiet"), Position::new(crate::Epoch(1), 0));
    let stays = fanout.connect(Form::V1, 0);
    fanout.subscribe(stays, &channel, None).expect("the first");
    fanout.attached(&channel, start);
    while fanout.next_ready(&mut 8).is_some() {}
    let index = fanout.names[&channel];
    for token in 1..1_000 {
        let comes = fanout.connect(Form::Raw, token);
        let subscription = fanout.subscribe(comes, &channel, None).expect("the first");
        fanout.start(subscription, start, None, SlowPolicy::Skip);
        fanout.disconnect(comes);
        assert!(fanout.rings[index].readers.len() <= 2, "those who left are forgotten");
    }
    assert_eq!(fanout.rings[index].subscriptions, 1);
}

#[test]
fn a_reader_who_takes_no_answers_gets_no_more_subscriptions() {
    let mut fanout = fanout();
    let reader = fanout.connect(Form::V1, 0);
    let refused = (0..).find_map(|number| {
        let subscribed = fanout.subscribe(reader, &name(&format!("none/{number}")), None);
        let Ok(subscription) = subscribed else { return subscribed.err() };
        fanout.refuse(subscription, ErrorCode::UnknownChannel, "there is no such channel");
        let waiting = fanout.reader(reader).expect("it is here").outbox_bytes();
        assert!(waiting <= 2 * fanout.limits.outbox_bytes_max, "{waiting} bytes wait");
        None
    });
    assert_eq!(refused, Some(SubscribeError::Stuck(OutboxFull)));
    // Nor is it told so: there is no room for that either.
    fanout.push(reader, Bytes::from_static(b"stuck")).expect_err("the outbox is full");
}

#[test]
fn readers_who_catch_up_do_not_keep_the_others_waiting() {
    let mut fanout = fanout();
    let (channel, start) = (name("busy"), Position::new(crate::Epoch(1), 0));
    let hungry: Vec<ReaderId> = (0..3).map(|token| fanout.connect(Form::Raw, token)).collect();
    let live = fanout.connect(Form::Raw, 3);
    let subscription = fanout.subscribe(live, &channel, None).expect("the first");
    fanout.attached(&channel, start);
    fanout.start(subscription, start, None, SlowPolicy::Skip);
    while fanout.next_ready(&mut 8).is_some() {}
    for reader in &hungry {
        fanout.again(*reader);
    }
    let position = Position::new(crate::Epoch(1), 1);
    let message = crate::Message::text("news");
    let time = jiff::Timestamp::UNIX_EPOCH;
    fanout.publish(&channel, [Arc::new(Publication::new(position, time, message.as_ref()))]);
    let mut visited = Vec::new();
    for _ in 0..4 {
        let reader = fanout.next_ready(&mut 8).expect("somebody always has something to write");
        if reader != live {
            fanout.again(reader);
        }
        visited.push(reader);
    }
    assert!(visited.contains(&live), "{visited:?}");
    // However many have something of their own, the slice ends.
    let mut slice = 8;
    while let Some(reader) = fanout.next_ready(&mut slice) {
        fanout.again(reader);
    }
    assert_eq!(slice, 0, "a slice bounds every kind of visit");
}

#[test]
fn figures_say_how_far_readers_are_and_what_those_had_who_have_gone() {
    let mut fanout = fanout();
    let (channel, start) = (name("busy"), Position::new(crate::Epoch(1), 0));
    let reads = fanout.connect(Form::Raw, 0);
    let stalls = fanout.connect(Form::V1, 1);
    for reader in [reads, stalls] {
        let subscription = fanout.subscribe(reader, &channel, None).expect("the first");
        fanout.attached(&channel, start);
        fanout.start(subscription, start, None, SlowPolicy::Skip);
    }
    let message = crate::MessageRef { kind: crate::Kind::Text, payload: b"four" };
    let publication = |offset| {
        let position = Position::new(crate::Epoch(1), offset);
        Arc::new(Publication::new(position, jiff::Timestamp::UNIX_EPOCH, message))
    };
    fanout.publish(&channel, (1..=3).map(publication));
    let mut slices = arrayvec::ArrayVec::new();
    let Transmit::Bytes(bytes) = fanout.poll_transmit(reads, 1 << 10, &mut slices) else {
        panic!("three messages wait")
    };
    drop(slices);
    fanout.sent(reads, bytes);
    let figures = fanout.figures();
    assert_eq!((figures.raw, figures.v1), (1, 1));
    let [one] = &figures.channels[..] else { panic!("there is one channel") };
    assert_eq!((one.readers, one.lagging, one.lag_max), (2, 1, 3));
    let expected = ChannelCounts { delivered: 3, bytes: 18, ..ChannelCounts::default() };
    assert_eq!(one.counts, expected);
    // With a ring of ten the reader that stalls falls out, and the distance is that of offsets.
    fanout.publish(&channel, (4..=20).map(publication));
    assert_eq!(fanout.figures().channels[0].lag_max, 20);
    assert!(fanout.take_departed().is_empty());
    for reader in [reads, stalls] {
        fanout.disconnect(reader);
    }
    assert_eq!(fanout.take_departed(), [(channel, expected)]);
    assert!(fanout.take_departed().is_empty() && fanout.figures().channels.is_empty());
}

/// What has become of readers since the last time, in words.
fn passages(fanout: &mut Fanout) -> Vec<String> {
    std::iter::from_fn(|| fanout.next_passage())
        .map(|passage| match passage {
            Passage::Came(id, channel) => format!("{} came to {channel}", id.number()),
            Passage::Left(id, channel) => format!("{} left {channel}", id.number()),
            Passage::Drained(_) => "drained".to_owned(),
        })
        .collect()
}

#[test]
fn whoever_has_begun_has_come_and_whoever_ends_has_left_however_that_is() {
    let (channel, start) = (name("busy"), Position::new(crate::Epoch(1), 0));
    let leave: [fn(&mut Fanout, ReaderId, SubscriptionId); 5] = [
        |fanout, reader, _| fanout.disconnect(reader),
        |fanout, reader, _| assert!(fanout.unsubscribe(reader, &name("busy"))),
        |fanout, reader, _| fanout.close(reader, CloseCode::GOING_AWAY, ""),
        |fanout, reader, _| fanout.finish(reader, &CloseReason::new(CloseCode::NORMAL, "")),
        |fanout, _, subscription| fanout.refuse(subscription, ErrorCode::UnknownChannel, "it went"),
    ];
    for leave in leave {
        let mut fanout = fanout();
        let reader = fanout.connect(Form::V1, 0);
        let subscription = fanout.subscribe(reader, &channel, None).expect("the first");
        assert_eq!(passages(&mut fanout), [""; 0], "it has not begun");
        fanout.attached(&channel, start);
        fanout.start(subscription, start, None, SlowPolicy::Skip);
        let number = subscription.number();
        assert_eq!(passages(&mut fanout), [format!("{number} came to busy")]);
        leave(&mut fanout, reader, subscription);
        assert_eq!(passages(&mut fanout), [format!("{number} left busy")]);
        fanout.disconnect(reader);
        assert_eq!(passages(&mut fanout), [""; 0], "nobody leaves twice");
    }
}

#[test]
fn it_is_said_once_when_a_reader_has_taken_all_its_replies() {
    let mut fanout = fanout();
    let reader = fanout.connect(Form::V1, 0);
    fanout.push(reader, Bytes::from_static(b"four")).expect("there is room");
    fanout.push(reader, Bytes::from_static(b"five!")).expect("there is room");
    fanout.watch_drain(reader);
    assert_eq!(fanout.waiting(reader), 9);
    for bytes in [3, 2, 3] {
        fanout.sent(reader, bytes);
        assert_eq!(passages(&mut fanout), [""; 0], "some of it is still there");
    }
    fanout.sent(reader, 1);
    assert_eq!(passages(&mut fanout), ["drained"]);
    fanout.push(reader, Bytes::from_static(b"six")).expect("there is room");
    fanout.sent(reader, 3);
    assert_eq!(passages(&mut fanout), [""; 0], "it was to be said once");
}
