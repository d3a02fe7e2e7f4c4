//! What readers may cost, whose turn it is, and how it ends.

use enchufe_core::{
    Form, SlowPolicy,
    fanout::{Action, Limits, SLICES_MAX, SubscribeError, Transmit},
    ws::CloseCode,
};

use crate::{
    model::{at, name},
    stage::{Stage, limits, publication},
};

fn stage(form: Form) -> Stage {
    Stage::new(form, SlowPolicy::Skip, Limits { ring_len_max: 1_000, ..limits() })
}

#[test]
fn one_write_takes_no_more_than_it_may() {
    let mut stage = stage(Form::Raw);
    stage.publish(1..=9);
    assert_eq!(stage.offered(1), 3, "one frame goes whatever its length");
    assert_eq!(stage.offered(4), 6);
    assert_eq!(stage.offered(1 << 16), 27);
    stage.publish(10..=500);
    let most = stage.offered(1 << 16);
    assert_eq!(most, 27 + (SLICES_MAX - 9) * 4);
}

#[test]
fn a_ring_is_bounded_in_bytes_but_keeps_the_newest() {
    let frame = publication(at(1)).cost();
    for (ring_bytes_max, kept) in [(0, 1), (2 * frame, 2), (3 * frame - 1, 2)] {
        let limits = Limits { ring_bytes_max, ring_len_max: 1_000, ..limits() };
        let mut stage = Stage::new(Form::Raw, SlowPolicy::Skip, limits);
        stage.publish(1..=kept);
        assert_eq!(stage.taken().len() as u64, kept);
        stage.publish(kept + 1..=3 * kept);
        assert_eq!(stage.taken(), [""; 0]);
        assert!(matches!(stage.fanout.next_action(), Some(Action::History { .. })), "{kept}");
    }
}

#[test]
fn subscriptions_are_refused_with_a_word_for_programs() {
    let mut stage = stage(Form::V1);
    let (fanout, reader) = (&mut stage.fanout, stage.reader);
    let mut refused = |channel| fanout.subscribe(reader, &name(channel), None).err();
    assert_eq!(refused(0), Some(SubscribeError::Already));
    assert_eq!(refused(1), None);
    assert_eq!(refused(2), Some(SubscribeError::TooMany(2)));
    stage.fanout.close(reader, CloseCode::GOING_AWAY, "");
    let closing = stage.fanout.subscribe(reader, &name(2), None);
    assert_eq!(closing, Err(SubscribeError::Closing));
}

#[test]
fn nothing_follows_the_close() {
    let mut stage = stage(Form::V1);
    stage.publish(1..=2);
    stage.fanout.close(stage.reader, CloseCode::GOING_AWAY, "bye");
    stage.fanout.close(stage.reader, CloseCode::SLOW, "again");
    stage.fanout.push(stage.reader, bytes::Bytes::from_static(b"late")).expect("it is dropped");
    stage.fanout.heartbeat(stage.reader);
    stage.publish(3..=3);
    assert_eq!(stage.taken(), ["close 1001 bye"]);
    let mut slices = arrayvec::ArrayVec::new();
    let transmit = stage.fanout.poll_transmit(stage.reader, 1, &mut slices);
    assert_eq!(transmit, Transmit::Closed);
}

#[test]
fn a_reader_who_takes_nothing_gathers_no_heartbeats() {
    let mut stage = stage(Form::V1);
    stage.publish(1..=1);
    stage.fanout.heartbeat(stage.reader);
    assert_eq!(stage.taken(), ["1"], "one that has something to read needs none");
    for _ in 0..100 {
        stage.fanout.heartbeat(stage.reader);
    }
    assert_eq!(stage.taken(), ["position e-1"]);
}

