//! Frames that break the protocol or a bound, sent to services on a shard and in a task.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use enchufe::core::{
    Kind,
    ws::{
        deflate::{Deflater, Direction, WindowBits},
        encode,
    },
};

use crate::{
    served::{DEFLATE, Served},
    support::{CLOSE, TEXT, close_code, frame, frame_head},
};

const BINARY: u8 = 0x82;
const COMPRESSED_TEXT: u8 = 0xc1;
const COMPRESSED: u8 = 0xc2;
/// What is taken off the end of a compressed message (RFC 7692 §7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// A compressed payload, its tail taken off.
fn deflated(payload: &[u8]) -> Vec<u8> {
    let direction = Direction { context_takeover: false, window_bits: WindowBits::MAX };
    let mut compressed = Vec::new();
    Deflater::new(direction).compress(payload, &mut compressed);
    compressed
}

/// A mebibyte of zeros a thousand times, compressed.
pub(crate) fn bomb() -> Vec<u8> {
    let mut bomb = [&deflated(&vec![0; 1 << 20])[..], &TAIL].concat().repeat(1 << 10);
    bomb.truncate(bomb.len() - TAIL.len());
    bomb
}

/// The code that ends the connection; behind it the server shuts its side and resets nothing.
fn end(stream: &mut TcpStream) -> Option<u16> {
    let code = close_code(stream);
    assert_eq!(stream.read(&mut [0]).expect("the end, and no reset"), 0);
    code
}

fn is_refused(served: &Served, more: &[&str], sent: &[u8], code: u16) {
    let mut stream = served.open(more);
    // It may be refused before all of it was sent.
    stream.write_all(sent).ok();
    assert_eq!(end(&mut stream), Some(code), "{:02x?}", &sent[..sent.len().min(20)]);
}

