//! What `connect` sends because it was told to: header fields, kinds, pings, a last word.

use std::{
    io::Read as _,
    sync::mpsc::{self, Receiver},
};

use tungstenite::Message;

use super::peers::{request, tcp_server, text, ws_server};
use crate::harness::{Running, run};

/// A server that hands over every message of its client, its last word included.
fn listening() -> (String, Receiver<Message>) {
    let (sender, received) = mpsc::channel();
    let address = ws_server(move |mut ws| {
        while let Ok(message) = ws.read() {
            sender.send(message).expect("the test listens");
        }
    });
    (address, received)
}

#[test]
fn header_fields_are_sent_as_given() {
    let (sender, received) = mpsc::channel();
    let address = tcp_server(move |mut stream| {
        sender.send(request(&mut stream)).expect("the test listens");
    });
    let address = address.replace("tcp:", "ws:");
    let fields = ["--header", "Authorization: Bearer a:b=", "--header", "X-Año: ñ"];
    let refused = run(&[&["connect", &address], &fields[..]].concat(), b"");
    assert_eq!(refused.code, Some(2), "a name is ASCII");
    let fields = ["--header", "Authorization: Bearer a:b=", "--header", "x-year:año"];
    run(&[&["connect", &address], &fields[..]].concat(), b"");
    let head = received.recv().expect("a request");
    assert!(head.to_lowercase().contains("\r\nauthorization: bearer a:b=\r\n"), "{head}");
    assert!(head.contains("\r\nx-year: año\r\n"), "{head}");
}

#[test]
fn what_the_handshake_sets_itself_or_would_forge_a_field_is_refused() {
    for (field, hint) in [
        ("Host: example.org", "the handshake itself sets Host, "),
        ("sec-websocket-key: x", "the handshake itself sets Host, "),
        ("Origin: https://example.org", "use --origin for Origin"),
        ("X: a\r\nHost: b", "the value of a header field cannot have a line break"),
        ("no colon", "expected NAME: VALUE"),
    ] {
        let ended = run(&["connect", "ws://localhost:1", "--header", field], b"");
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{field}");
        let last = ended.stderr.lines().last().expect("a hint");
        assert!(last.starts_with(&format!("hint: {hint}")), "{ended:?}");
        let ended = run(&["--lang=es", "connect", "ws://localhost:1", "--header", field], b"");
        assert!(ended.code == Some(2) && ended.stderr.contains("\nsugerencia: "), "{ended:?}");
    }
}

#[test]
fn binary_messages_are_sent_as_such_also_when_they_are_text() {
    let (address, received) = listening();
    run(&["connect", &address, "--binary", "--wait=0"], b"uno\ndos\n");
    let received: Vec<Message> = received.iter().take(2).collect();
    assert_eq!(received, [Message::binary(&b"uno"[..]), Message::binary(&b"dos"[..])]);
}

#[test]
fn it_closes_with_the_code_and_the_reason_it_was_given() {
    let (address, received) = listening();
    let ended = run(&["connect", &address, "--close=4321:ya: está", "--wait=0"], b"x\n");
    assert_eq!(ended.code, Some(5), "nothing came back");
    let Some(Message::Close(Some(frame))) = received.iter().last() else { panic!("a close") };
    assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4321, "ya: está"));
    for code in ["999", "1005", "1006", "1015", "2000", "5000", "x", ""] {
        let ended = run(&["connect", &address, "--close", code], b"");
        assert_eq!(ended.code, Some(2), "{code}");
        assert!(ended.stderr.contains("1000–1003, 1007–1014 or 3000–4999"), "{ended:?}");
    }
}