#[test]
fn a_blocked_reader_has_no_turn_until_it_can_write() {
    let mut stage = stage(Form::Raw);
    let visited = |stage: &mut Stage| {
        let mut visits = 0;
        let mut slice = 100;
        while stage.fanout.next_ready(&mut slice).is_some() {
            visits += 1;
        }
        visits
    };
    visited(&mut stage);
    stage.publish(1..=1);
    assert_eq!(visited(&mut stage), 1);
    stage.fanout.again(stage.reader);
    stage.fanout.blocked(stage.reader);
    stage.publish(2..=2);
    assert_eq!(visited(&mut stage), 0);
    stage.fanout.writable(stage.reader);
    assert_eq!(visited(&mut stage), 1);
    stage.fanout.again(stage.reader);
    assert_eq!(visited(&mut stage), 1);
}

#[test]
fn what_is_published_during_a_sweep_is_swept_too() {
    let mut stage = stage(Form::Raw);
    while stage.fanout.next_ready(&mut 9).is_some() {}
    stage.publish(1..=1);
    assert!(stage.fanout.next_ready(&mut 9).is_some());
    assert_eq!(stage.taken(), ["1"]);
    stage.publish(2..=2);
    assert!(stage.fanout.next_ready(&mut 9).is_some(), "the sweep begins again");
    assert_eq!(stage.taken(), ["2"]);
    assert!(stage.fanout.next_ready(&mut 9).is_none() && !stage.fanout.has_ready());
}

#[test]
fn the_channels_of_one_connection_take_turns() {
    let mut stage = stage(Form::V1);
    let other = stage.fanout.subscribe(stage.reader, &name(1), None).expect("the second");
    stage.fanout.attached(&name(1), at(0));
    stage.fanout.start(other, at(0), None, SlowPolicy::Skip);
    stage.taken();
    stage.publish(1..=4);
    stage.fanout.publish(&name(1), (11..=14).map(|offset| publication(at(offset))));
    let mut order = Vec::new();
    for _ in 0..8 {
        let mut slices = arrayvec::ArrayVec::<_, SLICES_MAX>::new();
        stage.fanout.poll_transmit(stage.reader, 1, &mut slices);
        let frame = slices[0].to_vec();
        drop(slices);
        stage.fanout.sent(stage.reader, frame.len());
        let text = String::from_utf8_lossy(&frame).into_owned();
        order.push(u8::from(text.contains("channel/1")));
    }
    assert!(order.windows(2).all(|pair| pair[0] != pair[1]), "{order:?}");
}

#[test]
fn a_channel_whose_last_reader_leaves_is_let_go_of() {
    let mut stage = stage(Form::V1);
    assert_eq!(stage.fanout.unfinished(), 1);
    stage.publish(1..=1);
    stage.end(at(1));
    assert_eq!(stage.fanout.unfinished(), 1);
    assert_eq!(stage.taken(), ["1", "end e-1"]);
    assert_eq!(stage.fanout.unfinished(), 0);
    stage.fanout.disconnect(stage.reader);
    assert_eq!(stage.fanout.unfinished(), 0);
    assert_eq!(stage.fanout.next_action(), Some(Action::Detach(name(0))));
    assert_eq!(stage.fanout.token(stage.reader), None);
    assert_eq!(stage.fanout.next_ready(&mut 9), None);
}

#[test]
fn half_a_frame_is_finished_before_anything_else() {
    let mut stage = stage(Form::Raw);
    stage.publish(1..=2);
    stage.fanout.sent(stage.reader, 1);
    assert_eq!(stage.fanout.counts().pinned, 1);
    // What the ring no longer has is pinned for as long as it takes.
    stage.publish(3..=2_000);
    stage.fanout.close(stage.reader, CloseCode::GOING_AWAY, "");
    let mut slices = arrayvec::ArrayVec::<_, SLICES_MAX>::new();
    stage.fanout.poll_transmit(stage.reader, 1 << 16, &mut slices);
    assert_eq!(slices[0], b"\x011");
    assert_eq!(&slices[1][2..], b"\x03\xe9e-1");
}
