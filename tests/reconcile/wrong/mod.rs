//! A wire that is wrong on purpose, between a server that is right and its readers: what it does to
//! them has to be noticed.

mod proxy;
mod unit;

use std::time::Duration;

use crate::{
    difference::Kind,
    round::{self, Report, Scene},
    session::Wire,
    target::Target,
};
pub(crate) use proxy::Proxy;

/// What the wire does now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    Nothing,
    SkipsAMessage,
    RepeatsAMessage,
    SwapsTwo,
    AltersAMessage,
    DeliversToAnotherChannel,
    ForgetsAGap,
    MiscountsAGap,
    BlamesTheReader,
    ResumesElsewhere,
    IsAheadOfItself,
    GoesOnAfterTheEnd,
    AcknowledgesWithoutAppending,
}

/// How long it goes on at least, and at most if the wire had no occasion to be wrong.
const TIME: [Duration; 2] = [Duration::from_millis(600), Duration::from_secs(15)];

/// A round over a wire that is wrong in one way. How often it was, too.
fn round_with(is_wrong: Break, wires: &[Wire]) -> (usize, Report) {
    let scene = Scene { wires: Some(wires.to_vec()), readers: 6, publishers: 2, ..Scene::node() };
    let target = Target::node(&scene);
    let proxy = Proxy::start(target.address(), is_wrong);
    scene.address.set(proxy.address()).expect("nobody has set it");
    let report = round::run(42, &scene, target, |time| {
        time < TIME[0] || (is_wrong.needs_an_occasion() && proxy.count() == 0 && time < TIME[1])
    });
    (proxy.count(), report)
}

impl Break {
    /// Whether it happens only when something happens, while messages are published.
    fn needs_an_occasion(self) -> bool {
        !matches!(self, Self::Nothing | Self::GoesOnAfterTheEnd)
    }
}

#[track_caller]
fn is_noticed(is_wrong: Break, wires: &[Wire], kinds: &[Kind]) {
    for &wire in wires {
        let (count, report) = round_with(is_wrong, &[wire]);
        assert!(count > 0, "{wire:?}: it had no occasion\n{report}");
        let found = report.differences.iter().any(|difference| kinds.contains(&difference.kind));
        let all: Vec<_> = report.differences.iter().take(5).map(ToString::to_string).collect();
        assert!(found, "{wire:?}: {count} times wrong, and found: {all:#?}\n{report}");
    }
}

/// The forms that never end.
const LIVE: [Wire; 4] = [Wire::Raw, Wire::V1, Wire::Events, Wire::NdJson];

/// Those that tell of gaps.
const TELLING: [Wire; 3] = [Wire::V1, Wire::Events, Wire::NdJson];

#[test]
fn a_wire_that_does_nothing_makes_no_difference() {
    let (count, report) = round_with(Break::Nothing, &LIVE);
    let all: Vec<_> = report.differences.iter().take(5).map(ToString::to_string).collect();
    assert_eq!((count, all), (0, Vec::new()));
}

#[test]
fn a_message_that_is_skipped_is_noticed() {
    is_noticed(Break::SkipsAMessage, &LIVE, &[Kind::Lost]);
}

#[test]
fn a_message_that_comes_twice_is_noticed() {
    is_noticed(Break::RepeatsAMessage, &LIVE, &[Kind::Order]);
}

#[test]
fn two_messages_that_change_places_are_noticed() {
    is_noticed(Break::SwapsTwo, &LIVE, &[Kind::Order]);
}

#[test]
fn a_message_that_is_altered_is_noticed() {
    is_noticed(Break::AltersAMessage, &LIVE, &[Kind::Altered, Kind::Strange]);
}

#[test]
fn a_message_of_another_channel_is_noticed() {
    is_noticed(Break::DeliversToAnotherChannel, &[Wire::V1], &[Kind::Misplaced]);
}

#[test]
fn a_gap_that_is_not_told_is_noticed() {
    is_noticed(Break::ForgetsAGap, &TELLING, &[Kind::Lost]);
}

#[test]
fn a_gap_whose_messages_are_miscounted_is_noticed() {
    is_noticed(Break::MiscountsAGap, &TELLING, &[Kind::Missing]);
}

#[test]
fn a_gap_for_a_reason_that_does_not_hold_is_noticed() {
    is_noticed(Break::BlamesTheReader, &TELLING, &[Kind::Gap]);
}

#[test]
fn a_close_that_says_the_wrong_position_is_noticed() {
    is_noticed(Break::ResumesElsewhere, &[Wire::Raw], &[Kind::Ending, Kind::Gap]);
}

#[test]
fn a_heartbeat_that_is_ahead_is_noticed() {
    is_noticed(Break::IsAheadOfItself, &[Wire::V1], &[Kind::Heartbeat]);
}

#[test]
fn what_comes_after_the_end_is_noticed() {
    is_noticed(Break::GoesOnAfterTheEnd, &TELLING, &[Kind::AfterTheEnd]);
}

#[test]
fn a_message_that_is_acknowledged_and_not_appended_is_noticed() {
    let kinds = [Kind::Receipt, Kind::Lost, Kind::Misplaced];
    is_noticed(Break::AcknowledgesWithoutAppending, &[Wire::NdJson], &kinds);
}