fn violations() -> Vec<(Vec<u8>, u16)> {
    let close = |code: u16| frame(CLOSE, &code.to_be_bytes());
    let begun = |text: &[u8]| frame(0x01, text);
    let mut all = vec![
        (vec![0x81, 1, b'x'], 1002),
        (vec![BINARY, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], 1002),
        (vec![BINARY, 0xfe, 0, 5], 1002),
        (frame_head(BINARY, u64::MAX >> 1), 1009),
        (frame_head(BINARY, (1 << 20) + 1), 1009),
        ([frame(0x02, &[0; 1 << 19]), frame_head(0x80, (1 << 19) + 1)].concat(), 1009),
        ([begun(b"a"), frame(0x00, b"").repeat(40_000)].concat(), 1009),
        ([begun(b"a"), frame(0x00, b"b").repeat(40_000)].concat(), 1009),
        ([begun(b"a"), frame(TEXT, b"b")].concat(), 1002),
        (frame(0x80, b""), 1002),
        (frame(0x83, b""), 1002),
        (frame(0x8f, b""), 1002),
        (frame(0x09, b""), 1002),
        (frame(0x89, &[0; 126]), 1002),
        (frame(0xc9, b""), 1002),
        (frame(0xa1, b""), 1002),
        (frame(0x91, b""), 1002),
        (frame(CLOSE, &[3]), 1002),
        (frame(CLOSE, b"\x03\xe8\xff"), 1007),
        (frame(TEXT, b"\xc3"), 1007),
        // At the first byte that cannot be, however much is still to come.
        ([frame_head(TEXT, 1000), b"abc\xff".to_vec()].concat(), 1007),
        ([begun(b"ok\xed"), frame_head(0x00, 1000), b"\xa0".to_vec()].concat(), 1007),
    ];
    all.extend(
        [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map(|code| (close(code), 1002)),
    );
    all
}

#[test]
fn a_service_on_a_shard_refuses_each_violation_with_its_code_and_resets_nobody() {
    let served = Served::start("echo");
    for (sent, code) in violations() {
        is_refused(&served, &[], &sent, code);
        is_refused(&served, &[DEFLATE], &sent, code);
    }
    is_refused(&served, &[], &frame(COMPRESSED, b""), 1002);
    is_refused(&served, &[], &frame(CLOSE, b"\x0f\xa0bye"), 4000);
    is_refused(&served, &[], &frame(CLOSE, b""), 1000);
    let after_it = [frame(CLOSE, b"\x03\xe8"), frame(TEXT, b"late").repeat(1_000)].concat();
    is_refused(&served, &[], &after_it, 1000);
    served.stop();
}

#[test]
fn a_service_in_a_task_refuses_each_violation_with_its_code_and_resets_nobody() {
    // It speaks all the time, and does not stop reading for that.
    let served = Served::start("random");
    for (sent, code) in violations() {
        is_refused(&served, &[], &sent, code);
    }
    served.stop();
}

#[test]
fn what_is_wrong_in_a_compressed_message_is_refused_while_it_comes() {
    let served = Served::start("echo");
    let text = |text: &[u8]| frame(COMPRESSED_TEXT, &deflated(text));
    let early = deflated(&[&[b'a'; 1000][..], b"\xff"].concat());
    let bomb = bomb();
    let pieces: Vec<u8> = bomb[1000..].chunks(1000).flat_map(|piece| frame(0x00, piece)).collect();
    for (sent, code) in [
        (frame(COMPRESSED, &bomb), 1009),
        (frame(COMPRESSED_TEXT, &bomb), 1009),
        ([frame(0x42, &bomb[..1000]), pieces].concat(), 1009),
        (frame(COMPRESSED, &[0xff; 100]), 1007),
        (text(b"abc\xff"), 1007),
        ([frame_head(COMPRESSED_TEXT, 1 << 19), early, TAIL.to_vec()].concat(), 1007),
        ([frame(0x41, &deflated(b"a")), frame(0xc0, b"")].concat(), 1002),
        (frame(0xc9, b""), 1002),
        (frame(COMPRESSED, &[3, 0].repeat(100_000)), 1009),
    ] {
        is_refused(&served, &[DEFLATE], &sent, code);
    }
    served.stop();
}

#[test]
fn who_goes_on_sending_after_a_violation_still_hears_of_it() {
    for service in ["echo", "random", "clock"] {
        let served = Served::start(service);
        let mut stream = served.open(&[]);
        stream.write_all(&frame(0x83, b"")).expect("it is open");
        // Were the connection closed on what nobody has read, the answer would be lost.
        for _ in 0..200 {
            stream.write_all(&[0; 10_000]).expect("all of it is read");
        }
        assert_eq!(end(&mut stream), Some(1002), "{service}");
        drop(stream);
        served.stop();
    }
}

#[test]
fn who_shuts_its_side_behind_a_violation_still_hears_of_it() {
    for service in ["echo", "random"] {
        let served = Served::start(service);
        let mut stream = served.open(&[]);
        stream.write_all(&frame(0x83, b"")).expect("it is open");
        stream.shutdown(std::net::Shutdown::Write).expect("it is open");
        assert_eq!(end(&mut stream), Some(1002), "{service}");
        drop(stream);
        served.stop();
    }
}

#[test]
fn many_messages_that_inflate_to_much_are_all_answered() {
    let served = Served::start("echo");
    let mut stream = served.open(&[DEFLATE]);
    let payload = vec![7; 1 << 20];
    let direction = Direction { context_takeover: false, window_bits: WindowBits::MAX };
    let (mut deflater, mut sent) = (Deflater::new(direction), Vec::new());
    const COUNT: usize = 100;
    for _ in 0..COUNT {
        encode::compressed(&mut sent, Kind::Binary, &payload, Some([0; 4]), &mut deflater);
    }
    sent.extend(frame(CLOSE, b""));
    stream.write_all(&sent).expect("it is open");
    for _ in 0..COUNT {
        let (head, _) = crate::support::read_frame(&mut stream).expect("an answer");
        assert_eq!(head, COMPRESSED);
    }
    assert_eq!(end(&mut stream), Some(1000));
    drop(stream);
    served.stop();
}
