//! The fan-out against a naive model: whatever the order of events, every reader has every
//! message in order or was told of a gap that really was one.

mod account;
mod bounds;
mod model;
mod policies;
mod stage;
mod windows;

use std::sync::Arc;

use arrayvec::ArrayVec;
use enchufe_core::{
    ChannelName, Form, SlowPolicy,
    fanout::{SLICES_MAX, Transmit},
};
use model::{Step, Wish, World, at, name};
use proptest::prelude::*;

fn wish() -> impl Strategy<Value = Wish> {
    let slow = prop_oneof![Just(SlowPolicy::Skip), Just(SlowPolicy::Latest), Just(SlowPolicy::Cut)];
    (0..2u8, 0..20u8, slow).prop_map(|(channel, back, slow)| Wish { channel, back, slow })
}

fn step() -> impl Strategy<Value = Step> {
    let form = prop_oneof![Just(Form::Raw), Just(Form::V1)];
    let reader = any::<u8>();
    let (channel, count) = (0..2u8, 1..12u8);
    let some = (channel.clone(), count);
    prop_oneof![
        8 => some.clone().prop_map(|(channel, count)| Step::Publish { channel, count }),
        1 => some.prop_map(|(channel, count)| Step::PublishBehind { channel, count }),
        1 => channel.clone().prop_map(Step::CatchUp),
        1 => channel.clone().prop_map(Step::End),
        2 => (form, wish()).prop_map(|(form, wish)| Step::Connect { form, wish }),
        1 => (reader, wish()).prop_map(|(reader, wish)| Step::Subscribe { reader, wish }),
        1 => (reader, channel)
            .prop_map(|(reader, channel)| Step::Unsubscribe { reader, channel }),
        1 => reader.prop_map(Step::Disconnect),
        4 => (reader, 0..300u16).prop_map(|(reader, bytes)| Step::Accept { reader, bytes }),
        2 => reader.prop_map(Step::Writable),
        1 => reader.prop_map(Step::Heartbeat),
        2 => any::<u8>().prop_map(Step::Elapse),
        1 => (0..2u8, prop_oneof![Just(0), any::<u8>()])
            .prop_map(|(channel, ms)| Step::Window { channel, ms }),
        4 => Just(Step::Actions),
        4 => Just(Step::Flush),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn every_reader_has_everything_or_was_told(
        steps in prop::collection::vec(step(), 1..120),
        kept in 1..30usize,
        ring in 1..12usize,
    ) {
        let mut world = World::new(kept, ring);
        for step in steps {
            world.step(step);
        }
        world.reconcile();
    }
}

fn connect(world: &mut World, form: Form) {
    let wish = Wish { channel: 0, back: 0, slow: SlowPolicy::Skip };
    world.step(Step::Connect { form, wish });
}

#[test]
fn frames_are_borrowed_from_the_publication() {
    let mut world = World::new(10, 10);
    for _ in 0..3 {
        connect(&mut world, Form::Raw);
    }
    world.actions();
    world.step(Step::Publish { channel: 0, count: 1 });
    let frame = world.channels[0].log[0].frame(Form::Raw, &name(0)).as_ptr();
    let mut slice = 10;
    while let Some(id) = world.fanout.next_ready(&mut slice) {
        let mut slices = ArrayVec::<_, SLICES_MAX>::new();
        if let Transmit::Bytes(bytes) = world.fanout.poll_transmit(id, 1 << 16, &mut slices) {
            assert_eq!(slices[0].as_ptr(), frame);
            drop(slices);
            world.fanout.sent(id, bytes);
        }
    }
    assert_eq!(world.fanout.counts().delivered, 3);
    assert_eq!(world.fanout.counts().pinned, 0);
}

#[test]
fn a_reader_who_takes_no_replies_is_reported() {
    let mut world = World::new(10, 10);
    connect(&mut world, Form::V1);
    world.actions();
    let id = world.viewers[0].id;
    let frame = bytes::Bytes::from(vec![0; 1 << 19]);
    world.fanout.push(id, frame.clone()).expect("there is room");
    world.fanout.push(id, frame).expect_err("there is none");
}

#[test]
fn channels_take_turns() {
    let mut world = World::new(10, 10);
    let names: [ChannelName; 2] = [name(0), name(1)];
    for token in 0..4 {
        let id = world.fanout.connect(Form::Raw, token);
        let name = &names[token % 2];
        let sub = world.fanout.subscribe(id, name, None).expect("the first");
        world.fanout.attached(name, at(0));
        world.fanout.start(sub, at(0), None, SlowPolicy::Skip);
    }
    let mut slice = 100;
    while world.fanout.next_ready(&mut slice).is_some() {}
    let message = enchufe_core::Message::text("1");
    let time = jiff::Timestamp::UNIX_EPOCH;
    let publication = Arc::new(enchufe_core::Publication::new(at(1), time, message.as_ref()));
    for name in &names {
        world.fanout.publish(name, [Arc::clone(&publication)]);
    }
    let mut order = Vec::new();
    while world.fanout.has_ready() {
        let mut slice = 1;
        while let Some(id) = world.fanout.next_ready(&mut slice) {
            order.push(world.fanout.token(id).expect("it is here"));
        }
    }
    assert_eq!(order, [0, 1, 2, 3]);
}
