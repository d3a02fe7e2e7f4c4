//! A short run of the fuzz targets: their seeds, and inputs made from them, always the same ones.

use std::{fs, path::Path};

use crate::targets;

/// How many inputs are made for each target.
const INPUTS: usize = 3_000;

/// How long they are at most.
const INPUT_BYTES_MAX: usize = 400;

fn run(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .expect("the target has seeds")
        .map(|entry| entry.expect("a seed").path())
        .collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> =
        paths.iter().map(|path| fs::read(path).expect("a seed is readable")).collect();
    seeds.iter().for_each(|seed| check(seed));

    let mut random = fastrand::Rng::with_seed(7692);
    for _ in 0..INPUTS {
        let mut input = seeds[random.usize(..seeds.len())].clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..=input.len());
            match random.u8(..5) {
                0 => input.insert(at, random.u8(..)),
                1 => input.truncate(at.max(1)),
                2 if at < input.len() => drop(input.remove(at)),
                3 => input.extend_from_within(at..),
                _ => match input.get_mut(at) {
                    Some(byte) => *byte ^= 1 << random.u8(..8),
                    None => input.push(random.u8(..)),
                },
            }
        }
        input.truncate(INPUT_BYTES_MAX);
        check(&input);
    }
}

#[test]
fn what_the_target_ws_decode_checks_holds() {
    run("ws_decode", targets::decode);
}

#[test]
fn what_the_target_ws_deflate_checks_holds() {
    run("ws_deflate", targets::deflate);
}

#[test]
fn what_the_target_ws_round_trip_checks_holds() {
    run("ws_round_trip", targets::round_trip);
}

#[test]
fn what_the_target_ws_handshake_checks_holds() {
    run("ws_handshake", targets::handshake);
}
