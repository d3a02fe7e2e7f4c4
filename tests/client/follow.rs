//! What a follower tells, and what it does not put up with.

use std::time::Duration;

use enchufe::{
    Address, BindOptions, Connection, Listener,
    client::{Event, FollowError, Follower, Subscription},
    core::{GapReason, Message, Since},
    limits,
    live::broker::ChannelOptions,
};
use tokio::task::JoinHandle;

use crate::{
    at,
    common::server::{Server, Setup, name},
    following,
};

/// A server of `enchufe.v1` that says this to each who comes, and then nothing.
async fn saying(lines: &[&str]) -> (std::net::SocketAddr, JoinHandle<()>) {
    let address = Address::parse_serve("ws://127.0.0.1:0").expect("an address");
    let mut options = BindOptions::default();
    options.ws.protocols = vec!["enchufe.v1".to_owned()];
    let mut listener = Listener::bind(&address, &options).await.expect("a free port");
    let local = listener.local_addresses()[0].host_port().expect("a port").port;
    let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
    let serving = tokio::spawn(async move {
        let mut connections: Vec<Connection> = Vec::new();
        loop {
            let mut connection = listener.accept().await;
            for line in &lines {
                connection.send(Message::text(line.clone())).await.ok();
            }
            connections.push(connection);
        }
    });
    (([127, 0, 0, 1], local).into(), serving)
}

fn subscription(channel: &str, since: Since) -> Subscription {
    Subscription { channel: name(channel), since, slow: None }
}

