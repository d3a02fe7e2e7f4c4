//! Bulk, slow readers and peers that are killed: what a relay keeps, and what it loses.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use enchufe::transport::{CloseCode, CloseReason};
use enchufe::{Connection, Message};

use crate::harness::{Running, enchufe, run, signal};
use crate::support::{PATIENCE, accept, folder, listen, next, open, somewhere};

const MIB: usize = 1 << 20;
const BULK_BYTES: usize = 100 * MIB;
/// What a relay has in memory whatever passes: the program, and buffers of a known size.
const RESIDENT_BYTES_MAX: usize = 40 * MIB;
/// What repeats in the bulk; no buffer's length divides it.
const PERIOD: usize = 65_521;

fn pattern() -> Vec<u8> {
    (0..PERIOD)
        .map(|index| u8::try_from((index * 7 + index / 256) % 256).expect("a byte"))
        .collect()
}

/// Compares what comes with the bulk, piece by piece.
struct Expected {
    pattern: Vec<u8>,
    at: usize,
}

impl Expected {
    fn new() -> Self {
        Self { pattern: pattern(), at: 0 }
    }

    fn check(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let start = self.at % PERIOD;
            let count = piece.len().min(PERIOD - start);
            assert!(
                piece[..count] == self.pattern[start..start + count],
                "after {} bytes",
                self.at
            );
            piece = &piece[count..];
            self.at += count;
        }
    }
}

/// The most that a process has ever had in memory.
fn peak_bytes(id: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kib = line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number");
    kib * 1024
}

fn endpoint(address: &str) -> &str {
    address.split_once("://").expect("a scheme").1
}

/// Sends until nothing more is taken, then calls `stuck`, and sends the rest.
fn send_all(mut stream: &TcpStream, stuck: impl FnOnce()) {
    let bulk = pattern().repeat(2 * MIB / PERIOD + 2);
    let mut stuck = Some(stuck);
    stream.set_write_timeout(Some(Duration::from_millis(300))).expect("an option");
    let mut sent = 0;
    while sent < BULK_BYTES {
        let start = sent % PERIOD;
        let count = MIB.min(BULK_BYTES - sent);
        match stream.write(&bulk[start..start + count]) {
            Ok(count) => sent += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if let Some(stuck) = stuck.take() {
                    assert!(sent < BULK_BYTES / 2, "{sent} bytes were taken of who reads nothing");
                    stuck();
                }
            }
            Err(error) => panic!("{error} after {sent} bytes"),
        }
    }
    assert!(stuck.is_none(), "it was never stuck");
    stream.shutdown(Shutdown::Write).expect("half closed");
}

