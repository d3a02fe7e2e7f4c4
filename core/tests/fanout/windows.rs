//! Channels that have messages wait for others, so that they leave together.

use std::time::Duration;

use enchufe_core::{
    Form, SlowPolicy,
    fanout::{Limits, SLICES_MAX},
    ws::CloseCode,
};
use proptest::prelude::*;

use crate::{
    model::{at, name},
    stage::{Stage, limits},
};

const WINDOW: Duration = Duration::from_millis(5);

/// A reader of a channel with a window.
fn stage(form: Form) -> Stage {
    let limits = Limits { ring_len_max: 1_000, ..limits() };
    let mut stage = Stage::new(form, SlowPolicy::Skip, limits);
    stage.fanout.set_window(&name(0), WINDOW);
    while stage.fanout.next_ready(&mut 9).is_some() {}
    stage
}

fn elapse(stage: &mut Stage, ms: u64) {
    stage.fanout.elapse(Duration::from_millis(ms));
}

/// What the readers whose turn it is have to be sent, each with one write.
fn swept(stage: &mut Stage) -> Vec<Vec<String>> {
    let mut writes = Vec::new();
    while stage.fanout.next_ready(&mut 9).is_some() {
        writes.push(stage.taken());
    }
    writes.retain(|write| !write.is_empty());
    writes
}

const NOTHING: [[&str; 0]; 0] = [];

#[test]
fn messages_wait_from_the_first_of_them_on_and_leave_together() {
    let mut stage = stage(Form::Raw);
    elapse(&mut stage, 100);
    stage.publish(1..=1);
    assert_eq!(stage.fanout.next_due(), Some(Duration::from_millis(105)));
    elapse(&mut stage, 104);
    stage.publish(2..=3);
    assert_eq!(swept(&mut stage), NOTHING);
    assert!(!stage.fanout.has_ready());
    elapse(&mut stage, 105);
    assert_eq!(swept(&mut stage), [["1", "2", "3"]]);
    // The next one waits as long.
    assert_eq!(stage.fanout.next_due(), None);
    stage.publish(4..=4);
    assert_eq!(stage.fanout.next_due(), Some(Duration::from_millis(110)));
    elapse(&mut stage, 2_000);
    assert_eq!(swept(&mut stage), [["4"]]);
}

#[test]
fn without_a_window_they_go_at_once() {
    let mut stage = stage(Form::Raw);
    stage.publish(1..=1);
    stage.fanout.set_window(&name(0), Duration::ZERO);
    assert_eq!(swept(&mut stage), [["1"]]);
    stage.publish(2..=2);
    assert_eq!(swept(&mut stage), [["2"]]);
    assert_eq!(stage.fanout.next_due(), None);
}

#[test]
fn who_has_something_to_write_anyway_gets_what_waits_with_it() {
    let mut stage = stage(Form::Raw);
    stage.publish(1..=1);
    stage.fanout.blocked(stage.reader);
    stage.fanout.writable(stage.reader);
    assert_eq!(swept(&mut stage), [["1"]]);
}

#[test]
fn who_is_catching_up_waits_for_no_window() {
    let mut stage = stage(Form::Raw);
    stage.publish(1..=3);
    let late = stage.fanout.connect(Form::Raw, 1);
    let subscription = stage.fanout.subscribe(late, &name(0), None).expect("the first");
    stage.fanout.start(subscription, at(1), None, SlowPolicy::Skip);
    assert_eq!(stage.fanout.next_ready(&mut 9), Some(late));
    stage.reader = late;
    assert_eq!(stage.taken(), ["2", "3"]);
    assert_eq!(swept(&mut stage), NOTHING, "the other waits on");
}

#[test]
fn an_end_a_close_and_a_tail_that_begins_again_wait_for_no_window() {
    let mut ends = stage(Form::V1);
    ends.publish(1..=1);
    ends.end(at(1));
    assert_eq!(swept(&mut ends), [["1", "end e-1"]]);

    let mut closes = stage(Form::Raw);
    closes.publish(1..=1);
    closes.fanout.close(closes.reader, CloseCode::GOING_AWAY, "");
    // It resumes before what waited.
    assert_eq!(swept(&mut closes), [["close 1001 e-0"]]);

    let mut again = stage(Form::Raw);
    again.publish(1..=1);
    again.fanout.attached(&name(0), at(1));
    assert_eq!(swept(&mut again), NOTHING);
    // It had to be visited for that.
    assert!(again.fanout.next_action().is_some(), "it asks for history at once");
}

