//! `connect --expect`: what is waited for, until when, and what is said when it does not come.

use std::io::{Read as _, Write as _};

use tungstenite::Message;

use super::peers::{Turns, closes, tcp_server, turn, ws_server};
use crate::harness::run;

#[test]
fn it_ends_once_everything_expected_has_come_in_its_order() {
    let address = ws_server(|mut ws| {
        for text in ["uno", "dos", "tres", "cuatro"] {
            ws.send(Message::text(text)).expect("sent");
        }
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address, "--expect=uno", "--expect=^t"], b"");
    assert_eq!((ended.success(), ended.stderr.as_str()), ("uno\ndos\ntres\n", ""));
}

#[test]
fn a_stream_is_matched_by_lines_and_its_last_question_too() {
    let address = tcp_server(|mut stream| {
        stream.write_all(b"220 host ESM").expect("sent");
        stream.write_all(b"TP\r\nlogin: ").expect("sent");
        // Stays until the client goes.
        let _ = stream.read(&mut [0]);
    });
    let ended = run(&["connect", &address, "--expect=^220 .*TP$", "--expect=^login: $"], b"");
    assert_eq!(ended.success(), "220 host ESMTP\r\nlogin: ");
}

#[test]
fn what_came_instead_is_said_in_both_languages_and_cannot_drive_the_terminal() {
    let server = |_| {
        ws_server(|mut ws| {
            ws.send(Message::text("one\x1b[2J\nerror: no")).expect("sent");
            ws.send(Message::text("two")).expect("sent");
            while ws.read().is_ok() {}
        })
    };
    for (language, stderr) in [
        (
            "en",
            "error: 'six' was expected (2 of 2) and did not come within 2 s\n  < two\n\
             hint: --within TIME waits longer\n",
        ),
        (
            "es",
            "error: se esperaba 'six' (2 de 2) y no llegó en 2 s\n  < two\n\
             sugerencia: --within TIEMPO espera más\n",
        ),
    ] {
        let address = server(());
        let flags = ["--lang", language, "connect", &address, "--expect=one", "--expect=six"];
        let ended = run(&[&flags[..], &["--within=2s"]].concat(), b"");
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(6), stderr));
    }
    let address = server(());
    let ended = run(&["connect", &address, "--expect=six", "--within=1h", "--count=2"], b"");
    assert_eq!(ended.code, Some(6));
    assert!(ended.stderr.ends_with("\n  < one\\x1b[2J\\nerror: no\n  < two\n"), "{ended:?}");
}

#[test]
fn a_peer_that_ends_before_is_not_waited_for() {
    let address = tcp_server(|mut stream| stream.write_all(b"busy\n").expect("sent"));
    let ended = run(&["connect", &address, "--expect=ready", "--within=1h"], b"");
    assert_eq!((ended.code, ended.text()), (Some(6), "busy\n"));
    let first = "error: 'ready' was expected and did not come before the end\n  < busy\n";
    assert!(ended.stderr.starts_with(first), "{ended:?}");

    let address = super::peers::closing(4321, "enough");
    let ended = run(&["connect", &address, "--expect=ready", "--within=1h"], b"");
    assert_eq!(ended.code, Some(6));
    let first = "error: 'ready' was expected and did not come before this: the peer closed with \
                 code 4321: enough\n  nothing came\n";
    assert!(ended.stderr.starts_with(first), "{ended:?}");
}

#[test]
fn a_count_and_keep_open_read_on_after_what_was_expected() {
    let talk = |count: usize| {
        ws_server(move |mut ws| {
            for number in 0..count {
                ws.send(Message::text(number.to_string())).expect("sent");
            }
            ws.close(None).expect("closing");
            while ws.read().is_ok() {}
        })
    };
    let ended = run(&["connect", &talk(4), "--expect=0", "--keep-open"], b"");
    assert_eq!(ended.success(), "0\n1\n2\n3\n");
    let ended = run(&["connect", &talk(4), "--expect=0", "--count=2"], b"");
    assert_eq!(ended.success(), "0\n1\n");
    let ended = run(&["connect", &talk(4), "--expect=3", "--count=2"], b"");
    assert_eq!((ended.code, ended.text()), (Some(6), "0\n1\n"));
}

#[test]
fn what_is_expected_may_come_on_a_later_connection() {
    let says = |said: &'static str| {
        turn(move |mut ws, _| {
            ws.send(Message::text(said)).expect("sent");
            while ws.read().is_ok() {}
        })
    };
    let server = Turns::new(vec![closes(1012, ""), says("ready")]);
    let flags = ["--expect=ready", "--within=1h", "--reconnect"];
    let ended = run(&[&["connect", &server.address], &flags[..]].concat(), b"");
    assert_eq!(ended.success(), "ready\n");
    // It is too late also while there is no connection.
    let refusal = "HTTP/1.1 503 Busy\r\nRetry-After: 100\r\nContent-Length: 0\r\n\r\n";
    let refuses: super::peers::Turn =
        Box::new(move |stream, _| super::peers::respond(stream, refusal));
    let server = Turns::new(vec![closes(1012, ""), refuses]);
    let flags = ["--expect=ready", "--within=1s", "--reconnect"];
    let ended = run(&[&["connect", &server.address], &flags[..]].concat(), b"");
    assert_eq!(ended.code, Some(6), "{ended:?}");
}

#[test]
fn bytes_that_are_no_text_are_matched_too() {
    let address = ws_server(|mut ws| {
        ws.send(Message::binary(&b"\0\xff"[..])).expect("sent");
        while ws.read().is_ok() {}
    });
    let ended = run(&["connect", &address, "--expect=(?-u)^\\x00\\xff$", "--hex"], b"");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (rows, end) = ended.text().split_once("|\n").expect("a dump");
    assert_eq!((rows.starts_with("00000000  00 ff  "), end), (true, "00000002\n"));
}
