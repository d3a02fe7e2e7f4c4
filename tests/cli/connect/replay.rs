//! `connect --replay`: what clients sent in a recording is sent again.

use std::{io::Write as _, sync::mpsc};

use tempfile::NamedTempFile;
use tungstenite::Message;

use super::peers::{Turns, text, turn};
use crate::{
    harness::{Running, run},
    recorded::recorded,
};

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().expect("text")
}

#[test]
fn a_client_is_replayed_with_its_kinds_and_ends_as_it_did() {
    let file = recorded(&[
        r#"{"t":100,"conn":7,"event":"open","peer":"a"}"#,
        r#"{"t":100.01,"conn":7,"dir":">","kind":"text","text":"uno"}"#,
        r#"{"t":100.02,"conn":7,"dir":"<","kind":"text","text":"not ours to send"}"#,
        r#"{"t":100.03,"conn":7,"dir":">","kind":"binary","text":"dos"}"#,
        r#"{"t":100.04,"conn":7,"event":"close"}"#,
    ]);
    let (sender, received) = mpsc::channel();
    let address = super::peers::ws_server(move |mut ws| {
        while let Ok(message) = ws.read() {
            if message.is_text() {
                ws.send(Message::text("heard")).expect("sent");
            }
            sender.send(message).expect("the test listens");
        }
    });
    let flags = ["--replay", path(&file)];
    let ended = run(&[&["connect", &address], &flags[..]].concat(), b"not read");
    assert_eq!((ended.success(), ended.stderr.as_str()), ("heard\n", ""));
    let received: Vec<Message> = received.iter().take(2).collect();
    assert_eq!(received, [Message::text("uno"), Message::binary(&b"dos"[..])]);
}

#[test]
fn every_connection_has_one_of_its_own_and_one_can_be_chosen() {
    let file = recorded(&[
        r#"{"t":0,"conn":1,"event":"open","peer":"a"}"#,
        r#"{"t":0,"conn":2,"event":"open","peer":"b"}"#,
        r#"{"t":0,"conn":2,"dir":">","kind":"text","text":"of 2"}"#,
        r#"{"t":0,"conn":1,"dir":">","kind":"text","text":"of 1"}"#,
    ]);
    let says_what_it_hears = || {
        turn(|mut ws, say| {
            say.send(text(&mut ws)).expect("the test listens");
            while ws.read().is_ok() {}
        })
    };
    let server = Turns::new(vec![says_what_it_hears(), says_what_it_hears()]);
    let flags = ["--replay", path(&file), "--wait=10ms", "--speed=max"];
    let ended = run(&[&["connect", &server.address], &flags[..]].concat(), b"");
    assert_eq!(ended.code, Some(0), "nothing was answered then either: {ended:?}");
    assert_eq!(server.rest(), ["of 1", "of 2"]);

    let server = Turns::new(vec![says_what_it_hears()]);
    let flags = [&flags[..], &["--replay-conn=2"]].concat();
    let ended = run(&[&["connect", &server.address], &flags[..]].concat(), b"");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(server.rest(), ["of 2"]);
}

#[test]
fn a_stream_gets_the_bytes_and_what_comes_back_can_be_expected() {
    let file = recorded(&[
        r#"{"t":0,"conn":1,"dir":">","kind":"bytes","text":"ho"}"#,
        r#"{"t":0.05,"conn":1,"dir":">","kind":"bytes","base64":"bGEK"}"#,
        r#"{"t":0.05,"conn":1,"dir":"<","kind":"bytes","text":"hola\n"}"#,
        r#"{"t":0.1,"conn":1,"dir":">","event":"end"}"#,
    ]);
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0"]);
    let address = server.address();
    let flags = ["connect", &address, "--replay", path(&file), "--speed=2"];
    assert_eq!(run(&flags, b"").success(), "hola\n");
    let met = [&flags[..], &["--expect=^hola$"]].concat();
    assert_eq!(run(&met, b"").code, Some(0));
    let unmet = [&flags[..], &["--expect=^adiós$"]].concat();
    assert_eq!(run(&unmet, b"").code, Some(6));
}

#[test]
fn what_is_no_recording_is_found_out_before_anything_is_sent() {
    let mut other = NamedTempFile::new().expect("a file");
    writeln!(other, "GET / HTTP/1.1").expect("written");
    let bad = recorded(&[r#"{"t":0,"conn":1,"dir":"?"}"#]);
    let empty = recorded(&[]);
    for (file, english, spanish) in [
        (path(&other), "it is no recording", "no es una grabación"),
        (path(&bad), "line 2 is not as in a recording", "la línea 2 no es la de una grabación"),
        (path(&empty), "there is no connection in it", "no contiene ninguna conexión"),
        ("/nowhere", "No such file", "no existe"),
    ] {
        for (language, words) in [("en", english), ("es", spanish)] {
            let flags = ["--lang", language, "connect", "tcp://127.0.0.1:1", "--replay", file];
            let ended = run(&flags, b"");
            assert_eq!((ended.code, ended.text()), (Some(2), ""), "{file}");
            assert!(ended.stderr.contains(words), "{ended:?}");
        }
    }
    let one = recorded(&[r#"{"t":0,"conn":1,"event":"open","peer":"a"}"#]);
    let flags = ["connect", "tcp://127.0.0.1:1", "--replay", path(&one), "--replay-conn=2"];
    let ended = run(&flags, b"");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("there is no connection 2 in it"), "{ended:?}");
}

#[test]
fn a_recording_that_was_cut_short_is_replayed_up_to_there_and_that_is_said() {
    let mut file = recorded(&[r#"{"t":0,"conn":1,"dir":">","kind":"text","text":"hola"}"#]);
    write!(file, r#"{{"t":1,"conn":1,"dir":">","ki"#).expect("written");
    let server = Running::start(&["serve", "echo", "tcp://127.0.0.1:0"]);
    let ended = run(&["connect", &server.address(), "--replay", path(&file)], b"");
    assert_eq!(ended.success(), "hola");
    let warning = format!("warning: '{}' was cut short in line 3; ", path(&file));
    assert!(ended.stderr.starts_with(&warning), "{ended:?}");
}
