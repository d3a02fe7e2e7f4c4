//! Who reads a channel of a real server, while readers are started, stopped and killed.

use serde_json::Value;

use crate::harness::{Running, signal};

/// A server with the channel `feed`, and where it listens (`HOST:PORT`).
fn feed() -> (Running, String) {
    let server = Running::start(&["feed", "--listen", "http://127.0.0.1:0"]);
    loop {
        let notice = server.notice();
        if let Some((_, rest)) = notice.split_once("ws://") {
            let authority = rest.split('/').next().expect("a first part").to_owned();
            return (server, authority);
        }
    }
}

/// A client of `enchufe.v1` that says this first, and reads the answer.
fn v1(authority: &str, command: &str) -> Running {
    let url = format!("ws://{authority}/");
    let arguments = ["connect", &url, "--protocol", "enchufe.v1", "--keep-open"];
    let mut client = Running::start(&arguments);
    client.write(command.as_bytes());
    assert!(client.line().starts_with(r#"{"subscribed""#));
    client
}

/// A client of a stream over plain HTTP, which has its head.
fn stream(authority: &str, accept: &str) -> Running {
    let mut client = Running::start(&["connect", &format!("tcp://{authority}"), "--keep-open"]);
    let request =
        format!("GET /channels/feed HTTP/1.1\r\nHost: {authority}\r\nAccept: {accept}\r\n\r\n");
    client.write(request.as_bytes());
    while !client.line().is_empty() {}
    client
}

/// Reads what a watcher is told until so many are there.
fn until(watcher: &Running, count: u64) {
    loop {
        let event: Value = serde_json::from_str(&watcher.line()).expect("JSON");
        let body = event.as_object().and_then(|event| event.values().next()).expect("a key");
        if body["count"] == count {
            return;
        }
    }
}

#[test]
fn a_reader_that_is_killed_has_left_as_has_one_that_is_stopped() {
    let (server, authority) = feed();
    let watcher = v1(&authority, "{\"subscribe\":{\"channel\":\"feed\",\"presence\":true}}\n");
    until(&watcher, 1);
    for end in ["KILL", "TERM"] {
        let readers = [
            Running::start(&["connect", &format!("ws://{authority}/channels/feed"), "--keep-open"]),
            v1(&authority, "{\"subscribe\":{\"channel\":\"feed\"}}\n"),
            stream(&authority, "text/event-stream"),
            stream(&authority, "application/x-ndjson"),
        ];
        until(&watcher, 5);
        for (reader, left) in readers.iter().zip((1..5).rev()) {
            signal(reader.id(), end);
            until(&watcher, left);
        }
    }
    drop(watcher);
    assert_eq!(server.stop().code, Some(0));
}
