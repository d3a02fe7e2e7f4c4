//! `enchufe connect` and servers that are none, or bad ones.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use enchufe::core::ws::handshake;

use crate::harness::run;

/// Serves one client; where it listens.
fn serve(talk: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("ws://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || talk(listener.accept().expect("a client").0));
    address
}

/// Reads the request; the key in it.
fn key(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let key = head.iter().filter_map(|line| line.split_once(": "));
    let mut key = key.filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
    key.next().expect("a key").1.to_owned()
}

/// Answers the handshake, with these headers more, and sends `rest` in the same packet.
fn open(stream: &mut TcpStream, more: &str, rest: &[u8]) {
    let accept = handshake::accept_key(&key(stream));
    let head = format!(
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    );
    stream.write_all(&[head.as_bytes(), rest].concat()).expect("it listens");
}

/// Opens as [`open`] does, and reads until the client has gone.
fn accept(mut stream: TcpStream, more: &str, rest: &[u8]) {
    open(&mut stream, more, rest);
    until_gone(stream);
}

/// Answers with these bytes, and reads until the client has gone.
fn answer(mut stream: TcpStream, bytes: &[u8]) {
    key(&stream);
    // It need not take all of them.
    let _ = stream.write_all(bytes);
    until_gone(stream);
}

fn until_gone(mut stream: TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

#[test]
fn what_answers_but_is_no_websocket_is_told_apart() {
    type Case = (fn(TcpStream), i32, &'static str);
    let cases: [Case; 9] = [
        (|s| drop(key(&s)), 1, "closed the connection without an answer"),
        (|s| answer(s, &b"\x00\xff".repeat(500)), 1, "does not speak HTTP"),
        (|s| answer(s, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhola"), 3, "answered 200"),
        (|s| answer(s, &b"HTTP/1.1 200 OK\r\n\r\n".repeat(50_000)), 3, "answered 200"),
        (|s| answer(s, b"HTTP/1.1 404 X\r\nContent-Length: 9\r\n\r\n\x1b[31mred\n"), 3, "red"),
        (|s| answer(s, &b"HTTP/1.1 101 X\r\n".repeat(50_000)), 1, "does not speak HTTP"),
        (
            |s| {
                let head = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
                answer(s, format!("{head}Sec-WebSocket-Accept: AAAA\r\n\r\n").as_bytes());
            },
            1,
            "Sec-WebSocket-Accept is 'AAAA'",
        ),
        (|s| accept(s, "Sec-WebSocket-Protocol: x\r\n", b""), 1, "'x', which was not offered"),
        (|s| accept(s, "Sec-WebSocket-Extensions: x\r\n", b""), 1, "'x', which was not offered"),
    ];
    for (talk, code, message) in cases {
        let ended = run(&["connect", &serve(talk)], b"Ana\n");
        assert_eq!(ended.code, Some(code), "{message}: {}", ended.stderr);
        assert!(ended.stderr.contains(message), "{message}: {}", ended.stderr);
        assert!(ended.stdout.is_empty() && !ended.stderr.contains('\x1b'), "{ended:?}");
    }
}

#[test]
fn what_a_server_breaks_is_said_with_the_code_it_was_told() {
    let huge = [&b"\x82\x7f"[..], &(1u64 << 62).to_be_bytes()].concat();
    for (frames, message) in [
        (b"\x81\x82\0\0\0\0hi".to_vec(), "a frame from the server is masked (close code 1002)"),
        (b"\x81\x02\xff\xfe".to_vec(), "not UTF-8"),
        (b"\xc1\x01x".to_vec(), "1002"),
        (huge, "1009"),
        (
            [&b"\x88\x0b\x0f\xa3"[..], b"read\x1b[2J\n"].concat(),
            "(enchufe: this channel is only read): read\\x1b[2J\\n",
        ),
    ] {
        // Whether there is something to send or not.
        for input in [&b""[..], b"Ana\n"] {
            let frames = frames.clone();
            let ended = run(&["connect", &serve(move |s| accept(s, "", &frames))], input);
            assert_eq!(ended.code, Some(4), "{message}: {}", ended.stderr);
            assert!(ended.stderr.contains(message), "{message}: {}", ended.stderr);
            assert!(ended.stdout.is_empty() && !ended.stderr.contains('\x1b'), "{ended:?}");
        }
    }
}

#[test]
fn a_server_that_says_goodbye_while_it_is_being_sent_to_has_closed_well() {
    for _ in 0..20 {
        let frames = b"\x81\x04hola\x88\x02\x03\xe8";
        let ended = run(&["connect", &serve(|s| accept(s, "", frames))], b"Ana\nEva\n");
        assert_eq!(ended.success(), "hola\n", "{}", ended.stderr);
    }
}

#[test]
fn a_server_that_broke_the_protocol_and_stays_is_named_as_the_reason() {
    // It neither reads nor goes, so that the client waits for it, and has a message to send.
    let stay = |mut stream: TcpStream| {
        open(&mut stream, "", b"\x83\0");
        while stream.write_all(b"more").is_ok() {
            thread::sleep(std::time::Duration::from_millis(10));
        }
    };
    let ended = run(&["connect", &serve(stay)], b"Ana\n");
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(ended.stderr.contains("opcode 0x3 is not known (close code 1002)"), "{}", ended.stderr);
}

#[test]
fn a_server_that_only_pings_does_not_keep_time_from_passing() {
    let flood = |mut stream: TcpStream| {
        open(&mut stream, "", b"");
        let reading = stream.try_clone().expect("a second handle");
        thread::spawn(|| until_gone(reading));
        let pings = b"\x89\x01?".repeat(10_000);
        while stream.write_all(&pings).is_ok() {}
    };
    let ended = run(&["connect", "--wait", "0.3", &serve(flood)], b"Ana\n");
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
}

#[test]
fn a_bomb_in_an_answer_is_stopped_at_the_limit() {
    let compressed = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let bomb = || {
        let bomb = crate::frames::bomb();
        [&b"\xc2\x7f"[..], &(bomb.len() as u64).to_be_bytes(), &bomb].concat()
    };
    let ended =
        run(&["connect", "--compress", &serve(move |s| accept(s, compressed, &bomb()))], b"");
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(ended.stderr.contains("close code 1009"), "{}", ended.stderr);
}
