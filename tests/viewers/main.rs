//! What WebSocket viewers may say, and what they are told.

#[path = "../common/mod.rs"]
mod common;

mod commands;

use std::net::TcpStream;

use common::{
    reader::open,
    server::{Server, name},
};
use enchufe::live::broker::ChannelOptions;
use serde_json::{Value, json};
use tungstenite::{Error, Message, WebSocket, protocol::CloseFrame};

type Socket = WebSocket<TcpStream>;

/// Runs `viewer` on a thread that may block, against a server with one message.
async fn with_server(viewer: impl FnOnce(Box<dyn Fn(&str, bool) -> Socket>) + Send + 'static) {
    let server = Server::start(ChannelOptions::default()).await;
    server.publish("uno").await;
    let address = server.address;
    let visit = tokio::task::spawn_blocking(move || {
        viewer(Box::new(move |path, is_v1| {
            let stream = TcpStream::connect(address).expect("it listens");
            open(stream, path, is_v1.then_some("enchufe.v1"))
        }));
    });
    visit.await.expect("the viewer is content");
    let state = server.node.broker().state(&name("feed")).expect("it is there");
    assert_eq!(state.head.offset, 1, "no viewer has published");
    server.stop().await;
}

fn closed(socket: &mut Socket) -> (u16, String) {
    loop {
        match socket.read() {
            Ok(Message::Close(Some(CloseFrame { code, reason }))) => {
                return (code.into(), reason.to_string());
            }
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn event(socket: &mut Socket) -> Value {
    let text = socket.read().expect("an event").into_text().expect("text");
    serde_json::from_str(&text).expect("JSON")
}

fn say(socket: &mut Socket, command: &Value) -> Value {
    socket.send(Message::text(command.to_string())).expect("it is open");
    event(socket)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_viewer_that_says_something_is_closed_with_the_position_to_resume_after() {
    with_server(|open| {
        let mut socket = open("/channels/feed?since=all", false);
        assert_eq!(socket.read().expect("the message"), Message::text("uno"));
        socket.send(Message::text("dos")).expect("it is open");
        let (code, reason) = closed(&mut socket);
        assert_eq!(code, 4003);
        assert!(reason.ends_with("-1"), "{reason}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_channel_is_at_the_root() {
    with_server(|open| {
        let mut socket = open("/?since=all", false);
        assert_eq!(socket.read().expect("the message"), Message::text("uno"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_refused_has_a_code_and_the_connection_goes_on() {
    with_server(|open| {
        let mut socket = open("/", true);
        for (command, code) in [
            (json!("hola"), "bad_command"),
            (json!({ "shout": {} }), "bad_command"),
            (json!({ "subscribe": { "channel": "" } }), "bad_channel"),
            (json!({ "subscribe": { "channel": "feed", "since": "42" } }), "bad_since"),
            (json!({ "subscribe": { "channel": "feed", "slow": "wait" } }), "bad_slow"),
            (json!({ "subscribe": { "channel": "feed", "slow": "block" } }), "slow_not_allowed"),
            (json!({ "subscribe": { "channel": "none" } }), "unknown_channel"),
            (json!({ "unsubscribe": { "channel": "feed" } }), "not_subscribed"),
        ] {
            let refused = say(&mut socket, &command);
            assert_eq!(refused["error"]["code"], code, "{command}");
            assert!(refused["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
        }
        assert_eq!(say(&mut socket, &json!({ "ping": {} })), json!({ "pong": {} }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_subscribed_once_and_again_after_it_was_left() {
    with_server(|open| {
        let mut socket = open("/", true);
        let subscribe = json!({ "subscribe": { "channel": "feed", "since": "all" } });
        assert!(say(&mut socket, &subscribe)["subscribed"].is_object());
        assert_eq!(event(&mut socket)["message"]["data"], "uno");
        assert_eq!(say(&mut socket, &subscribe)["error"]["code"], "already_subscribed");
        let left = say(&mut socket, &json!({ "unsubscribe": { "channel": "feed" } }));
        assert_eq!(left, json!({ "unsubscribed": { "channel": "feed" } }));
        assert!(say(&mut socket, &subscribe)["subscribed"].is_object());
        assert_eq!(event(&mut socket)["message"]["data"], "uno");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_is_not_a_command() {
    with_server(|open| {
        let mut socket = open("/", true);
        socket.send(Message::binary(vec![1])).expect("it is open");
        assert_eq!(closed(&mut socket).0, 1003);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_beyond_the_bound_of_what_may_be_published_is_1009() {
    with_server(|open| {
        let mut socket = open("/", true);
        let long = "x".repeat(enchufe::limits::PUBLISH_COMMAND_BYTES_MAX + 1);
        socket.send(Message::text(long)).expect("it is open");
        assert_eq!(closed(&mut socket).0, 1009);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_is_answered_and_then_the_connection_ends() {
    with_server(|open| {
        let mut socket = open("/channels/feed", false);
        socket.close(None).expect("it is open");
        loop {
            match socket.read() {
                Ok(_) => {}
                Err(Error::ConnectionClosed) => return,
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_is_answered_with_its_payload() {
    with_server(|open| {
        let mut socket = open("/channels/feed", false);
        socket.send(Message::Ping("eco".into())).expect("it is open");
        assert_eq!(socket.read().expect("a pong"), Message::Pong("eco".into()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_breaks_the_protocol_is_told_and_the_server_serves_on() {
    with_server(|open| {
        let mut socket = open("/channels/feed", false);
        // A client's frame without a mask.
        use std::io::Write as _;
        socket.get_mut().write_all(&[0x81, 0x01, b'x']).expect("it is open");
        assert_eq!(closed(&mut socket).0, 1002);
        let mut other = open("/channels/feed?since=all", false);
        assert_eq!(other.read().expect("the message"), Message::text("uno"));
    })
    .await;
}