#[tokio::test]
async fn what_cannot_be_is_an_error_and_never_a_message() {
    let message = |at: &str| {
        format!(
            r#"{{"message":{{"channel":"feed","position":"{at}","time":"2026-11-22T12:00:44Z","data":"x"}}}}"#
        )
    };
    let subscribed = r#"{"subscribed":{"channel":"feed","position":"a-1"}}"#;
    let other = message("a-2").replace("feed", "other");
    for (lines, why) in [
        (vec!["hola"], "expected"),
        (vec![subscribed, r#"{"message":{}}"#], "missing field"),
        (vec![subscribed, &message("a-2"), &message("a-2")], "came twice"),
        (vec![subscribed, &message("a-2"), &message("a-1")], "came after"),
        (vec![subscribed, &message("b-2")], "is of another log, and no gap was told"),
        (vec![subscribed, &other], "which nobody asked for"),
    ] {
        let (address, serving) = saying(&lines).await;
        let subscriptions = vec![subscription("feed", Since::Now)];
        let mut follower = Follower::new(at(address), subscriptions, following()).expect("one");
        let error = loop {
            match follower.next().await {
                Ok(Some(event)) => assert!(!matches!(event, Event::Lost { .. }), "{event:?}"),
                Ok(None) => panic!("no end was told: {lines:?}"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, FollowError::Nonsense { .. }), "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
        assert!(follower.next().await.expect("over").is_none());
        serving.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_channels_are_followed_on_one_connection_each_to_its_end() {
    let channels = vec![("a", ChannelOptions::default()), ("b/ñ", ChannelOptions::default())];
    let server = Server::start_as(Setup { channels, ..Setup::default() }).await;
    let broker = server.node.broker();
    for (channel, text) in [("a", "1"), ("b/ñ", "2"), ("a", "3")] {
        let published = broker.publish(&name(channel), vec![Message::text(text)], None).await;
        published.expect("the channel is there");
    }
    let subscriptions = vec![subscription("a", Since::All), subscription("b/ñ", Since::All)];
    let mut follower = Follower::new(at(server.address), subscriptions, following()).expect("two");
    let mut had: Vec<(String, String)> = Vec::new();
    let mut ended = Vec::new();
    while let Some(event) = follower.next().await.expect("no trouble") {
        match event {
            Event::Message { channel, message, .. } => {
                had.push((channel.to_string(), message.to_text().into_owned()));
            }
            Event::End { channel, status, .. } => ended.push((channel.to_string(), status)),
            _ => {}
        }
        if had.len() == 3 && ended.is_empty() {
            for channel in ["a", "b/ñ"] {
                broker.end(&name(channel), "exit 0".to_owned()).await.expect("there");
            }
        }
    }
    had.sort();
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(had, [pair("a", "1"), pair("a", "3"), pair("b/ñ", "2")]);
    ended.sort();
    assert_eq!(ended, [pair("a", "exit 0"), pair("b/ñ", "exit 0")]);
    server.stop().await;
}

#[tokio::test]
async fn more_channels_than_a_connection_has_are_refused_at_once() {
    let address = ([127, 0, 0, 1], 1).into();
    let channels = |count| (0..count).map(|n| subscription(&format!("c{n}"), Since::Now)).collect();
    Follower::new(at(address), channels(limits::SUBSCRIPTIONS_MAX), following()).expect("as many");
    let error = Follower::new(at(address), channels(limits::SUBSCRIPTIONS_MAX + 1), following());
    assert!(matches!(error, Err(FollowError::TooMany(65))), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_message_comes_whatever_is_in_it_and_a_longer_one_is_an_error() {
    let server = Server::start(ChannelOptions::default()).await;
    // Each of these bytes is six in JSON.
    let longest = "\u{1}".repeat(limits::MESSAGE_BYTES_MAX);
    server.publish(&longest).await;
    let follow = |bytes_max| {
        let mut options = following();
        options.message_bytes_max = bytes_max;
        let all = vec![subscription("feed", Since::All)];
        Follower::new(at(server.address), all, options).expect("one")
    };
    let mut follower = follow(limits::MESSAGE_BYTES_MAX);
    let heard = loop {
        match follower.next().await.expect("it fits").expect("no end") {
            Event::Message { message, .. } => break message,
            _ => continue,
        }
    };
    assert_eq!(heard, Message::text(longest));
    follower.close().await;
    let mut follower = follow(limits::MESSAGE_BYTES_MAX / 2);
    let error = loop {
        match follower.next().await {
            Ok(event) => assert!(matches!(event, Some(Event::Subscribed { .. })), "{event:?}"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, FollowError::Recv(_)) && !error.may_pass(), "{error:?}");
    drop(follower);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_with_another_log_is_a_gap_and_not_the_end() {
    let server = Server::start(ChannelOptions::default()).await;
    server.publish("uno").await;
    let address = server.address;
    let all = vec![subscription("feed", Since::All)];
    let mut follower = Follower::new(at(address), all, following()).expect("one");
    while !matches!(follower.next().await.expect("there"), Some(Event::Message { .. })) {}
    let (lost, ()) = tokio::join!(follower.next(), server.stop());
    assert!(matches!(lost, Ok(Some(Event::Lost { .. }))), "{lost:?}");
    let listen: &'static str = format!("http://{address}").leak();
    let server = Server::start_as(Setup { listen, ..Setup::default() }).await;
    server.publish("dos").await;
    server.end().await;
    let (mut gaps, mut messages) = (Vec::new(), Vec::new());
    while let Some(event) = follower.next().await.expect("it comes back") {
        match event {
            Event::Gap { gap, .. } => gaps.push(gap.reason),
            Event::Message { message, .. } => messages.push(message.to_text().into_owned()),
            _ => {}
        }
    }
    assert_eq!((gaps, messages), (vec![GapReason::Reset], vec!["dos".to_owned()]));
    server.stop().await;
}

#[tokio::test]
async fn who_is_not_there_to_begin_with_is_no_loss_and_who_was_is_waited_for() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let nobody = listener.local_addr().expect("bound");
    drop(listener);
    let now = || vec![subscription("feed", Since::Now)];
    let mut follower = Follower::new(at(nobody), now(), following()).expect("one");
    let error = follower.next().await.expect_err("nobody is there");
    assert!(matches!(error, FollowError::Open(_)), "{error:?}");

    let (address, serving) =
        saying(&[r#"{"subscribed":{"channel":"feed","position":"a-1"}}"#]).await;
    let mut follower = Follower::new(at(address), now(), following()).expect("one");
    let subscribed = follower.next().await.expect("there");
    assert!(matches!(subscribed, Some(Event::Subscribed { .. })), "{subscribed:?}");
    serving.abort();
    for _ in 0..3 {
        let lost = tokio::time::timeout(Duration::from_secs(30), follower.next()).await;
        let lost = lost.expect("soon").expect("it is tried again");
        assert!(matches!(lost, Some(Event::Lost { .. })), "{lost:?}");
    }
    let resumes: Vec<String> = follower.positions().map(|(_, at)| at.to_string()).collect();
    assert_eq!(resumes, ["a-1"]);
}
