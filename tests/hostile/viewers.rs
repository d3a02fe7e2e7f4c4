//! WebSocket viewers that do not read, do not close, come and go, or come all at once.

use std::{
    io::{Read, Write},
    net::Shutdown,
};

use enchufe::{core::Message, live::NodeOptions};
use serde_json::{Value, json};

use crate::{
    common::{
        http::{UPGRADE, answer, ask, connect, head},
        server::{Server, Setup, name},
    },
    support::{
        CLOSE, Form, PING, PONG, TEXT, close_code, frame, impatient, read_frame, reset, view,
        view_small,
    },
};

const HOST: &str = "Host: localhost";

/// More than the kernel takes for anybody.
async fn publish_much(server: &Server) {
    for _ in 0..16 {
        let batch = vec![Message::binary(vec![7; 1 << 20])];
        server.node.broker().publish(&name("feed"), batch, None).await.expect("it is published");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_shows_no_life_is_dropped() {
    let server = Server::start_as(Setup { node: impatient(), ..Setup::default() }).await;
    // It takes the pings and does not answer.
    let silent = view(server.address, Form::Raw);
    server.until("the end of the silent one", |node| node.stats().dropped == 1).await;
    assert_eq!(server.node.stats().viewers, 0);
    drop(silent);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_only_answers_pings_stays() {
    let server = Server::start_as(Setup { node: impatient(), ..Setup::default() }).await;
    let mut viewer = view(server.address, Form::Raw);
    // Half as long again as the time after which it would be dropped.
    for _ in 0..15 {
        let (head, payload) = read_frame(&mut viewer).expect("a ping");
        assert_eq!(head, PING);
        viewer.write_all(&frame(PONG, &payload)).expect("it is open");
    }
    assert_eq!((server.node.stats().viewers, server.node.stats().dropped), (1, 0));
    drop(viewer);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_is_to_close_and_reads_nothing_is_dropped_whatever_it_sends() {
    let server = Server::start_as(Setup { node: impatient(), ..Setup::default() }).await;
    let mut viewer = view_small(server.address, Form::Raw);
    publish_much(&server).await;
    // It may not send messages, and is to be told so behind what it does not read.
    viewer.write_all(&frame(TEXT, b"hello")).expect("it is open");
    while viewer.write_all(&frame(PONG, b"")).is_ok() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // It leaves before its shard, at the end of the round, says how.
    server.until("its end", |node| node.stats().dropped == 1).await;
    assert_eq!(server.node.stats().viewers, 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_does_not_take_the_close_is_dropped() {
    let server = Server::start_as(Setup { node: impatient(), ..Setup::default() }).await;
    let mut viewer = view(server.address, Form::Raw);
    viewer.write_all(&frame(TEXT, b"hello")).expect("it is open");
    assert_eq!(close_code(&mut viewer), Some(4003));
    // The write side is shut, and the viewer keeps its own open.
    // It leaves before its shard, at the end of the round, says how.
    server.until("its end", |node| node.stats().dropped == 1).await;
    assert_eq!(server.node.stats().viewers, 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_shuts_its_side_behind_a_mistake_hears_of_it() {
    let server = Server::start_as(Setup::default()).await;
    for (sent, code) in [(frame(TEXT, b"hello"), 4003), (frame(0x83, b""), 1002)] {
        let mut viewer = view(server.address, Form::Raw);
        viewer.write_all(&sent).expect("it is open");
        viewer.shutdown(Shutdown::Write).expect("it is open");
        assert_eq!(close_code(&mut viewer), Some(code));
        // Both sides are shut: nobody waits for anything.
        server.until("its end", |node| node.stats().viewers == 0).await;
    }
    assert_eq!(server.node.stats().dropped, 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_way_a_viewer_closes_it_is_gone() {
    let server = Server::start_as(Setup::default()).await;
    let ways: [fn(std::net::TcpStream); 6] = [
        drop,
        reset,
        |viewer| viewer.shutdown(Shutdown::Both).expect("it is open"),
        |mut viewer| {
            viewer.write_all(&frame(CLOSE, b"")).expect("it is open");
            assert_eq!(close_code(&mut viewer), Some(1000));
        },
        |mut viewer| {
            let both = [frame(CLOSE, &1001u16.to_be_bytes()), frame(TEXT, b"after it")].concat();
            viewer.write_all(&both).expect("it is open");
            assert_eq!(close_code(&mut viewer), Some(1001));
        },
        |mut viewer| {
            // Half a frame, and no more.
            viewer.write_all(&frame(TEXT, b"hello")[..8]).expect("it is open");
            viewer.shutdown(Shutdown::Write).expect("it is open");
            viewer.read_to_end(&mut Vec::new()).expect("the end");
        },
    ];
    for (index, way) in ways.into_iter().enumerate() {
        way(view(server.address, Form::Raw));
        way(view(server.address, Form::V1));
        server.until(&format!("the end, way {index}"), |node| node.stats().viewers == 0).await;
    }
    assert_eq!(server.node.stats().dropped, 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_protocol_is_answered_with_its_code() {
    let server = Server::start_as(Setup::default()).await;
    let text = |payload: &[u8]| frame(TEXT, payload);
    for (sent, code) in [
        (vec![0x81, 0x01, b'x'], 1002),
        (frame(0x91, b"rsv"), 1002),
        (frame(0x83, b"unknown"), 1002),
        (frame(0x80, b"goes on with nothing"), 1002),
        (frame(0x09, b"a ping in pieces"), 1002),
        (frame(CLOSE, &[3]), 1002),
        (frame(CLOSE, &1005u16.to_be_bytes()), 1002),
        (text(b"\xff\xfe"), 1007),
        // Longer than what this viewer, who may publish, may say.
        (vec![0x81, 0xff, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], 1009),
        (
            [&[0x01, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0][..], &[b'x'; 0x20_0000]]
                .concat()
                .into_iter()
                .chain(frame(0x80, b"x"))
                .collect(),
            1009,
        ),
        (frame(0x82, b"binary"), 1003),
    ] {
        let mut viewer = view(server.address, Form::V1);
        viewer.write_all(&sent).expect("it is open");
        // It hears why, although it goes on sending.
        viewer.write_all(&frame(PING, b"still here")).expect("it is open");
        let begins = &sent[..sent.len().min(20)];
        assert_eq!(close_code(&mut viewer), Some(code), "{begins:?}");
    }
    server.until("their end", |node| node.stats().viewers == 0).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_behind_the_handshake_in_one_packet_are_not_lost() {
    let server = Server::start_as(Setup::default()).await;
    let mut stream = connect(server.address);
    let first = head("HEAD /none", &[HOST, "Connection: keep-alive"]);
    let upgrade = head("GET /channels/feed", &[&UPGRADE[..], &[HOST]].concat());
    stream.write_all(&[first, upgrade, frame(PING, b"early")].concat()).expect("it is open");
    // The answer to HEAD has no body.
    let mut status = [0; 12];
    stream.read_exact(&mut status).expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 404");
    let mut tail = Vec::new();
    while !tail.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a whole head");
        tail.push(byte[0]);
    }
    assert_eq!(answer(&mut stream).status, 101);
    assert_eq!(read_frame(&mut stream), Some((PONG, b"early".to_vec())));
    drop(stream);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_viewer_too_many_is_told_to_come_again() {
    let node = NodeOptions { viewers_max: 2, ..NodeOptions::default() };
    let server = Server::start_as(Setup { node, ..Setup::default() }).await;
    let one = view(server.address, Form::Raw);
    let two = view(server.address, Form::V1);
    let upgrade = [&UPGRADE[..], &[HOST]].concat();
    let refused = ask(server.address, "GET /channels/feed", &upgrade);
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    assert!(refused.body.contains("2 viewers"), "{}", refused.body);
    drop(one);
    server.until("room", |node| node.stats().viewers < 2).await;
    drop((view(server.address, Form::Raw), two));
    server.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_viewers_come_and_go_and_leave_nothing_behind() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").expect("they are listed").count();
    let server = Server::start_as(Setup::default()).await;
    drop(view(server.address, Form::V1));
    server.until("quiet", |node| node.stats().viewers == 0).await;
    let before = descriptors();
    for number in 0..2_000 {
        let mut viewer = view(server.address, if number % 2 == 0 { Form::Raw } else { Form::V1 });
        let subscribe = json!({ "subscribe": { "channel": "feed" } }).to_string();
        viewer.write_all(&frame(TEXT, subscribe.as_bytes())).expect("it is open");
        if number % 3 == 0 { reset(viewer) } else { drop(viewer) }
    }
    server.until("their end", |node| node.stats().viewers == 0).await;
    server.until("the last connection", |_| descriptors() <= before).await;
    server.until("the last cursor", |node| node.stats().unfinished == 0).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_subscribes_again_and_again_has_every_message_once() {
    let node = NodeOptions { shards: 1, ..NodeOptions::default() };
    let server = Server::start_as(Setup { node, ..Setup::default() }).await;
    const COUNT: u64 = 5_000;
    let mut since = server.publish("0").await.to_string();
    let mut viewer = view(server.address, Form::V1);
    let reader = tokio::task::spawn_blocking(move || {
        let mut next = 1;
        while next <= COUNT {
            let subscribe = json!({ "subscribe": { "channel": "feed", "since": since } });
            let unsubscribe = json!({ "unsubscribe": { "channel": "feed" } });
            let commands =
                [subscribe, unsubscribe].map(|command| frame(TEXT, command.to_string().as_bytes()));
            viewer.write_all(&commands[0]).expect("it is open");
            // Whoever has had a message leaves, and whatever is on its way still comes.
            let mut leaving = false;
            loop {
                let (_, payload) = read_frame(&mut viewer).expect("it goes on");
                let event: Value = serde_json::from_slice(&payload).expect("JSON");
                if let Some(message) = event.get("message") {
                    assert_eq!(message["data"], next.to_string(), "once, and in order");
                    next += 1;
                    since = message["position"].as_str().expect("a position").to_owned();
                } else if event.get("unsubscribed").is_some() {
                    break;
                } else {
                    assert!(event.get("subscribed").is_some(), "{event}");
                }
                if !leaving && event.get("message").is_some() {
                    leaving = true;
                    viewer.write_all(&commands[1]).expect("it is open");
                }
            }
        }
    });
    for number in 1..=COUNT + 1_000 {
        server.publish(&number.to_string()).await;
        if number % 16 == 0 {
            tokio::task::yield_now().await;
        }
    }
    reader.await.expect("every message once");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_does_not_wait_for_viewers_who_do_not_read() {
    let server = Server::start_as(Setup { node: impatient(), ..Setup::default() }).await;
    let stuck: Vec<_> = (0..20)
        .map(|number| {
            view_small(server.address, if number % 2 == 0 { Form::Raw } else { Form::V1 })
        })
        .collect();
    publish_much(&server).await;
    let mut prompt = view(server.address, Form::Raw);
    let begun = std::time::Instant::now();
    server.stop().await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
    assert_eq!(close_code(&mut prompt), Some(1001));
    drop(stuck);
}
