//! `enchufe serve broadcast`: what each says, all get, whatever they are connected by.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    thread,
};

use crate::harness::{Running, run};

const WS: &str = "ws://127.0.0.1:0";

/// A reader that stays, and is there: it has had a message of its own.
fn reader(address: &str, name: &str) -> Running {
    let mut reader = Running::start(&["connect", address, "--keep-open"]);
    reader.write(format!("{name} is here\n").as_bytes());
    while reader.line() != format!("{name} is here") {}
    reader
}

#[test]
fn all_get_everything_in_the_same_order_those_who_said_it_included() {
    let folder = tempfile::tempdir().expect("a folder");
    let unix = format!("unix:{}", folder.path().join("socket").display());
    let server = Running::start(&[
        "serve",
        "broadcast",
        WS,
        "ws://127.0.0.1:0/chat",
        "tcp://127.0.0.1:0",
        &unix,
    ]);
    let addresses: Vec<String> = (0..4).map(|_| server.address()).collect();
    let readers: Vec<Running> = ["a", "b", "c", "d"]
        .iter()
        .zip(&addresses)
        .map(|(name, address)| reader(address, name))
        .collect();
    let writers: Vec<_> = addresses
        .iter()
        .enumerate()
        .map(|(writer, address)| {
            let lines: String = (0..500).map(|n| format!("{writer}: {n}\n")).collect();
            let address = address.clone();
            thread::spawn(move || {
                // Of the 2,000 it has at least its own.
                run(&["connect", &address, "--count", "500"], lines.as_bytes()).success().len()
            })
        })
        .collect();
    for writer in writers {
        writer.join().expect("no panic");
    }
    let heard = |reader: &Running| {
        let is_said = |line: &String| !line.ends_with("is here");
        let lines = std::iter::repeat_with(|| reader.line()).filter(is_said);
        lines.take(2_000).collect::<Vec<_>>()
    };
    let first = heard(&readers[0]);
    let all: BTreeSet<String> =
        (0..4).flat_map(|writer| (0..500).map(move |n| format!("{writer}: {n}"))).collect();
    assert_eq!(first.iter().cloned().collect::<BTreeSet<_>>(), all);
    for reader in &readers[1..] {
        assert_eq!(heard(reader), first);
    }
    for writer in 0..4 {
        let prefix = format!("{writer}: ");
        let own = first.iter().filter_map(|line| line.strip_prefix(&prefix));
        assert!(own.eq((0..500).map(|n| n.to_string()).collect::<Vec<_>>().iter()), "in order");
    }
    assert_eq!(server.stop().code, Some(0));
    for reader in readers {
        assert_eq!(reader.end().code, Some(0), "told that the server is going away");
    }
}

#[test]
fn who_says_much_at_once_is_read_as_fast_as_it_can_be_published_and_loses_nothing() {
    let server = Running::start(&["serve", "broadcast", WS]);
    let address = server.address();
    let other = reader(&address, "other");
    // Some longer than what may be under way, and all of them more than the kernel keeps.
    let line = |n: usize| {
        format!("{n}:{}", "x".repeat(if n.is_multiple_of(100) { 200_000 } else { 1_000 }))
    };
    let lines: String = (0..2_000).map(|n| line(n) + "\n").collect();
    let said = run(&["connect", &address, "--count", "2000"], lines.as_bytes());
    assert!(said.success() == lines, "{} of {} bytes", said.stdout.len(), lines.len());
    for n in 0..2_000 {
        assert!(other.line() == line(n), "message {n}");
    }
}

#[test]
fn the_channel_is_there_in_its_other_forms_and_foreign_pages_are_not() {
    let server = Running::start(&["serve", "broadcast", WS]);
    let address = server.address();
    let foreign = ["connect", &address, "--origin", "http://evil.example"];
    assert_eq!(run(&foreign, b"x").code, Some(3));
    assert_eq!(run(&["connect", &address, "--count", "1"], b"hola\n").success(), "hola\n");
    let endpoint = address.strip_prefix("ws://").expect("ws");
    let mut stream = TcpStream::connect(endpoint).expect("it listens");
    let request = "GET /channels/broadcast HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it is open");
    let lines = BufReader::new(stream).lines().map(|line| line.expect("text"));
    let mut lines = lines.filter(|line| line.contains("\"data\""));
    assert!(lines.next().is_some_and(|line| line.contains("\"hola\"")));
    for flag in [&["--once"][..], &["--max-message", "1M"]] {
        let misplaced = run(&[&["serve", "broadcast", WS], flag].concat(), b"");
        assert_eq!(misplaced.code, Some(2), "{misplaced:?}");
    }
}
