//! `enchufe serve broadcast`: what each says, all get, whatever they are connected by.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    iter,
    net::TcpStream,
    sync::Barrier,
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
                let mut client = Running::start(&["connect", &address, "--keep-open"]);
                client.write(lines.as_bytes());
                // It stays until all of its own is back.
                while client.line() != format!("{writer}: 499") {}
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

/// A client of a stream: a writer of lines, and all that it reads but greetings, up to so many.
fn say_and_hear(
    address: &str,
    name: usize,
    said: &str,
    count: usize,
    all: &Barrier,
) -> Vec<String> {
    let endpoint = address.strip_prefix("tcp://").expect("tcp");
    let stream = TcpStream::connect(endpoint).expect("it listens");
    let mut writer = stream.try_clone().expect("a handle");
    let greeting = format!("{name} is here");
    writer.write_all(format!("{greeting}\n").as_bytes()).expect("it reads");
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("no reset"));
    while lines.next().expect("no end") != greeting {}
    all.wait();
    thread::scope(|scope| {
        scope.spawn(|| writer.write_all(said.as_bytes()).expect("it reads"));
        lines.filter(|line| !line.ends_with("is here")).take(count).collect()
    })
}

#[test]
fn ten_who_say_more_than_the_history_keeps_all_have_everything_in_one_order() {
    const EACH: usize = 20_000;
    let server = Running::start(&["serve", "broadcast", "tcp://127.0.0.1:0", WS]);
    let (tcp, ws) = (server.address(), server.address());
    let all = Barrier::new(10);
    let said = |name: usize| (0..EACH).map(|n| format!("{name}: {n}\n")).collect::<String>();
    let heard: Vec<Vec<String>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..10)
            .map(|name| {
                let (tcp, ws, all) = (&tcp, &ws, &all);
                scope.spawn(move || {
                    if name % 2 == 0 {
                        return say_and_hear(tcp, name, &said(name), 10 * EACH, all);
                    }
                    let mut client = reader(ws, &name.to_string());
                    all.wait();
                    let mut input = client.take_stdin();
                    let (said, lines) = (said(name), iter::repeat_with(|| client.line()));
                    thread::scope(|scope| {
                        scope.spawn(move || input.write_all(said.as_bytes()).expect("it reads"));
                        let lines = lines.filter(|line| !line.ends_with("is here"));
                        lines.take(10 * EACH).collect()
                    })
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().expect("no panic")).collect()
    });
    for lines in &heard[1..] {
        assert!(*lines == heard[0], "another order, or something is missing");
    }
    for name in 0..10 {
        let prefix = format!("{name}: ");
        let numbers = heard[0].iter().filter_map(|line| line.strip_prefix(&prefix));
        assert!(numbers.eq((0..EACH).map(|n| n.to_string()).collect::<Vec<_>>().iter()), "{name}");
    }
    assert_eq!(server.stop().code, Some(0));
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
