//! What viewers of `enchufe.v1` publish and look up, and how they are answered.

use std::{
    io::{ErrorKind, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use enchufe::{
    core::{Message as Published, Since, SlowPolicy},
    limits,
    live::broker::{ChannelOptions, PageLimit, Publishers, Rule, Rules},
};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client::IntoClientRequest, http::HeaderValue};

use crate::common::{
    http::{UPGRADE, ask, connect, connect_small},
    reader::open,
    server::{Server, Setup, name},
};

type Socket = WebSocket<TcpStream>;

fn v1(address: SocketAddr) -> Socket {
    open(connect(address), "/", Some("enchufe.v1"))
}

/// One that comes by way of a proxy, and may not publish therefore.
fn v1_from_elsewhere(address: SocketAddr) -> Socket {
    let mut request = format!("ws://{address}/").into_client_request().expect("a good request");
    for (name, value) in
        [("Sec-WebSocket-Protocol", "enchufe.v1"), ("X-Forwarded-For", "192.0.2.1")]
    {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    tungstenite::client(request, connect(address)).expect("the handshake succeeds").0
}

fn send(socket: &mut Socket, command: &Value) {
    socket.send(Message::text(command.to_string())).expect("it is open");
}

fn receive(socket: &mut Socket) -> Value {
    let text = socket.read().expect("an answer").into_text().expect("text");
    serde_json::from_str(&text).expect("JSON")
}

fn say(socket: &mut Socket, command: &Value) -> Value {
    send(socket, command);
    receive(socket)
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(act).await.expect("no panic")
}

/// What is in the channel.
fn published(server: &Server) -> Vec<Published> {
    let broker = server.node.broker().clone();
    let limit = PageLimit { len_max: usize::MAX, bytes_max: usize::MAX };
    let read = async move {
        let start = broker.resolve(&name("feed"), Since::All).await;
        let after = start.expect("it is there").after;
        broker.history(&name("feed"), after, limit).await.expect("it is there").items
    };
    let items = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(read));
    items.iter().map(|item| item.message().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_answered_with_its_position_and_everybody_has_it() {
    let server = Server::start(ChannelOptions::default()).await;
    let address = server.address;
    blocking(move || {
        let (mut speaker, mut reader) = (v1(address), v1(address));
        let subscribed =
            say(&mut reader, &json!({ "subscribe": { "channel": "feed" }, "id": "s" }));
        assert_eq!(subscribed["id"], "s");
        let publish = |what: Value, id: u64| json!({ "publish": what, "id": id });
        let text = say(&mut speaker, &publish(json!({ "channel": "feed", "data": "uno" }), 1));
        assert_eq!((&text["id"], &text["published"]["channel"]), (&1.into(), &"feed".into()));
        let binary = publish(json!({ "channel": "feed", "base64": "/wA=" }), 2);
        let binary = say(&mut speaker, &binary);
        let with_key = publish(json!({ "channel": "feed", "data": "dos", "key": "k" }), 3);
        let first = say(&mut speaker, &with_key);
        let again = say(&mut speaker, &with_key);
        assert_eq!(first["published"]["duplicate"], false);
        assert_eq!(again["published"]["duplicate"], true);
        assert_eq!(again["published"]["position"], first["published"]["position"]);
        let other = publish(json!({ "channel": "feed", "data": "tres", "key": "k" }), 4);
        let other = say(&mut speaker, &other);
        assert_eq!((&other["error"]["code"], &other["id"]), (&"key_reused".into(), &4.into()));
        for (answer, what, payload) in
            [(&text, "data", "uno"), (&binary, "base64", "/wA="), (&first, "data", "dos")]
        {
            let message = receive(&mut reader);
            assert_eq!(message["message"][what], payload);
            assert_eq!(message["message"]["position"], answer["published"]["position"]);
        }
    })
    .await;
    assert_eq!(published(&server).len(), 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_published_has_a_code_and_the_connection_goes_on() {
    let generated = ChannelOptions { generated: true, ..ChannelOptions::default() };
    let setup = Setup {
        channels: vec![
            ("feed", ChannelOptions::default()),
            ("clock", generated),
            ("over", ChannelOptions::default()),
        ],
        ..Setup::default()
    };
    let server = Server::start_as(setup).await;
    server.node.broker().end(&name("over"), "exit 0".to_owned()).await.expect("it is there");
    let address = server.address;
    blocking(move || {
        let mut socket = v1(address);
        let large = "x".repeat(limits::MESSAGE_BYTES_MAX + 1);
        let long_key = "k".repeat(limits::IDEMPOTENCY_KEY_BYTES_MAX + 1);
        for (what, code) in [
            (json!({ "channel": "none", "data": "" }), "unknown_channel"),
            (json!({ "channel": "a//b", "data": "" }), "bad_channel"),
            (json!({ "channel": "over", "data": "" }), "ended"),
            (json!({ "channel": "clock", "data": "" }), "generated"),
            (json!({ "channel": "feed", "data": large }), "message_too_large"),
            (json!({ "channel": "feed", "data": "", "key": long_key }), "bad_key"),
            (json!({ "channel": "feed", "data": "", "key": "" }), "bad_key"),
            (json!({ "channel": "feed" }), "bad_command"),
        ] {
            let answer = say(&mut socket, &json!({ "publish": what, "id": code }));
            assert_eq!((&answer["error"]["code"], &answer["id"]), (&code.into(), &code.into()));
        }
        let published = json!({ "publish": { "channel": "feed", "data": "y".repeat(1 << 20) } });
        assert!(say(&mut socket, &published)["published"].is_object(), "the longest there is");
    })
    .await;
    assert_eq!(published(&server).len(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_publish_is_decided_when_the_connection_is_opened() {
    let publish = Publishers::Readers;
    let of_readers = ChannelOptions { publish, ..ChannelOptions::default() };
    let setup = Setup {
        channels: vec![("feed", ChannelOptions::default()), ("room", of_readers)],
        ..Setup::default()
    };
    let server = Server::start_as(setup).await;
    let address = server.address;
    blocking(move || {
        let mut socket = v1_from_elsewhere(address);
        let publish = |channel| json!({ "publish": { "channel": channel, "data": "x" } });
        assert_eq!(say(&mut socket, &publish("feed"))["error"]["code"], "unauthorized");
        let history = json!({ "history": { "channel": "feed" } });
        assert!(say(&mut socket, &history)["history"].is_object(), "it may read");
        // Everybody may speak where readers may.
        assert!(say(&mut socket, &publish("room"))["published"].is_object());
        let long = json!({ "publish": { "channel": "room", "data": "x".repeat(20 << 10) } });
        send(&mut socket, &long);
        let Ok(Message::Close(Some(close))) = socket.read() else { panic!("a close is due") };
        assert_eq!(u16::from(close.code), 1009, "commands of those who may not are short");
    })
    .await;
    assert_eq!(published(&server).len(), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_chooses_what_the_channel_allows_and_blocks_only_with_authority() {
    let choosing = |choices: &[SlowPolicy]| ChannelOptions {
        slow_allowed: choices.iter().copied().collect(),
        ..ChannelOptions::default()
    };
    let setup = Setup {
        channels: vec![("feed", choosing(&[SlowPolicy::Block])), ("strict", choosing(&[]))],
        ..Setup::default()
    };
    let server = Server::start_as(setup).await;
    let address = server.address;
    blocking(move || {
        let (mut here, mut elsewhere) = (v1(address), v1_from_elsewhere(address));
        let subscribe = |socket: &mut Socket, channel: &str, slow: &str| {
            let what = json!({ "channel": channel, "slow": slow });
            let answer = say(socket, &json!({ "subscribe": what, "id": 1 }));
            assert_eq!(answer["id"], 1);
            if answer["subscribed"].is_object() {
                say(socket, &json!({ "unsubscribe": { "channel": channel } }));
            }
            answer["error"]["code"].as_str().unwrap_or("none").to_owned()
        };
        for (channel, slow, with_authority, without) in [
            ("feed", "block", "none", "unauthorized"),
            ("feed", "cut", "slow_not_allowed", "slow_not_allowed"),
            ("strict", "block", "slow_not_allowed", "slow_not_allowed"),
            ("strict", "skip", "none", "none"),
        ] {
            assert_eq!(subscribe(&mut here, channel, slow), with_authority, "{channel} {slow}");
            assert_eq!(subscribe(&mut elsewhere, channel, slow), without, "{channel} {slow}");
            for form in
                [&UPGRADE[..], &["Accept: text/event-stream"], &["Accept: application/x-ndjson"]]
            {
                let line = format!("GET /channels/{channel}?slow={slow}");
                let via =
                    |header| ask(address, &line, &[form, &["Host: localhost", header]].concat());
                for (header, code) in [("X: y", with_authority), ("Via: proxy", without)] {
                    let (reply, expected) = (
                        via(header),
                        match code {
                            "none" => 0,
                            "unauthorized" => 401,
                            _ => 403,
                        },
                    );
                    match expected {
                        0 => assert!(matches!(reply.status, 101 | 200), "{reply:?}"),
                        status => assert_eq!(reply.status, status, "{reply:?}"),
                    }
                    assert!(expected == 0 || reply.body.contains(code), "{reply:?}");
                }
            }
        }
    })
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_read_page_by_page() {
    let server =
        Server::start(ChannelOptions { history_len_max: 10, ..ChannelOptions::default() }).await;
    server.publish_numbers(15).await;
    let address = server.address;
    blocking(move || {
        let mut socket = v1(address);
        let history = |what: Value| json!({ "history": what, "id": 1 });
        let newest = say(&mut socket, &history(json!({ "channel": "feed", "limit": 2 })));
        assert_eq!(newest["history"]["items"][0]["data"], "14");
        assert_eq!(newest["history"]["next"], newest["history"]["head"]);
        let (mut since, mut data) = (Value::from("all"), Vec::new());
        loop {
            let what = json!({ "channel": "feed", "since": since, "limit": 4 });
            let page = say(&mut socket, &history(what));
            assert_eq!((&page["id"], &page["history"]["gap"]), (&1.into(), &Value::Null));
            let items = page["history"]["items"].as_array().expect("a list").clone();
            data.extend(items.iter().map(|item| item["data"].as_str().expect("text").to_owned()));
            if page["history"]["next"] == page["history"]["head"] {
                break;
            }
            since = page["history"]["next"].clone();
        }
        assert_eq!(data, (6..=15).map(|number| number.to_string()).collect::<Vec<_>>());
        let foreign = say(&mut socket, &history(json!({ "channel": "feed", "since": "7-3" })));
        assert_eq!(foreign["history"]["gap"]["reason"], "reset");
        for (what, code) in [
            (json!({ "channel": "feed", "limit": 0 }), "bad_limit"),
            (json!({ "channel": "feed", "limit": 1_001 }), "bad_limit"),
            (json!({ "channel": "none" }), "unknown_channel"),
            (json!({ "channel": "feed", "since": "7" }), "bad_since"),
        ] {
            assert_eq!(say(&mut socket, &history(what))["error"]["code"], code);
        }
    })
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_speaks_to_many_channels_in_the_order_in_which_it_spoke() {
    let rule =
        Rule { pattern: "room/*".parse().expect("a pattern"), options: ChannelOptions::default() };
    let setup = Setup { rules: Rules::from_iter([rule]), ..Setup::default() };
    let server = Server::start_as(setup).await;
    let address = server.address;
    blocking(move || {
        let mut socket = v1(address);
        for id in 0..2_000 {
            let channel = format!("room/{}", id % 100);
            let publish = json!({ "channel": channel, "data": id.to_string() });
            send(&mut socket, &json!({ "publish": publish, "id": id }));
        }
        for id in 0..2_000 {
            let answer = receive(&mut socket);
            assert_eq!(answer["id"], id);
            let position = &answer["published"]["position"];
            assert_eq!(crate::common::reader::offset(position), 1 + id / 100);
        }
    })
    .await;
    assert_eq!(server.node.broker().channel_count(), 101);
    server.stop().await;
}

/// Sends commands until the server takes no more of them, and says how many it has sent.
fn send_until_held_up(socket: &mut Socket, command: impl Fn(usize) -> Value) -> usize {
    socket.get_mut().set_write_timeout(Some(Duration::from_secs(2))).expect("a time-out");
    for count in 0.. {
        let command = Message::text(command(count).to_string());
        match socket.send(command) {
            Ok(()) => {}
            Err(tungstenite::Error::Io(error))
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                // It is written as far as it goes, and the rest of it later.
                return count + 1;
            }
            Err(error) => panic!("after {count}: {error}"),
        }
    }
    unreachable!("it is held up")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_take_the_answers_is_not_read_and_has_them_all_in_the_end() {
    let server = Server::start(ChannelOptions::default()).await;
    let address = server.address;
    let sent = blocking(move || {
        let mut socket = open(connect_small(address), "/", Some("enchufe.v1"));
        let padding = "x".repeat(1_000);
        let sent = send_until_held_up(&mut socket, |id| {
            let data = format!("{id} {padding}");
            json!({ "publish": { "channel": "feed", "data": data }, "id": id })
        });
        socket.get_mut().set_write_timeout(Some(Duration::from_secs(30))).expect("a time-out");
        for id in 0..sent {
            if id + 1 == sent {
                // The last may be only half on its way: the server reads again by now.
                socket.flush().expect("it is taken");
            }
            assert_eq!(receive(&mut socket)["id"], id);
        }
        sent
    })
    .await;
    assert!(sent > 100, "{sent}");
    let head = server.node.broker().state(&name("feed")).expect("it is there").head;
    assert_eq!(head.offset, sent as u64, "nothing is lost and nothing published twice");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_more_history_than_it_takes_is_held_up_and_has_it_all_in_the_end() {
    let server = Server::start(ChannelOptions::default()).await;
    let large = "x".repeat(limits::MESSAGE_BYTES_MAX);
    server.publish(&large).await;
    let address = server.address;
    blocking(move || {
        let mut socket = open(connect_small(address), "/", Some("enchufe.v1"));
        for id in 0..20 {
            let history = json!({ "history": { "channel": "feed" }, "id": id });
            send(&mut socket, &history);
        }
        // What is said meanwhile is heard, too.
        send(&mut socket, &json!({ "ping": {}, "id": "p" }));
        let answers: Vec<Value> = (0..=20).map(|_| receive(&mut socket)).collect();
        let (pages, others): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer["history"].is_object());
        assert_eq!(others, [json!({ "pong": {}, "id": "p" })]);
        assert_eq!(pages.len(), 20);
        for (id, page) in pages.iter().enumerate() {
            assert_eq!(page["id"], id);
            assert_eq!(page["history"]["items"][0]["data"], large);
        }
    })
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_publishes_faster_than_readers_read_is_slowed_down_and_loses_nothing() {
    let options = ChannelOptions {
        history_len_max: 100,
        patience: Duration::from_secs(30),
        ..ChannelOptions::default()
    };
    let server = Server::start(options).await;
    let address = server.address;
    let mut reader = blocking(move || {
        let mut reader = open(connect_small(address), "/", Some("enchufe.v1"));
        say(&mut reader, &json!({ "subscribe": { "channel": "feed" } }));
        reader
    })
    .await;
    const COUNT: u64 = 20_000;
    let speaking = tokio::task::spawn_blocking(move || {
        let mut speaker = v1(address);
        let padding = "x".repeat(500);
        let mut listener = TcpStream::try_clone(speaker.get_ref()).expect("a clone");
        let writing = std::thread::spawn(move || {
            for id in 0..COUNT {
                let data = format!("{id} {padding}");
                let publish = json!({ "publish": { "channel": "feed", "data": data }, "id": id });
                listener.write_all(&masked(&publish.to_string())).expect("it is taken in the end");
            }
        });
        for id in 0..COUNT {
            assert_eq!(receive(&mut speaker)["id"], id);
        }
        writing.join().expect("no panic");
    });
    // Nobody reads: the history, what is under way and the kernel's buffers are full at some time.
    let head = || server.node.broker().state(&name("feed")).expect("it is there").head.offset;
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if std::mem::replace(&mut before, head()) == head() && before > 0 {
            break;
        }
    }
    assert!(before < COUNT, "it was held up");
    blocking(move || {
        for id in 0..COUNT {
            let message = receive(&mut reader);
            let data = message["message"]["data"].as_str().unwrap_or_else(|| panic!("{message}"));
            assert!(data.starts_with(&format!("{id} ")), "{message}");
        }
    })
    .await;
    speaking.await.expect("no panic");
    server.stop().await;
}

/// A text frame as a client sends it, with a mask of zeros.
fn masked(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("short");
    assert!(length > 125, "it has a length of two bytes");
    [&[0x81, 0xfe][..], &length.to_be_bytes(), &[0; 4], text.as_bytes()].concat()
}
