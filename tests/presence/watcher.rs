//! One who watches a channel's readers, and believes only what it is told.

use std::{collections::BTreeSet, io::BufReader, net::SocketAddr, net::TcpStream};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use crate::common::{
    http::{self, connect},
    reader::open,
};

/// What a client knows of the readers. Every event has to follow from what is known.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) count: u64,
    /// `None` when they are only counted.
    pub(crate) readers: Option<BTreeSet<u64>>,
    version: Option<u64>,
    pub(crate) snapshots: usize,
    pub(crate) events: usize,
}

fn ids(readers: &Value) -> BTreeSet<u64> {
    let readers = readers.as_array().expect("a list of readers");
    let ids: BTreeSet<u64> = readers.iter().map(|r| r["id"].as_u64().expect("an id")).collect();
    assert_eq!(ids.len(), readers.len(), "each once: {readers:?}");
    ids
}

impl Known {
    /// Takes an event of this kind; `false` when it is none of these.
    pub(crate) fn take(&mut self, kind: &str, body: &Value) -> bool {
        if !matches!(kind, "presence" | "join" | "leave" | "count") {
            return false;
        }
        let version = body["version"].as_u64().expect("a version");
        if kind == "presence" {
            assert!(self.version.is_none_or(|known| known <= version), "{body} after {self:?}");
            self.readers = body.get("readers").map(ids);
            self.snapshots += 1;
        } else {
            assert_eq!(self.version.map(|known| known + 1), Some(version), "{body}");
            self.events += 1;
        }
        (self.version, self.count) = (Some(version), body["count"].as_u64().expect("a count"));
        match kind {
            "join" => {
                let known = self.readers.as_mut().expect("they are named");
                assert!(ids(&body["readers"]).into_iter().all(|id| known.insert(id)), "{body}");
            }
            "leave" => {
                let known = self.readers.as_mut().expect("they are named");
                assert!(ids(&body["readers"]).iter().all(|id| known.remove(id)), "{body}");
            }
            "count" => self.readers = None,
            _ => {}
        }
        let named = self.readers.as_ref().map(BTreeSet::len);
        assert!(named.is_none_or(|len| len as u64 == self.count), "{body}");
        true
    }
}

/// A client of `enchufe.v1` that reads `feed` and is told who reads it.
pub(crate) struct Watcher {
    pub(crate) socket: WebSocket<TcpStream>,
    pub(crate) known: Known,
}

impl Watcher {
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self::on(connect(address))
    }

    pub(crate) fn on(stream: TcpStream) -> Self {
        let mut watcher = Self { socket: v1(stream), known: Known::default() };
        let subscribe = json!({ "subscribe": { "channel": "feed", "presence": true } });
        say(&mut watcher.socket, &subscribe);
        let (kind, _) = event(&mut watcher.socket);
        assert_eq!(kind, "subscribed");
        watcher
    }

    /// Reads on until this many readers are there.
    pub(crate) fn until(&mut self, count: u64) -> &mut Known {
        while self.known.version.is_none() || self.known.count != count {
            let (kind, body) = event(&mut self.socket);
            self.known.take(&kind, &body);
        }
        &mut self.known
    }
}

pub(crate) fn v1(stream: TcpStream) -> WebSocket<TcpStream> {
    open(stream, "/", Some("enchufe.v1"))
}

pub(crate) fn say(socket: &mut WebSocket<TcpStream>, command: &Value) {
    socket.send(Message::text(command.to_string())).expect("it is open");
}

/// The next event: its name, and what it says.
pub(crate) fn event(socket: &mut WebSocket<TcpStream>) -> (String, Value) {
    loop {
        if let Message::Text(text) = socket.read().expect("an event") {
            let event: Value = serde_json::from_str(&text).expect("JSON");
            let (kind, body) = event.as_object().and_then(|o| o.iter().next()).expect("a key");
            return (kind.clone(), body.clone());
        }
    }
}

/// What `GET /channels/feed?presence` says.
pub(crate) fn asked(address: SocketAddr) -> Value {
    let reply = http::ask(address, "GET /channels/feed?presence", &["Host: localhost"]);
    assert_eq!(reply.status, 200, "{reply:?}");
    serde_json::from_str(&reply.body).expect("JSON")
}

/// Asks until as many as that are said to read.
pub(crate) fn asked_until(address: SocketAddr, count: u64) -> Value {
    for _ in 0..3_000 {
        let said = asked(address);
        if said["count"] == count {
            return said;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("there are never {count} readers: {}", asked(address));
}

/// A stream over plain HTTP, whose head has come.
pub(crate) fn stream(address: SocketAddr, query: &str, accept: &str) -> BufReader<TcpStream> {
    use std::io::{BufRead as _, Write as _};
    let mut stream = connect(address);
    let line = format!("GET /channels/feed{query}");
    let head = http::head(&line, &["Host: localhost", &format!("Accept: {accept}")]);
    stream.write_all(&head).expect("it is open");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("an answer");
    assert!(line.contains(" 200 "), "{line}");
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).expect("a head");
    }
    reader
}
