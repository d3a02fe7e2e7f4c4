//! Readers of every form come, leave, crash and fall silent.

use std::{
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use enchufe::{
    core::Message,
    http,
    live::{NodeOptions, Patience},
};
use serde_json::{Value, json};
use tungstenite::WebSocket;

use crate::{
    common::{
        http::connect,
        reader::open,
        server::{Server, Setup, name},
    },
    watcher::{Known, Watcher, asked, asked_until, event, say, stream, v1},
};

const EVENTS: &str = "text/event-stream";
const NDJSON: &str = "application/x-ndjson";

/// Runs a test that may block, against a server with the channels `feed` and `other`.
async fn with(mut setup: Setup, test: impl FnOnce(SocketAddr) + Send + 'static) {
    setup.channels.push(("other", Default::default()));
    let server = Server::start_as(setup).await;
    let address = server.address;
    tokio::task::spawn_blocking(move || test(address)).await.expect("all is well");
    server.stop().await;
}

/// One that reads `feed`.
enum Reader {
    WebSocket(Box<WebSocket<TcpStream>>),
    Stream(BufReader<TcpStream>),
}

impl Reader {
    /// One of each form.
    fn all() -> [fn(SocketAddr) -> Self; 4] {
        [Self::raw, Self::v1, Self::events, Self::ndjson]
    }

    fn raw(address: SocketAddr) -> Self {
        Self::WebSocket(Box::new(open(connect(address), "/channels/feed", None)))
    }

    fn v1(address: SocketAddr) -> Self {
        let mut socket = v1(connect(address));
        say(&mut socket, &json!({ "subscribe": { "channel": "feed" } }));
        assert_eq!(event(&mut socket).0, "subscribed");
        Self::WebSocket(Box::new(socket))
    }

    fn events(address: SocketAddr) -> Self {
        Self::Stream(stream(address, "", EVENTS))
    }

    fn ndjson(address: SocketAddr) -> Self {
        Self::Stream(stream(address, "", NDJSON))
    }

    /// Says goodbye, where there is a word for it.
    fn close(self) {
        if let Self::WebSocket(mut socket) = self {
            socket.close(None).expect("it is open");
            while socket.read().is_ok() {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_every_form_are_told_of_when_they_come_and_when_they_leave() {
    with(Setup::default(), |address| {
        let mut watcher = Watcher::of(address);
        watcher.until(1);
        assert_eq!((watcher.known.snapshots, watcher.known.events), (1, 0), "it reads, too");
        for closes in [true, false] {
            let mut readers = Vec::new();
            for (before, form) in (1..).zip(Reader::all()) {
                readers.push(form(address));
                watcher.until(before + 1);
            }
            assert_eq!(asked(address)["count"], 5);
            for (reader, left) in readers.into_iter().zip((1..5).rev()) {
                if closes {
                    reader.close()
                } else {
                    drop(reader)
                }
                watcher.until(left);
            }
        }
        assert_eq!(watcher.known.snapshots, 1, "it was told of every step, and of each once");
        let said = asked(address);
        let known = watcher.known.readers.as_ref().expect("they are named");
        assert_eq!(
            said["readers"],
            json!(known.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>())
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_subscription_of_a_connection_is_a_reader_of_its_channel_while_it_stands() {
    with(Setup::default(), |address| {
        let mut watcher = Watcher::of(address);
        let mut socket = v1(connect(address));
        for channel in ["other", "feed"] {
            say(&mut socket, &json!({ "subscribe": { "channel": channel } }));
            assert_eq!(event(&mut socket).0, "subscribed");
        }
        watcher.until(2);
        say(&mut socket, &json!({ "presence": { "channel": "other" } }));
        let (kind, other) = event(&mut socket);
        assert_eq!(
            (kind.as_str(), &other["channel"], &other["count"]),
            ("presence", &json!("other"), &json!(1))
        );
        say(&mut socket, &json!({ "unsubscribe": { "channel": "feed" } }));
        watcher.until(1);
        // It stays, and is no reader of the channel any more.
        assert_eq!(event(&mut socket).0, "unsubscribed");
        say(&mut socket, &json!({ "subscribe": { "channel": "none" } }));
        assert_eq!(event(&mut socket).0, "error");
        say(&mut socket, &json!({ "subscribe": { "channel": "feed" } }));
        watcher.until(2);
    })
    .await;
}

/// The events of a stream that is told of readers, until so many are there.
fn follow(stream: &mut BufReader<TcpStream>, known: &mut Known, count: u64) {
    let mut kind = String::new();
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).expect("a line") > 0, "the stream ended");
        let line = line.trim_end();
        // HTTP's chunks are lines of their own, and none of ours.
        let body: Option<Value> = if let Some(event) = line.strip_prefix("event: ") {
            kind = event.to_owned();
            None
        } else if let Some(data) = line.strip_prefix("data: ") {
            Some(serde_json::from_str(data).expect("JSON"))
        } else if line.starts_with('{') {
            let item: Value = serde_json::from_str(line).expect("JSON");
            let (named, body) = item.as_object().and_then(|o| o.iter().next()).expect("a key");
            kind = named.clone();
            Some(body.clone())
        } else {
            None
        };
        if body.is_some_and(|body| known.take(&kind, &body)) && known.count == count {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_over_plain_http_are_told_on_request() {
    with(Setup::default(), |address| {
        for accept in [EVENTS, NDJSON] {
            let mut watching = stream(address, "?presence=events", accept);
            let mut known = Known::default();
            follow(&mut watching, &mut known, 1);
            let came = Reader::raw(address);
            follow(&mut watching, &mut known, 2);
            drop(came);
            follow(&mut watching, &mut known, 1);
            assert_eq!((known.snapshots, known.events), (1, 2));
            drop(watching);
            asked_until(address, 0);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_not_ask_is_told_nothing() {
    let server = Server::start(Default::default()).await;
    let address = server.address;
    let readers = tokio::task::spawn_blocking(move || {
        let readers: Vec<Reader> = Reader::all().map(|form| form(address)).into();
        let mut watcher = Watcher::of(address);
        watcher.until(5);
        for _ in 0..3 {
            let came = Reader::raw(address);
            watcher.until(6);
            came.close();
            watcher.until(5);
        }
        readers
    });
    let readers = readers.await.expect("they are there");
    server.publish("uno").await;
    let heard = tokio::task::spawn_blocking(move || {
        for reader in readers {
            match reader {
                Reader::WebSocket(mut socket) => {
                    let first = socket.read().expect("a message").into_text().expect("text");
                    assert!(first == "uno" || first.starts_with(r#"{"message""#), "{first}");
                }
                Reader::Stream(mut stream) => {
                    let mut heard = String::new();
                    while !heard.contains("uno") {
                        assert!(stream.read_line(&mut heard).expect("a line") > 0, "{heard}");
                    }
                    for word in ["presence", "join", "leave", "count"] {
                        assert!(!heard.contains(word), "{heard}");
                    }
                }
            }
        }
    });
    heard.await.expect("nobody was told");
    server.stop().await;
}

/// A server that finds out soon who has gone without a word.
fn impatient() -> Setup {
    let dead_after = Duration::from_secs(1);
    let patience = Patience {
        ping_interval: Duration::from_millis(100),
        dead_after,
        linger: Duration::from_millis(200),
    };
    Setup {
        node: NodeOptions { shards: 2, patience, ..NodeOptions::default() },
        site: http::Options {
            default_channel: Some(name("feed")),
            dead_after,
            ..Default::default()
        },
        ..Setup::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_sign_of_life_has_left_within_the_bound() {
    with(impatient(), |address| {
        let mut watcher = Watcher::of(address);
        // They are connected, and answer no ping.
        let silent = [Reader::raw(address), Reader::v1(address), Reader::v1(address)];
        watcher.until(4);
        watcher.until(1);
        drop(silent);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_takes_nothing_has_left_within_the_bound() {
    let server = Server::start_as(impatient()).await;
    let address = server.address;
    let stuck = tokio::task::spawn_blocking(move || {
        let stuck = [stream(address, "", EVENTS), stream(address, "", NDJSON)];
        asked_until(address, 2);
        stuck
    });
    let stuck = stuck.await.expect("they are there");
    for _ in 0..16 {
        let batch = vec![Message::binary(vec![7; 1 << 20])];
        server.node.broker().publish(&name("feed"), batch, None).await.expect("published");
    }
    tokio::task::spawn_blocking(move || asked_until(address, 0)).await.expect("they have left");
    drop(stuck);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_do_not_go_back_when_the_last_reader_has_left() {
    with(Setup::default(), |address| {
        let mut before = asked(address)["version"].as_u64().expect("a version");
        for _ in 0..3 {
            let reader = Reader::raw(address);
            asked_until(address, 1);
            drop(reader);
            let after = asked_until(address, 0)["version"].as_u64().expect("a version");
            assert_eq!(after, before + 2, "one came and one left");
            before = after;
        }
    })
    .await;
}
