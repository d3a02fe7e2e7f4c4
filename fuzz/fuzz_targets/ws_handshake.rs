//! Any head of a request is accepted or refused with a fitting answer.
#![no_main]

#[path = "../../core/tests/ws/model.rs"]
mod model;
#[path = "../../core/tests/ws/naive_inflate.rs"]
#[expect(dead_code, reason = "only the tests look at distances")]
mod naive_inflate;
#[path = "../../core/tests/ws/run.rs"]
#[expect(dead_code, reason = "the examples among the tests use what is not needed here")]
mod run;
#[path = "../../core/tests/ws/targets.rs"]
#[expect(dead_code, reason = "each target is a program of its own")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::handshake(data));
