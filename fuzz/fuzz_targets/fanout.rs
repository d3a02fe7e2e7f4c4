//! Whatever the order of events, every reader has every message in order or was told of a gap that
//! really was one.
//!
//! The first two bytes are the lengths of history and ring; then a step is a byte that says which,
//! followed by what it needs.
#![no_main]

#[path = "../../core/tests/fanout/account.rs"]
mod account;
#[path = "../../core/tests/fanout/model.rs"]
mod model;

use enchufe_core::{Form, SlowPolicy};
use libfuzzer_sys::fuzz_target;
use model::{Step, Wish, World};

/// Beyond this, steps only repeat each other.
const STEPS_MAX: usize = 500;

fuzz_target!(|data: &[u8]| {
    let mut bytes = data.iter().copied();
    let (Some(kept), Some(ring)) = (bytes.next(), bytes.next()) else { return };
    let mut world = World::new(1 + usize::from(kept % 30), 1 + usize::from(ring % 12));
    for _ in 0..STEPS_MAX {
        let Some(step) = step(&mut bytes) else { break };
        world.step(step);
    }
    world.reconcile();
});

fn step(bytes: &mut impl Iterator<Item = u8>) -> Option<Step> {
    Some(match bytes.next()? % 15 {
        0 => Step::Publish { channel: bytes.next()?, count: bytes.next()? % 12 },
        1 => Step::PublishBehind { channel: bytes.next()?, count: bytes.next()? % 12 },
        2 => Step::CatchUp(bytes.next()?),
        3 => Step::End(bytes.next()?),
        4 => Step::Connect { form: Form::Raw, wish: wish(bytes)? },
        5 => Step::Connect { form: Form::V1, wish: wish(bytes)? },
        6 => Step::Subscribe { reader: bytes.next()?, wish: wish(bytes)? },
        7 => Step::Unsubscribe { reader: bytes.next()?, channel: bytes.next()? },
        8 => match bytes.next()? {
            reader @ 0..128 => Step::Heartbeat(reader),
            reader => Step::Disconnect(reader),
        },
        9 => Step::Accept { reader: bytes.next()?, bytes: u16::from(bytes.next()?) },
        10 => Step::Writable(bytes.next()?),
        11 => Step::Actions,
        13 => Step::Elapse(bytes.next()?),
        14 => Step::Window { channel: bytes.next()?, ms: bytes.next()? },
        _ => Step::Flush,
    })
}

fn wish(bytes: &mut impl Iterator<Item = u8>) -> Option<Wish> {
    let choice = bytes.next()?;
    let slow =
        [SlowPolicy::Skip, SlowPolicy::Latest, SlowPolicy::Cut][usize::from(choice >> 1) % 3];
    Some(Wish { channel: choice, back: bytes.next()? % 20, slow })
}
