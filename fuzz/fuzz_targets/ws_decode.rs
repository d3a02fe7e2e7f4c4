//! A stream decodes as the naive model says, however it is cut.
#![no_main]

#[path = "../../core/tests/ws/model.rs"]
mod model;
#[path = "../../core/tests/ws/run.rs"]
#[expect(dead_code, reason = "the examples among the tests use what is not needed here")]
mod run;

use enchufe_core::ws::{Limits, Role};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((choice, stream)) = data.split_first() else { return };
    let role = if choice & 1 == 0 { Role::Server } else { Role::Client };
    let message_bytes_max = [1 << 20, 200, 64, 0][usize::from(choice >> 1 & 3)];
    let limits = Limits { message_bytes_max, fragment_overhead_bytes: 16 };

    // Compares every way to cut the stream with the whole.
    let outcome = run::decode(stream, role, limits);
    let (events, code) = model::decode(stream, role, limits);
    assert_eq!(outcome.events, events);
    assert_eq!(outcome.violation.map(|violation| violation.code), code);
});
