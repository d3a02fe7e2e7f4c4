//! What peers can make a service keep.

use std::{
    io::{ErrorKind, Write},
    net::TcpStream,
    time::Duration,
};

use crate::{
    frames::bomb,
    served::{DEFLATE, Served},
    support::{CLOSE, PING, PONG, close_code, frame, frame_head, read_frame},
};

const MIB: usize = 1 << 20;
/// What a service has in memory before anybody comes, generously.
const BASE_BYTES: usize = 40 * MIB;

/// Sends `bytes` over and over until the server takes no more, and says how many it took.
fn send_until_stuck(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    stream.set_write_timeout(Some(Duration::from_millis(100))).expect("a time-out");
    let mut sent = 0;
    loop {
        match stream.write(&bytes[sent % bytes.len()..]) {
            Ok(count) => sent += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return sent;
            }
            Err(error) => panic!("{error} after {sent} bytes"),
        }
        assert!(sent < 256 * MIB, "it is read without end");
    }
}

#[test]
fn who_does_not_read_is_not_read_any_further_and_costs_a_bounded_memory() {
    let served = Served::start("echo");
    let mut deaf: Vec<_> = (0..8).map(|_| served.open_small()).collect();
    let message = frame(0x82, &vec![7; 8_000]);
    let pings = frame(PING, &[7; 125]).repeat(400);
    for (number, stream) in deaf.iter_mut().enumerate() {
        send_until_stuck(stream, if number % 2 == 0 { &message } else { &pings });
    }
    // Answers to one read, and the rest of another: at most two of a shard's buffers for each.
    let resident = served.resident_bytes();
    assert!(resident < BASE_BYTES + 8 * 2 * MIB, "{resident} bytes");
    // Nothing was lost: once they read, they get their answers.
    for (number, stream) in deaf.iter_mut().enumerate() {
        let expected = if number % 2 == 0 { 0x82 } else { PONG };
        for _ in 0..4 {
            assert_eq!(read_frame(stream).expect("an answer").0, expected);
        }
    }
    drop(deaf);
    served.stop();
}

#[test]
fn lengths_reserve_nothing_and_bombs_are_stopped_at_the_limit() {
    let served = Served::start("echo");
    let announced: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = served.open(&[]);
            let begun = [frame_head(0x82, MIB as u64), b"x".to_vec()].concat();
            stream.write_all(&begun).expect("it is open");
            stream
        })
        .collect();
    let bomb = frame(0xc2, &bomb());
    let mut bombers: Vec<_> = (0..50).map(|_| served.open(&[DEFLATE])).collect();
    for stream in &mut bombers {
        stream.write_all(&bomb).ok();
    }
    for stream in &mut bombers {
        assert_eq!(close_code(stream), Some(1009));
    }
    let resident = served.resident_bytes();
    assert!(resident < BASE_BYTES + 16 * MIB, "{resident} bytes");
    drop((announced, bombers));
    served.stop();
}

#[test]
fn unfinished_messages_take_a_bounded_memory_together_and_honest_ones_are_finished() {
    let served = Served::start("echo");
    let mut honest = served.open(&[]);
    honest.write_all(&frame(0x02, b"a begun ")).expect("it is open");
    let begun = [frame_head(0x82, MIB as u64), vec![7; MIB - 1]].concat();
    let mut hoarders: Vec<_> = (0..200).map(|_| served.open(&[])).collect();
    for stream in &mut hoarders {
        stream.write_all(&begun).expect("it is read, whatever becomes of it");
    }
    honest.write_all(&frame(0x80, b"message")).expect("it is open");
    let answer = read_frame(&mut honest).expect("an answer");
    assert_eq!((answer.0, &answer.1[..]), (0x82, &b"a begun message"[..]));
    // As many shards as there are cores, at most.
    let cores = std::thread::available_parallelism().expect("it is known").get();
    let bound = BASE_BYTES + cores * enchufe::limits::SHARD_UNFINISHED_BYTES_MAX;
    let resident = served.resident_bytes();
    assert!(resident < bound, "{resident} bytes");
    let mut refused = 0;
    for stream in &mut hoarders {
        // Those that were refused are read to their end, and not answered any more.
        stream.write_all(&[7]).ok();
        match read_frame(stream).expect("an answer") {
            (CLOSE, reason) => {
                assert_eq!(reason[..2], 1013u16.to_be_bytes());
                refused += 1;
            }
            (_, message) => assert_eq!(message.len(), MIB),
        }
    }
    assert!(refused >= 200 - bound / MIB, "{refused} were told to come back later");
    drop(hoarders);
    served.stop();
}

#[test]
fn who_does_nothing_costs_next_to_nothing() {
    let served = Served::start("echo");
    drop(served.open(&[]));
    let before = served.resident_bytes();
    let idle: Vec<_> = (0..400).map(|_| served.open(&[DEFLATE])).collect();
    let grown = served.resident_bytes().saturating_sub(before);
    assert!(grown < 8 * MIB, "{grown} bytes for 400 connections");
    drop(idle);
    served.stop();
}