#[test]
fn a_server_is_pinged_as_often_as_asked_and_given_up_when_it_says_nothing() {
    let address = ws_server(|mut ws| {
        assert!(matches!(ws.read(), Ok(Message::Ping(_))));
        ws.send(Message::text("pinged")).expect("sent");
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address, "--ping-interval=10ms", "--count=1"], b"");
    assert_eq!(ended.success(), "pinged\n");

    let address = ws_server(|ws| {
        // Reads, and never answers.
        let mut stream = ws.get_ref().try_clone().expect("one more descriptor");
        while stream.read(&mut [0; 100]).is_ok_and(|len| len > 0) {}
    });
    let ended = run(&["connect", &address, "--ping-interval=50ms"], b"");
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(ended.stderr.contains("has been silent for 0.15 s"), "{ended:?}");
    let ended = run(&["connect", &address, "--ping-interval=2d"], b"");
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[test]
fn a_longer_message_than_the_bound_is_refused_in_both_directions() {
    let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0", "--max-message=64KiB"]);
    let address = server.address();
    let line = |len: usize| [&vec![b'x'; len][..], b"\n"].concat();
    let fits = run(&["connect", &address], &line(64 << 10));
    assert_eq!(fits.success().len(), (64 << 10) + 1);
    let ended = run(&["connect", &address], &line((64 << 10) + 1));
    assert_eq!(ended.code, Some(4));
    assert!(ended.stderr.starts_with("error: the peer closed with code 1009"), "{ended:?}");
    let ended = run(&["connect", &address, "--max-message=9"], &line(10));
    assert_eq!(ended.code, Some(2));
    let error = "error: a message of the input is longer than 9 bytes\nhint: --max-message ";
    assert!(ended.stderr.starts_with(error), "{ended:?}");

    let address = ws_server(|mut ws| {
        ws.send(Message::text("ten bytes!")).expect("sent");
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address, "--max-message=9"], b"");
    assert_eq!((ended.code, ended.text()), (Some(4), ""));
    assert!(ended.stderr.contains("1009"), "{ended:?}");
    for size in ["0", "1KB", "-1", "x"] {
        let ended = run(&["serve", "echo", "ws://127.0.0.1:0", "--max-message", size], b"");
        assert_eq!(ended.code, Some(2), "{size}");
    }
}

#[test]
fn compression_is_offered_when_asked_and_changes_no_message() {
    for (flag, offers) in [(&["--compress"][..], true), (&[], false)] {
        let (sender, received) = mpsc::channel();
        let address = tcp_server(move |mut stream| {
            sender.send(request(&mut stream)).expect("the test listens");
        });
        run(&[&["connect", &address.replace("tcp:", "ws:")], flag].concat(), b"");
        let head = received.recv().expect("a request").to_lowercase();
        let offer = "\r\nsec-websocket-extensions: permessage-deflate";
        assert_eq!(head.contains(offer), offers, "{head}");
    }
    let server = Running::start(&["serve", "echo", "ws://127.0.0.1:0"]);
    let lines: String =
        (0..2_000).map(|number| format!("{} {number}\n", "año ".repeat(50))).collect();
    let arguments = ["connect", &server.address(), "--compress", "--count=2000"];
    let ended = run(&arguments, lines.as_bytes());
    assert!(ended.success() == lines, "{} bytes came back", ended.stdout.len());
}

#[test]
fn opening_messages_come_before_the_input_and_are_none_of_it() {
    let address = ws_server(|mut ws| {
        let texts = [text(&mut ws), text(&mut ws), text(&mut ws)];
        ws.send(Message::text(texts.join(","))).expect("sent");
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address, "--open=-a", "--open", "b", "--wait=100ms"], b"c\n");
    assert_eq!(ended.success(), "-a,b,c\n");
    // With an input that is empty from the start it listens.
    let address = ws_server(|mut ws| {
        let opening = text(&mut ws);
        std::thread::sleep(std::time::Duration::from_millis(1200));
        ws.send(Message::text(opening)).expect("sent");
        ws.close(None).expect("closing");
        while ws.read().is_ok() {}
    });
    assert_eq!(run(&["connect", &address, "--open=hola"], b"").success(), "hola\n");
}

#[test]
fn flags_of_websocket_mean_nothing_elsewhere() {
    for flag in [
        "--binary",
        "--compress",
        "--reconnect",
        "--header=a: b",
        "--ping-interval=1s",
        "--close=1000",
        "--max-message=1M",
    ] {
        let ended = run(&["connect", "tcp://localhost:1", flag], b"");
        assert_eq!((ended.code, ended.text()), (Some(2), ""), "{flag}");
        let name = flag.split('=').next().expect("a flag");
        let error = format!("error: {name} cannot be used with tcp://localhost:1\n");
        assert!(ended.stderr.starts_with(&error), "{ended:?}");
    }
    let ended = run(&["connect", "ws://localhost:1", "--reconnect-max=1"], b"");
    assert_eq!(ended.code, Some(2), "it needs --reconnect");
}
