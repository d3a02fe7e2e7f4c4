//! A channel read over streams: gap-free, or cut.

use std::time::Duration;

use enchufe::Connection;
use enchufe::core::{ChannelName, Message};
use enchufe::live::broker::{Broker, ChannelOptions, Publishers};
use enchufe::serve::Broadcast;
use enchufe::transport::RecvError;
use tokio::time::timeout;

use crate::support::{LONG, Server, tcp};

fn channel(history_len_max: usize) -> (Broker, ChannelName) {
    let (broker, name) = (Broker::memory(), "room".parse().expect("a name"));
    let mut options = ChannelOptions { history_len_max, ..ChannelOptions::default() };
    options.publish = Publishers::Readers;
    broker.declare(&name, options);
    (broker, name)
}

#[tokio::test]
async fn a_reader_that_falls_behind_what_is_kept_is_cut_and_what_it_had_has_no_gap() {
    let (broker, name) = channel(10);
    let server =
        Server::start(&[tcp()], Broadcast::new(broker.clone(), name.clone()), |_| {}).await;
    let mut client = server.open().await;
    client.send(Message::text("here\n")).await.expect("it is open");
    assert_eq!(crate::support::text(&mut client).await, "here\n");
    // More than both kernels keep, and it reads nothing.
    for number in 0..400 {
        let message = Message::text(format!("{number}:{}", "x".repeat(100_000)));
        broker.publish(&name, vec![message], None).await.expect("the channel is there");
        tokio::task::yield_now().await;
    }
    let reading = async {
        let mut had = Vec::new();
        loop {
            match client.recv().await {
                Ok(chunk) => had.extend_from_slice(&chunk.expect("no end as of all").payload),
                Err(error) => return (had, error),
            }
        }
    };
    let (had, error) = timeout(LONG, reading).await.expect("it is cut");
    assert!(matches!(error, RecvError::Reset { .. }), "{error}");
    let had = String::from_utf8(had).expect("text");
    let numbers = had.split_inclusive('\n').filter_map(|line| line.split_once(':'));
    let numbers: Vec<usize> = numbers.map(|(n, _)| n.parse().expect("a number")).collect();
    assert!(numbers.len() < 400, "it had everything");
    assert_eq!(numbers, (0..numbers.len()).collect::<Vec<_>>(), "no gap");
    let events = server.events.clone();
    server.end().await;
    assert_eq!(events.all().last().map(String::as_str), Some("failed"), "and it is said");
}

/// The numbers of the lines that a client reads, as `number:…`, until one of them is `last`.
async fn numbers(client: &mut Connection, last: usize) -> Vec<usize> {
    let (mut numbers, mut part) = (Vec::new(), String::new());
    while numbers.last() != Some(&last) {
        part.push_str(&crate::support::text(client).await);
        let whole = part.rfind('\n').map_or(0, |end| end + 1);
        let lines = part[..whole].lines().filter_map(|line| line.split_once(':'));
        numbers.extend(lines.map(|(number, _)| number.parse::<usize>().expect("a number")));
        part.drain(..whole);
    }
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_is_cut_and_nobody_else_and_nobody_misses_anything() {
    const LAST: usize = 40_000;
    let (broker, name) = channel(1_000);
    let mut options = broker.state(&name).expect("it is there").options;
    options.patience = Duration::from_secs(2);
    broker.declare(&name, options);
    let server = Server::start(&[tcp()], Broadcast::new(broker, name), |_| {}).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = server.open().await;
        client.send(Message::text("here\n")).await.expect("it is open");
        assert!(crate::support::text(&mut client).await.contains("here\n"));
        clients.push(client);
    }
    let mut stuck = clients.remove(0);
    // Whoever speaks reads, too: it gets everything back.
    let (mut heard, mut speaker) = clients.remove(0).split();
    let saying = tokio::spawn(async move {
        for number in 0..=LAST {
            let line = format!("{number}:{}\n", "x".repeat(1_000));
            speaker.feed(Message::text(line)).await.expect("it is read");
        }
        speaker.flush().await.expect("it is read");
        speaker
    });
    let echo = tokio::spawn(async move {
        let mut lines = 0;
        while lines <= LAST {
            let chunk = heard.recv().await.expect("no reset").expect("no end");
            lines += memchr::memchr_iter(b'\n', &chunk.payload).count();
        }
    });
    let reading: Vec<_> = clients
        .into_iter()
        .map(|mut client| tokio::spawn(async move { numbers(&mut client, LAST).await }))
        .collect();
    for reader in reading {
        let numbers = timeout(LONG, reader).await.expect("in time").expect("it reads");
        assert!(numbers.into_iter().eq(0..=LAST), "in order, and everything");
    }
    timeout(LONG, echo).await.expect("in time").expect("it reads");
    drop(saying.await.expect("all was said"));
    let error = loop {
        match timeout(LONG, stuck.recv()).await.expect("in time") {
            Ok(chunk) => assert!(chunk.is_some(), "an end would look like everything"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, RecvError::Reset { .. }), "{error}");
    let events = server.events.clone();
    server.end().await;
    let failed = events.all().iter().filter(|event| *event == "failed").count();
    assert_eq!(failed, 1, "the one that took nothing");
}

#[tokio::test]
async fn what_a_client_says_is_a_message_for_all_and_leaving_one_side_open_goes_on_reading() {
    let (broker, name) = channel(100);
    let server = Server::start(&[tcp()], Broadcast::new(broker, name), |_| {}).await;
    let (mut one, mut other) = (server.open().await, server.open().await);
    for client in [&mut one, &mut other] {
        // Whoever hears itself is a reader.
        client.send(Message::text("here\n")).await.expect("it is open");
        assert!(crate::support::text(client).await.contains("here\n"));
    }
    one.finish().await.expect("half closed");
    other.send(Message::text("hola\r\nñ\n")).await.expect("it is open");
    let mut heard = String::new();
    while !heard.ends_with("hola\nñ\n") {
        heard.push_str(&crate::support::text(&mut one).await);
    }
    drop((one, other));
    server.end().await;
}