#[test]
fn what_fills_a_write_or_half_the_ring_waits_no_longer() {
    let mut stage = stage(Form::Raw);
    let most = SLICES_MAX as u64;
    stage.publish(1..=most - 1);
    assert!(!stage.fanout.has_ready());
    stage.publish(most..=most);
    assert!(stage.fanout.has_ready() && stage.fanout.next_due().is_none());

    for limits in [
        Limits { ring_len_max: 4, ..limits() },
        Limits { ring_len_max: 1_000, ring_bytes_max: 2_000, ..limits() },
    ] {
        let mut stage = Stage::new(Form::Raw, SlowPolicy::Skip, limits);
        stage.fanout.set_window(&name(0), WINDOW);
        while stage.fanout.next_ready(&mut 9).is_some() {}
        stage.publish(1..=1);
        assert!(!stage.fanout.has_ready());
        stage.publish(2..=4);
        assert_eq!(swept(&mut stage), [["1", "2", "3", "4"]], "nothing fell out of the ring");
    }
}

#[test]
fn a_channel_that_is_let_go_of_is_due_no_more() {
    let mut stage = stage(Form::Raw);
    stage.publish(1..=1);
    stage.fanout.disconnect(stage.reader);
    assert_eq!(stage.fanout.next_due(), None);
    elapse(&mut stage, 1_000);
    assert!(!stage.fanout.has_ready());
}

#[test]
fn what_comes_during_a_sweep_waits_for_those_who_were_visited_and_for_nobody_else() {
    let mut stage = stage(Form::Raw);
    let first = stage.reader;
    let second = stage.fanout.connect(Form::Raw, 1);
    let subscription = stage.fanout.subscribe(second, &name(0), None).expect("the first");
    stage.fanout.start(subscription, at(0), None, SlowPolicy::Skip);
    while stage.fanout.next_ready(&mut 9).is_some() {}
    stage.publish(1..=1);
    elapse(&mut stage, 5);
    assert_eq!(stage.fanout.next_ready(&mut 9), Some(first));
    assert_eq!(stage.taken(), ["1"]);
    stage.publish(2..=2);
    assert_eq!(stage.fanout.next_ready(&mut 9), Some(second));
    stage.reader = second;
    assert_eq!(stage.taken(), ["1", "2"]);
    assert_eq!(stage.fanout.next_ready(&mut 9), None);
    elapse(&mut stage, 10);
    assert_eq!(stage.fanout.next_ready(&mut 9), Some(first));
    stage.reader = first;
    assert_eq!(stage.taken(), ["2"]);
}

proptest! {
    /// The naive way: a message leaves when the window has passed since the first one that waits,
    /// or when as many wait as one write takes.
    #[test]
    fn each_message_leaves_when_its_window_says(
        pauses_and_counts in prop::collection::vec((0..9u64, 0..40u64), 1..60),
        window in 0..20u64,
    ) {
        let mut stage = stage(Form::Raw);
        stage.fanout.set_window(&name(0), Duration::from_millis(window));
        let (mut now, mut published, mut waiting, mut due) = (0, 0, 0, None);
        for (pause, count) in pauses_and_counts {
            for _ in 0..pause {
                now += 1;
                elapse(&mut stage, now);
                let is_due = due == Some(now);
                let taken: usize = swept(&mut stage).iter().map(Vec::len).sum();
                prop_assert_eq!(taken, if is_due { waiting } else { 0 });
                if is_due {
                    (waiting, due) = (0, None);
                }
            }
            stage.publish(published + 1..=published + count);
            published += count;
            waiting += usize::try_from(count).expect("small");
            if waiting > 0 && due.is_none() {
                due = Some(now + window);
            }
            if waiting >= SLICES_MAX || window == 0 {
                let taken: usize = swept(&mut stage).iter().map(Vec::len).sum();
                prop_assert_eq!(taken, waiting);
                (waiting, due) = (0, None);
            }
        }
    }
}