#[test]
fn a_slow_reader_of_a_stream_has_everything_and_costs_a_bounded_memory() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let far = format!("tcp://{}", server.local_addr().expect("bound"));
    let relay = Running::start(&["relay", "tcp://127.0.0.1:0", &far]);
    let client = TcpStream::connect(endpoint(&relay.address())).expect("it listens");
    let (mut reader, _) = server.accept().expect("the relay connects");
    let (go_on, stuck) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        stuck.recv_timeout(PATIENCE).expect("the sender gets stuck");
        let mut expected = Expected::new();
        let mut buffer = vec![0; 256 << 10];
        loop {
            match reader.read(&mut buffer).expect("bytes") {
                0 => break expected.at,
                count => expected.check(&buffer[..count]),
            }
        }
    });
    send_all(&client, move || go_on.send(()).expect("the reader waits"));
    assert_eq!(reading.join().expect("intact"), BULK_BYTES);
    let mut rest = Vec::new();
    (&client).read_to_end(&mut rest).expect("the end comes back");
    let peak = peak_bytes(relay.id());
    assert!(peak < RESIDENT_BYTES_MAX, "{} MiB", peak / MIB);
    let ended = relay.stop();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains(&format!("{BULK_BYTES} B there, 0 B back")), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_of_messages_has_everything_and_costs_a_bounded_memory() {
    let folder = folder();
    let mut listener = listen(&somewhere("ws", &folder, "far")).await;
    let far = listener.local_addresses()[0].to_string();
    let relay = Running::start(&["relay", "tcp://127.0.0.1:0", &far]);
    let near = relay.address();
    let client = TcpStream::connect(endpoint(&near)).expect("it listens");
    let mut server = accept(&mut listener).await;
    let (go_on, stuck) = tokio::sync::oneshot::channel();
    let sending = tokio::task::spawn_blocking(move || {
        send_all(&client, move || go_on.send(()).expect("the reader waits"));
    });
    stuck.await.expect("the sender gets stuck");
    let mut expected = Expected::new();
    while let Some(message) = next(&mut server).await {
        expected.check(&message.payload);
    }
    sending.await.expect("sent");
    assert_eq!(expected.at, BULK_BYTES);
    let peak = peak_bytes(relay.id());
    assert!(peak < RESIDENT_BYTES_MAX, "{} MiB", peak / MIB);
    assert_eq!(relay.stop().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_of_a_stream_slows_the_sender_of_messages_down() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let far = format!("tcp://{}", server.local_addr().expect("bound"));
    let relay = Running::start(&["relay", "ws://127.0.0.1:0", &far]);
    let near = enchufe::Address::parse_connect(&relay.address()).expect("an address");
    let client: Connection = open(&near).await;
    let (mut reader, _) = server.accept().expect("the relay connects");
    let (mut incoming, mut outgoing) = client.split();
    let count = BULK_BYTES / (256 << 10);
    let progress = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let sent = std::sync::Arc::clone(&progress);
    let sending = tokio::spawn(async move {
        let bulk = pattern().repeat(MIB / PERIOD);
        for index in 0..count {
            let start = index * (256 << 10) % PERIOD;
            let piece = Message::binary(bulk[start..start + (256 << 10)].to_vec());
            outgoing.send(piece).await.expect("sent");
            sent.store(index + 1, std::sync::atomic::Ordering::Relaxed);
        }
        outgoing.close(CloseReason::new(CloseCode::NORMAL, "")).await.expect("closed");
    });
    // Until nothing more is taken.
    let mut before = usize::MAX;
    loop {
        let now = progress.load(std::sync::atomic::Ordering::Relaxed);
        if now == before && now > 0 {
            break;
        }
        before = now;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(before < count / 2, "{before} of {count} messages were taken of who reads nothing");
    let reading = tokio::task::spawn_blocking(move || {
        let mut expected = Expected::new();
        let mut buffer = vec![0; 256 << 10];
        loop {
            match reader.read(&mut buffer).expect("bytes") {
                0 => break expected.at,
                count => expected.check(&buffer[..count]),
            }
        }
    });
    sending.await.expect("sent");
    assert!(matches!(incoming.recv().await, Ok(None)));
    assert_eq!(reading.await.expect("intact"), BULK_BYTES);
    let peak = peak_bytes(relay.id());
    assert!(peak < RESIDENT_BYTES_MAX, "{} MiB", peak / MIB);
    assert_eq!(relay.stop().code, Some(0));
}

#[test]
fn a_server_that_is_killed_resets_its_clients_and_the_relay_goes_on() {
    // It takes nothing of what it is sent, so that its end is no orderly one.
    let server = Running::start(&["relay", "tcp://127.0.0.1:0", "-", "--quiet"]);
    let relay = Running::start(&["relay", "tcp://127.0.0.1:0", &server.address()]);
    let near = relay.address();
    let mut client = TcpStream::connect(endpoint(&near)).expect("it listens");
    client.set_write_timeout(Some(Duration::from_millis(300))).expect("an option");
    signal(server.id(), "STOP");
    // More than all buffers on the way hold.
    let chunk = vec![0; MIB];
    while client.write(&chunk).is_ok() {}
    signal(server.id(), "KILL");
    client.set_write_timeout(None).expect("an option");
    client.set_read_timeout(Some(PATIENCE)).expect("an option");
    let error = client.read(&mut [0]).expect_err("no orderly end");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    // Now nobody is there.
    let mut next = TcpStream::connect(endpoint(&near)).expect("it still listens");
    next.set_read_timeout(Some(PATIENCE)).expect("an option");
    let error = next.read(&mut [0]).expect_err("no orderly end");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let ended = relay.stop();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains("2 failed"), "{}", ended.stderr);
}

#[test]
fn a_client_that_is_killed_does_not_stay_with_the_server() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let far = format!("tcp://{}", server.local_addr().expect("bound"));
    let relay = Running::start(&["relay", "ws://127.0.0.1:0", &far]);
    let client = Running::start(&["connect", &relay.address(), "--keep-open"]);
    let (mut stream, _) = server.accept().expect("the relay connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    signal(client.id(), "KILL");
    let error = stream.read(&mut [0]).expect_err("no orderly end");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(relay.stop().code, Some(0));
}

#[test]
fn a_relay_without_descriptors_says_so_and_serves_again_once_it_has_some() {
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0", "--quiet"]);
    let mut command = std::process::Command::new("sh");
    let program = enchufe(&[]).get_program().to_owned();
    command.args(["-c", "ulimit -n 48 && exec \"$@\"", "sh"]).arg(program);
    let far = server.address();
    command.args(["relay", "tcp://127.0.0.1:0", &far, "--log", "warn"]);
    let relay = Running::start_command(command);
    let near = relay.address();
    let connect = || TcpStream::connect(endpoint(&near)).expect("it listens");
    let clients: Vec<TcpStream> = (0..64).map(|_| connect()).collect();
    loop {
        let notice = relay.notice();
        // In accepting, or in connecting for a client that it still could accept.
        if notice.contains("cannot accept connections") || notice.contains("Too many open files") {
            break;
        }
    }
    drop(clients);
    let works = (0..100).any(|_| {
        let mut client = connect();
        client.set_read_timeout(Some(PATIENCE)).expect("an option");
        let mut answer = [0; 4];
        let sent = client.write_all(b"hola").is_ok();
        sent && client.read_exact(&mut answer).is_ok() && &answer == b"hola"
    });
    assert!(works, "it never recovers");
    assert_eq!(relay.stop().code, Some(0));
    assert_eq!(run(&["connect", &far], b"x").success(), "x");
}
