//! The reconciler: publishers publish numbered messages, readers of every wire form stall, leave,
//! come back and change their form, and what each of them has is compared, position by position,
//! with what was acknowledged.
//!
//! Everything that is chosen comes from one seed, which is said; the timing does not.

mod account;
#[path = "../common/mod.rs"]
mod common;
mod difference;
#[allow(dead_code, unreachable_pub, reason = "this test binary uses a part of it")]
#[path = "../cli/harness.rs"]
mod harness;
mod message;
mod publisher;
mod reader;
mod round;
mod session;
mod target;
mod truth;
mod wrong;

use std::time::{Duration, Instant};

use round::{Report, Scene};
use target::Target;

/// How long it takes, unless `ENCHUFE_RECONCILE_SECONDS` says otherwise.
const SECONDS: u64 = 16;

/// How long a round takes at most. Everything of a round is kept until its end.
const ROUND_SECONDS_MAX: u64 = 10;

/// How many differences are shown.
const SHOWN: usize = 20;

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not '{text}'")))
}

#[expect(clippy::print_stderr, reason = "whoever runs it for long wants to know how it stands")]
fn say(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

#[test]
fn every_reader_has_what_was_acknowledged_or_was_told() {
    let seed = from_environment("ENCHUFE_RECONCILE_SEED").unwrap_or_else(|| fastrand::u64(..));
    let seconds = from_environment("ENCHUFE_RECONCILE_SECONDS").unwrap_or(SECONDS);
    say(format_args!("ENCHUFE_RECONCILE_SEED={seed} ENCHUFE_RECONCILE_SECONDS={seconds}"));
    let round_time = Duration::from_secs(seconds.div_ceil(4).min(ROUND_SECONDS_MAX));
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut all = Report::default();
    for number in 0.. {
        if Instant::now() >= end || !all.differences.is_empty() {
            break;
        }
        let scene = match number % 4 {
            0 | 2 => Scene::node(),
            other => Scene::program(other == 3),
        };
        let target = match number % 2 {
            0 => Target::node(&scene),
            _ => Target::program(&scene),
        };
        scene.address.set(target.address()).expect("nobody has set it");
        let report = round::run(seed ^ number, &scene, target, |time| time < round_time);
        all.add(report);
        say(format_args!("round {number}:\n{all}"));
    }
    for difference in all.differences.iter().take(SHOWN) {
        say(difference);
    }
    assert!(all.differences.is_empty(), "{} differences", all.differences.len());
    assert!(all.count("messages acknowledged") > 100, "hardly anything was published");
}
