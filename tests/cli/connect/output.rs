//! What `connect` makes of what it receives: times, dumps, JSON; and what it does when nobody reads
//! that.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    process::Stdio,
    sync::mpsc,
};

use serde_json::{Value, json};
use tungstenite::{Message, protocol::CloseFrame};

use super::peers::{tcp_server, ws_server};
use crate::{
    harness::{Watchdog, enchufe, run},
    screen::{Terminal, Wiring},
};

/// The text with every time of microseconds in it as `T`.
fn timeless(text: &str) -> String {
    let digits = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    let (shape, mut out, mut rest) = ("0000-00-00T00:00:00.000000Z", String::new(), text);
    while let Some(c) = rest.chars().next() {
        if rest.get(..shape.len()).is_some_and(|begin| digits(begin) == shape) {
            out.push('T');
            rest = &rest[shape.len()..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

#[test]
fn the_time_stands_before_each_message_and_each_line_of_a_stream() {
    let address = ws_server(|mut ws| {
        ws.send(Message::text("uno")).expect("sent");
        ws.send(Message::text("dos")).expect("sent");
        ws.close(None).expect("closing");
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address, "--timestamps"], b"");
    assert_eq!(timeless(ended.success()), "T uno\nT dos\n");
    let address = tcp_server(|mut stream| stream.write_all(b"uno\ndos").expect("sent"));
    let ended = run(&["connect", &address, "--timestamps"], b"");
    assert_eq!(timeless(ended.success()), "T uno\nT dos");
    let flags = ["connect", "tcp://localhost:1", "--timestamps", "--framing=length"];
    assert_eq!(run(&flags, b"").code, Some(2));
}

#[test]
fn a_stream_is_dumped_with_one_run_of_offsets() {
    let address = tcp_server(|mut stream| stream.write_all(b"0123456789abcdef\0").expect("sent"));
    let ended = run(&["connect", &address, "--hex"], b"");
    let expected = "\
00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|
00000010  00                                                |.|
";
    assert_eq!(ended.success(), expected);
}

#[test]
fn messages_and_how_it_ended_are_lines_of_json() {
    let address = ws_server(|mut ws| {
        ws.send(Message::text("a\n\u{202e}")).expect("sent");
        ws.send(Message::binary(&b"\xff"[..])).expect("sent");
        let frame = CloseFrame { code: 4321.into(), reason: "enough".into() };
        ws.close(Some(frame)).expect("closing");
        while ws.read().is_ok() {}
    });
    let secret = format!("{address}/?token=secret");
    let ended = run(&["connect", &secret, "--json"], b"");
    assert_eq!(ended.code, Some(4));
    let lines = ended.text().lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        let time = line["time"].take();
        assert_eq!(timeless(time.as_str().expect("a time")), "T");
        line.as_object_mut().expect("an object").remove("time");
        line
    });
    let expected = [
        json!({"event": "open", "address": format!("{address}/?token=REDACTED")}),
        json!({"kind": "text", "text": "a\n\u{202e}"}),
        json!({"kind": "binary", "base64": "/w=="}),
        json!({"event": "close", "code": 4321, "reason": "enough"}),
    ];
    assert_eq!(lines.collect::<Vec<Value>>(), expected);
}

#[test]
fn an_end_without_a_code_is_a_line_of_json_too_in_english() {
    let last = |address: &str| {
        let ended = run(&["--lang=es", "connect", address, "--json"], b"");
        let last = ended.text().lines().last().expect("a line").to_owned();
        let last: Value = serde_json::from_str(&last).expect("JSON");
        (ended.code, last["event"].clone(), last["error"].to_string())
    };
    let (code, event, _) = last(&tcp_server(drop));
    assert_eq!((code, event), (Some(0), json!("end")));
    let (code, event, error) = last(&ws_server(drop));
    assert_eq!((code, event), (Some(4), json!("lost")));
    assert!(error.contains("broke the connection off"), "{error}");
}

#[test]
fn a_reader_that_has_had_enough_ends_it_also_when_nothing_more_comes() {
    let (done, wait) = mpsc::channel::<()>();
    let address = tcp_server(move |mut stream| {
        stream.write_all(b"uno\n").expect("sent");
        // Nothing more, for as long as the test runs.
        let _ = wait.recv();
    });
    let mut command = enchufe(&["connect", &address]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = command.spawn().expect("the program starts");
    let _watchdog = Watchdog::of(&client);
    let mut reader = BufReader::new(client.stdout.take().expect("piped"));
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    // As `head -1` leaves. The input has not ended.
    drop(reader);
    let mut errors = String::new();
    client.stderr.take().expect("piped").read_to_string(&mut errors).expect("text");
    let code = client.wait().expect("a status").code();
    assert_eq!((line.as_str(), code, errors.as_str()), ("uno\n", Some(0), ""));
    drop(done);
}

#[test]
fn what_is_to_be_sent_is_sent_also_when_nobody_reads_the_answers() {
    let (sender, received) = mpsc::channel();
    let address = tcp_server(move |mut stream| {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("all of it");
        sender.send(bytes.len()).expect("the test listens");
    });
    let mut command = enchufe(&["connect", &address]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut client = command.spawn().expect("the program starts");
    let _watchdog = Watchdog::of(&client);
    drop(client.stdout.take());
    let mut stdin = client.stdin.take().expect("piped");
    for _ in 0..50 {
        stdin.write_all(&[b'x'; 100_000]).expect("it reads");
    }
    drop(stdin);
    assert_eq!(received.recv().expect("a number"), 5_000_000);
    assert_eq!(client.wait().expect("a status").code(), Some(0));
}

#[test]
fn a_long_transfer_says_how_it_goes_on_a_terminal_that_shows_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", listener.local_addr().expect("an address"));
    let (done, wait) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.write_all(&[b'x'; 3 << 20]).expect("sent");
        let _ = wait.recv();
    });
    let mut terminal = Terminal::start(enchufe(&["connect", &address]), Wiring::ErrorsOnly);
    terminal.sees_rows("how it goes", |rows| {
        rows.len() == 1 && rows[0].starts_with("sent 0 B (0 B/s), received 3.0 MiB (")
    });
    drop(done);
    assert_eq!(terminal.end(), Some(0));
}
