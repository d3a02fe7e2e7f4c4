//! Channels that are made on first use: by whom, how many, and how they go.

use std::{
    io::Write,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use enchufe::{
    core::Position,
    live::broker::{ChannelOptions, Rule, Rules},
};
use serde_json::Value;

use crate::common::{
    http::{Reply, UPGRADE, answer, ask, connect, head, post},
    server::{Server, Setup, name},
};

const HOST: &str = "Host: localhost";

/// Rules for these patterns.
fn rules(patterns: &[&str], options: &ChannelOptions) -> Rules {
    let rule = |pattern: &&str| Rule {
        pattern: pattern.parse().expect("a pattern"),
        options: options.clone(),
    };
    patterns.iter().map(rule).collect()
}

async fn start(rules: Rules) -> Server {
    Server::start_as(Setup { rules, ..Setup::default() }).await
}

/// A request with others to come on the same connection.
fn on(stream: &mut TcpStream, line: &str, headers: &[&str], body: &str) -> Reply {
    let length = format!("Content-Length: {}", body.len());
    let headers = [headers, &[HOST, "Connection: keep-alive", &length]].concat();
    let mut request = head(line, &headers);
    request.extend_from_slice(body.as_bytes());
    stream.write_all(&request).expect("it is open");
    answer(stream)
}

fn json(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap_or_else(|error| panic!("{error}: {reply:?}"))
}

fn history(address: SocketAddr, channel: &str, since: &str) -> Reply {
    let line = format!("GET /channels/{channel}?since={since}");
    ask(address, &line, &[HOST, "Accept: application/json"])
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_channels_are_published_to_read_and_listed() {
    const COUNT: usize = 10_000;
    let server = start(rules(&["room/*"], &ChannelOptions::default())).await;
    let mut stream = connect(server.address);
    for number in 0..COUNT {
        let line = format!("POST /channels/room/{number:05}");
        let reply = on(&mut stream, &line, &[], &format!("hola {number}"));
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    assert_eq!(server.node.broker().channel_count(), COUNT + 1);
    for number in 0..COUNT {
        let line = format!("GET /channels/room/{number:05}");
        let page = json(&on(&mut stream, &line, &["Accept: application/json"], ""));
        assert_eq!(page["items"][0]["data"], format!("hola {number}"));
        assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    }
    let (mut names, mut after) = (Vec::new(), String::new());
    loop {
        let list = json(&on(&mut stream, &format!("GET /channels?limit=999{after}"), &[], ""));
        let entries = list["channels"].as_array().expect("a list");
        assert!(entries.len() <= 999);
        names.extend(entries.iter().map(|entry| entry["name"].as_str().expect("text").to_owned()));
        let Some(next) = list["next"].as_str() else { break };
        after = format!("&after={}", next.replace('/', "%2F"));
    }
    let expected = (0..COUNT).map(|number| format!("room/{number:05}"));
    assert_eq!(names, ["feed".to_owned()].into_iter().chain(expected).collect::<Vec<_>>());
    // Whoever asks for no number gets so many, and is told that there are more.
    let list = json(&on(&mut stream, "GET /channels", &[], ""));
    assert_eq!(list["channels"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(list["next"], "room/00998");
    for wrong in ["limit=0", "limit=1001", "after=a//b", "after="] {
        assert_eq!(on(&mut stream, &format!("GET /channels?{wrong}"), &[], "").status, 400);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_first_makes_the_channel_and_a_name_without_a_rule_is_none() {
    let server = start(rules(&["chat/*"], &ChannelOptions::default())).await;
    let address = server.address;
    for (number, form) in [
        &["Accept: application/json"][..],
        &["Accept: text/event-stream"],
        &["Accept: application/x-ndjson"],
        &UPGRADE,
    ]
    .iter()
    .enumerate()
    {
        let headers = [&[HOST], *form].concat();
        let reply = ask(address, &format!("GET /channels/chat/{number}"), &headers);
        assert!(matches!(reply.status, 101 | 200), "{reply:?}");
        server.node.broker().state(&name(&format!("chat/{number}"))).expect("it was made");
        let other = ask(address, "GET /channels/chat/a/b", &headers);
        assert_eq!(other.status, 404, "{other:?}");
    }
    assert_eq!(post(address, "/channels/chat/published", &[], b"hola").status, 200);
    assert_eq!(post(address, "/channels/other", &[], b"hola").status, 404);
    // What only asks makes nothing.
    assert_eq!(ask(address, "HEAD /channels/chat/head", &[HOST]).status, 200);
    let page = ["Accept: text/html", HOST];
    assert_eq!(ask(address, "GET /channels/chat/page", &page).status, 200);
    assert_eq!(server.node.broker().channel_count(), 1 + 4 + 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_channels_are_made_than_there_may_be() {
    let rules = rules(&["**"], &ChannelOptions::default()).with_channels_max(3);
    let server = start(rules).await;
    for channel in ["a", "b"] {
        assert_eq!(post(server.address, &format!("/channels/{channel}"), &[], b"x").status, 200);
    }
    let reader = |accept| ask(server.address, "GET /channels/c", &[HOST, accept]);
    for reply in [
        post(server.address, "/channels/c", &[], b"x"),
        reader("Accept: application/json"),
        reader("Accept: application/x-ndjson"),
        ask(server.address, "GET /channels/c", &[&[HOST], &UPGRADE[..]].concat()),
    ] {
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("60")));
        assert_eq!(json(&reply)["error"]["code"], "too_many_channels");
        assert!(reply.body.contains("its 3 channels"), "{}", reply.body);
    }
    assert_eq!(post(server.address, "/channels/a", &[], b"x").status, 200, "those go on");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_channel_that_nobody_touches_go_by_age_and_positions_stay() {
    let options = ChannelOptions {
        history_age_max: Some(Duration::from_millis(1)),
        ..ChannelOptions::default()
    };
    let server = Server::start(options).await;
    let last = server.publish("uno").await;
    let oldest = || server.node.broker().state(&name("feed")).expect("it is there").before_oldest;
    server.until("the end of the message", |_| oldest() == last).await;
    let before = Position { offset: 0, ..last };
    let page = json(&history(server.address, "feed", &before.to_string()));
    assert_eq!(page["items"].as_array().map(Vec::len), Some(0));
    assert_eq!((&page["gap"]["reason"], &page["gap"]["missing"]), (&"expired".into(), &1.into()));
    assert_eq!(page["next"], last.to_string());
    let reply = post(server.address, "/channels/feed", &[], b"dos");
    let next = Position { offset: 2, ..last };
    assert_eq!(json(&reply)["first"], next.to_string());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_channel_goes_and_who_comes_back_is_told_that_its_log_has_gone() {
    let options =
        ChannelOptions { idle_expiry: Some(Duration::from_millis(1)), ..ChannelOptions::default() };
    let server = start(rules(&["chat/*"], &options)).await;
    let first = json(&post(server.address, "/channels/chat/ana", &[], b"uno"));
    server.until("the end of the channel", |node| node.broker().channel_count() == 1).await;
    server.node.broker().state(&name("feed")).expect("what was declared stays");
    let position = first["last"].as_str().expect("a position").to_owned();
    let page = json(&history(server.address, "chat/ana", &position));
    assert_eq!((&page["gap"]["reason"], &page["gap"]["after"]), (&"reset".into(), &first["last"]));
    let again = json(&post(server.address, "/channels/chat/ana", &[], b"uno"));
    assert_ne!(again["last"], first["last"], "another epoch");
    assert_eq!(again["last"].as_str().expect("a position").split_once('-').expect("two").1, "1");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_read_or_owes_an_answer_is_not_idle() {
    let options =
        ChannelOptions { idle_expiry: Some(Duration::from_millis(1)), ..ChannelOptions::default() };
    let server = start(rules(&["chat/*"], &options)).await;
    let mut reader = connect(server.address);
    let request = head("GET /channels/chat/read", &[HOST, "Accept: application/x-ndjson"]);
    reader.write_all(&request).expect("it is open");
    server.until("the reader", |node| node.stats().unfinished == 1).await;
    post(server.address, "/channels/chat/owing", &["Idempotency-Key: k"], b"uno");
    post(server.address, "/channels/chat/idle", &[], b"uno");
    let here = |channel: &str| server.node.broker().state(&name(channel)).is_ok();
    server.until("the end of the idle one", |_| !here("chat/idle")).await;
    assert!(here("chat/read") && here("chat/owing"));
    let again =
        json(&post(server.address, "/channels/chat/owing", &["Idempotency-Key: k"], b"uno"));
    assert_eq!(again["duplicate"], true);
    drop(reader);
    server.until("the end of what was read", |_| !here("chat/read")).await;
    server.stop().await;
}
