//! A bulk stream through a proxy: `generate SINK PROXY MIB CONNECTIONS WRITE_BYTES`.
//!
//! It listens on SINK, connects to PROXY, sends so many MiB over each of the connections, and ends
//! once all of it has come out whole at the other end: the bytes are counted and, at intervals,
//! compared.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

const MIB: u64 = 1 << 20;
/// What is sent repeats after so many bytes, which no buffer's length divides.
const PERIOD: usize = 65_521;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [sink, proxy, mib, connections, write_bytes] = &words[..] else {
        panic!("generate SINK PROXY MIB CONNECTIONS WRITE_BYTES");
    };
    let bytes = mib.parse::<u64>().expect("a number of MiB") * MIB;
    let write_bytes: usize = write_bytes.parse().expect("a number of bytes");
    let listener = TcpListener::bind(sink).expect("the sink's address is free");
    // Whoever started us waits for this.
    println!("listening");
    let mut threads = Vec::new();
    for _ in 0..connections.parse::<usize>().expect("a number of connections") {
        let stream = TcpStream::connect(proxy).expect("the proxy listens");
        threads.push(thread::spawn(move || send(&stream, bytes, write_bytes)));
        let (stream, _) = listener.accept().expect("the proxy connects");
        threads.push(thread::spawn(move || receive(stream, bytes)));
    }
    threads.into_iter().for_each(|thread| thread.join().expect("it all came out whole"));
}

fn pattern() -> Vec<u8> {
    (0..PERIOD).map(|index| (index * 7 + index / 256) as u8).collect()
}

fn send(mut stream: &TcpStream, bytes: u64, write_bytes: usize) {
    let buffer = pattern().repeat(write_bytes / PERIOD + 2);
    let mut sent = 0;
    while sent < bytes {
        let start = (sent % PERIOD as u64) as usize;
        let room = usize::try_from(bytes - sent).unwrap_or(usize::MAX).min(write_bytes);
        sent += stream.write(&buffer[start..start + room]).expect("the proxy reads") as u64;
    }
    stream.shutdown(Shutdown::Write).expect("half closed");
    assert_eq!(stream.read(&mut [0]).expect("the end comes back"), 0);
}

fn receive(mut stream: TcpStream, bytes: u64) {
    let mut buffer = vec![0; 256 << 10];
    let pattern = pattern();
    let mut received = 0_u64;
    loop {
        let count = stream.read(&mut buffer).expect("the proxy sends");
        if count == 0 {
            break;
        }
        let start = (received % PERIOD as u64) as usize;
        let compared = count.min(64).min(PERIOD - start);
        assert_eq!(buffer[..compared], pattern[start..start + compared], "after {received} bytes");
        received += count as u64;
    }
    assert_eq!(received, bytes);
}
