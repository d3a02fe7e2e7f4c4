//! What becomes of readers that do not keep up, and what they are told.

use enchufe_core::{
    Epoch, Form, Gap, GapReason, Position, SlowPolicy,
    fanout::{Action, Page},
};

use crate::{
    model::{at, name},
    stage::{Stage, limits, publication},
};

fn stage(form: Form, slow: SlowPolicy) -> Stage {
    Stage::new(form, slow, limits())
}

/// Answers the one question for history that is open.
fn answer(stage: &mut Stage, gap: Option<Gap>, through: Position) {
    let action = stage.fanout.next_action();
    assert!(matches!(action, Some(Action::History { .. })), "{action:?}");
    stage.fanout.page(stage.subscription, Page { items: Vec::new(), gap, through });
}

#[test]
fn a_reader_that_wants_it_so_is_cut_with_the_position_to_resume_after() {
    let mut stage = stage(Form::Raw, SlowPolicy::Cut);
    stage.publish(1..=3);
    stage.publish(4..=5);
    assert_eq!(stage.taken(), ["close 4001 e-0"]);
    assert_eq!(stage.fanout.counts().cut, 1);
}

#[test]
fn a_reader_that_has_everything_is_not_cut_when_its_shard_begins_again() {
    for slow in [SlowPolicy::Cut, SlowPolicy::Latest, SlowPolicy::Skip] {
        let mut stage = stage(Form::Raw, slow);
        stage.publish(1..=1);
        assert_eq!(stage.taken(), ["1"]);
        stage.fanout.attached(&name(0), at(1));
        stage.publish(2..=2);
        assert_eq!(stage.taken(), ["2"], "{slow:?}");
        assert_eq!(stage.fanout.next_action(), None, "it needs no history");
    }
}

#[test]
fn a_reader_that_was_up_to_date_misses_what_it_misses_because_it_is_slow() {
    let mut stage = stage(Form::V1, SlowPolicy::Skip);
    stage.publish(1..=9);
    assert_eq!(stage.taken(), [""; 0], "history comes first");
    let reason = GapReason::Expired;
    answer(&mut stage, Some(Gap { after: at(0), next: at(5), reason, missing: Some(4) }), at(7));
    assert_eq!(stage.taken(), ["slow e-0 e-5", "8", "9"]);
    assert_eq!(stage.fanout.counts().gaps, 1);
    assert_eq!(stage.fanout.counts().delivered, 2);
}

#[test]
fn a_reader_that_came_late_misses_what_has_expired() {
    let mut stage = stage(Form::V1, SlowPolicy::Skip);
    stage.publish(1..=9);
    assert!(stage.fanout.unsubscribe(stage.reader, &name(0)));
    stage.subscription = stage.fanout.subscribe(stage.reader, &name(0), None).expect("again");
    while stage.fanout.next_action().is_some() {}
    stage.fanout.attached(&name(0), at(9));
    stage.fanout.start(stage.subscription, at(1), None, SlowPolicy::Skip);
    let reason = GapReason::Expired;
    answer(&mut stage, Some(Gap { after: at(1), next: at(9), reason, missing: Some(7) }), at(9));
    assert_eq!(stage.taken(), ["subscribed e-1", "expired e-1 e-9"]);
}

#[test]
fn a_gap_known_at_the_start_is_told_first() {
    let reset = Gap { after: at(40), next: at(1), reason: GapReason::Reset, missing: None };
    for (form, told) in [
        (Form::V1, ["subscribed e-0", "reset e-40 e-1"].as_slice()),
        (Form::Raw, ["close 4002 e-0"].as_slice()),
    ] {
        let mut stage = stage(form, SlowPolicy::Skip);
        let reader = stage.fanout.connect(form, 1);
        let subscription = stage.fanout.subscribe(reader, &name(0), None).expect("the first");
        stage.fanout.start(subscription, at(0), Some(reset), SlowPolicy::Skip);
        stage.reader = reader;
        assert_eq!(stage.taken(), told);
    }
}

#[test]
fn a_log_that_begins_anew_is_a_gap_even_when_its_offsets_look_familiar() {
    let mut stage = stage(Form::V1, SlowPolicy::Skip);
    stage.publish(1..=1);
    assert_eq!(stage.taken(), ["1"]);
    let anew = |offset| Position::new(Epoch(0xf), offset);
    stage.fanout.attached(&name(0), anew(0));
    stage.fanout.publish(&name(0), [publication(anew(1)), publication(anew(2))]);
    assert_eq!(stage.taken(), [""; 0], "history says what has become of the log");
    let gap = Gap { after: at(1), next: anew(1), reason: GapReason::Reset, missing: None };
    answer(&mut stage, Some(gap), anew(0));
    assert_eq!(stage.taken(), ["reset e-1 f-1", "1", "2"]);
}

#[test]
fn a_reader_of_the_newest_that_takes_nothing_gathers_no_notices() {
    let mut stage = stage(Form::V1, SlowPolicy::Latest);
    for offset in 1..=50 {
        stage.publish(2 * offset - 1..=2 * offset);
        stage.offered(1 << 16);
    }
    let told = stage.taken();
    assert_eq!(told, ["conflated e-0 e-2", "conflated e-1 e-100", "100"]);
    assert_eq!(stage.fanout.counts().gaps, 0, "it asked for that");
    assert!(stage.fanout.counts().conflated > 0);
}

#[test]
fn a_prompt_reader_of_the_newest_misses_nothing() {
    let mut stage = stage(Form::V1, SlowPolicy::Latest);
    for offset in 1..=5 {
        stage.publish(offset..=offset);
        assert_eq!(stage.taken(), [offset.to_string()]);
    }
}
