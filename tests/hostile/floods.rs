//! Viewers that ask for more than they should.

use std::io::Write;

use serde_json::{Value, json};

use crate::{
    common::server::{Server, Setup},
    support::{Form, PING, PONG, TEXT, frame, read_frame, view, view_small},
};

/// Their answers are more than wait for one viewer, and less than the kernel takes.
const MANY: usize = 1_000;

fn command(value: &Value) -> Vec<u8> {
    frame(TEXT, value.to_string().as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_may_ask_for_a_thousand_things_before_it_reads() {
    let server = Server::start_as(Setup::default()).await;
    let none = json!({ "unsubscribe": { "channel": "none" } });
    for (form, question, answer) in [
        (Form::Raw, frame(PING, &[b'x'; 100]), vec![b'x'; 100]),
        (Form::V1, command(&json!({ "ping": {} })), br#"{"pong":{}}"#.to_vec()),
        (Form::V1, command(&none), b"not_subscribed".to_vec()),
    ] {
        let mut viewer = view(server.address, form);
        viewer.write_all(&question.repeat(MANY)).expect("all of it is taken");
        for _ in 0..MANY {
            let (_, payload) = read_frame(&mut viewer).expect("it is not dropped");
            let found = payload.windows(answer.len()).any(|window| window == answer);
            assert!(found, "{}", String::from_utf8_lossy(&payload));
        }
    }
    assert_eq!(server.node.stats().dropped, 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_asks_and_does_not_read_is_dropped() {
    let server = Server::start_as(Setup::default()).await;
    for (index, form) in [Form::Raw, Form::V1].into_iter().enumerate() {
        let mut viewer = view_small(server.address, form);
        let pings = frame(PING, &[b'x'; 125]).repeat(100);
        while viewer.write_all(&pings).is_ok() {}
        let dropped = index as u64 + 1;
        server.until("its end", |node| node.stats().dropped == dropped).await;
    }
    // What it asks for may also be answered later, from elsewhere.
    let mut viewer = view_small(server.address, Form::V1);
    let mut number = 0;
    loop {
        let batch: Vec<u8> = (number..number + 20)
            .flat_map(|number| {
                let channel = format!("none/{number}/{}", "x".repeat(60));
                command(&json!({ "subscribe": { "channel": channel } }))
            })
            .collect();
        number += 20;
        if viewer.write_all(&batch).is_err() {
            break;
        }
        assert!(number < 2_000_000, "it is answered without end");
    }
    server.until("its end", |node| node.stats().dropped == 3).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_reads_so_many_channels_and_no_more() {
    let server = Server::start_as(Setup::default()).await;
    let mut viewer = view(server.address, Form::V1);
    let channels: Vec<_> =
        (0..65).map(|n| json!({ "subscribe": { "channel": format!("none/{n}") } })).collect();
    let all: Vec<u8> = channels.iter().flat_map(command).collect();
    viewer.write_all(&all).expect("it is open");
    let mut refused = Vec::new();
    while refused.len() < 65 {
        let (_, payload) = read_frame(&mut viewer).expect("an answer");
        let event: Value = serde_json::from_slice(&payload).expect("JSON");
        refused.push(event["error"]["code"].as_str().expect("a refusal").to_owned());
    }
    assert!(
        refused.iter().all(|code| code == "unknown_channel" || code == "too_many_subscriptions")
    );
    assert!(refused.contains(&"unknown_channel".to_owned()));
    viewer.write_all(&command(&json!({ "ping": {} }))).expect("it is open");
    assert_eq!(read_frame(&mut viewer).expect("it goes on").1, br#"{"pong":{}}"#);
    drop(viewer);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_answered_and_the_connection_goes_on() {
    let server = Server::start_as(Setup::default()).await;
    let mut viewer = view(server.address, Form::V1);
    let deep = "[".repeat(120);
    for (text, code) in [
        ("", "bad_command"),
        ("{", "bad_command"),
        (deep.as_str(), "bad_command"),
        ("null", "bad_command"),
        (r#"{"subscribe":{},"ping":{}}"#, "bad_command"),
        (r#"{"subscribe":{"channel":"feed","channel":"x"}}"#, "bad_command"),
        (r#"{"subscribe":{"channel":"a\nb"}}"#, "bad_channel"),
        (r#"{"subscribe":{"channel":"feed","since":"x"}}"#, "bad_since"),
        (r#"{"subscribe":{"channel":"feed","slow":"x"}}"#, "bad_slow"),
        (r#"{"unsubscribe":{"channel":"feed"}}"#, "not_subscribed"),
    ] {
        viewer.write_all(&frame(TEXT, text.as_bytes())).expect("it is open");
        let (_, payload) = read_frame(&mut viewer).expect("an answer");
        let event: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(event["error"]["code"], code, "{text}: {event}");
    }
    viewer.write_all(&frame(PING, b"")).expect("it is open");
    assert_eq!(read_frame(&mut viewer).map(|(head, _)| head), Some(PONG));
    drop(viewer);
    server.stop().await;
}
