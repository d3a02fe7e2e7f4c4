//! What decoding a masked text message and writing its answer costs, without sockets.
//!
//! As a server does it: messages lie behind each other in one buffer, and all answers go to
//! another. Prints nanoseconds per message, the least of several rounds.

use std::time::{Duration, Instant};

use enchufe_core::ws::{Decoded, Decoder, Event, Limits, Role, encode};
use enchufe_core::{Kind, MessageRef};

const ROUNDS: usize = 9;
/// How long a round takes, roughly.
const ROUND: Duration = Duration::from_millis(20);

fn main() {
    println!("| Messages of one read | ASCII, ns per message | not ASCII, ns per message |");
    println!("|---|---:|---:|");
    for (len, count) in [(64, 1), (64, 32), (1024, 16), (16 << 10, 1), (16 << 10, 15)] {
        let ascii = cost(&vec![b'x'; len], count);
        let other = cost("é".repeat(len / 2).as_bytes(), count);
        println!("| {count} of {len} B | {ascii:.1} | {other:.1} |");
    }
}

fn cost(payload: &[u8], count: usize) -> f64 {
    let mut wire = Vec::new();
    for _ in 0..count {
        let message = MessageRef { kind: Kind::Text, payload };
        encode::message(&mut wire, message, Some([0x12, 0x34, 0x56, 0x78]));
    }
    let (mut buffer, mut out) = (wire.clone(), Vec::new());
    let mut decoder = Decoder::new(Role::Server, Limits::default());
    let mut least = Duration::MAX;
    for _ in 0..ROUNDS {
        let (begun, mut spent, mut reads) = (Instant::now(), Duration::ZERO, 0);
        while begun.elapsed() < ROUND {
            // Decoding unmasks in place, so each read needs the messages anew.
            buffer.copy_from_slice(&wire);
            let before = Instant::now();
            answer(&mut decoder, &mut buffer, &mut out);
            spent += before.elapsed();
            reads += 1;
        }
        least = least.min(spent / reads);
    }
    least.as_nanos() as f64 / count as f64
}

fn answer(decoder: &mut Decoder, buffer: &mut [u8], out: &mut Vec<u8>) {
    out.clear();
    let mut at = 0;
    while let Decoded { consumed, event: Some(Event::Message(message)), .. } =
        decoder.decode(&mut buffer[at..]).expect("nothing is wrong with them")
    {
        encode::message(out, message, None);
        at += consumed;
    }
}
