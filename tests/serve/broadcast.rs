//! A channel read over streams: gap-free, or cut.

use std::sync::Arc;
use std::time::Duration;

use enchufe::core::{ChannelName, Message};
use enchufe::live::broker::{Broker, ChannelOptions, Publishers};
use enchufe::serve::Broadcast;
use enchufe::transport::RecvError;
use enchufe::{BindOptions, Connection, Listener, OpenOptions, Service, Shutdown};
use tokio::time::timeout;

use crate::support::{LONG, Server, tcp};

fn channel(history_len_max: usize) -> (Broker, ChannelName) {
    patient_channel(history_len_max, Duration::ZERO)
}

/// One whose publishers wait so long for readers.
fn patient_channel(history_len_max: usize, patience: Duration) -> (Broker, ChannelName) {
    let (broker, name) = (Broker::memory(), "room".parse().expect("a name"));
    let publish = Publishers::Readers;
    let options =
        ChannelOptions { history_len_max, publish, patience, ..ChannelOptions::default() };
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
    let (broker, name) = patient_channel(1_000, Duration::from_secs(2));
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

#[tokio::test(flavor = "multi_thread")]
async fn who_came_earlier_hears_what_those_who_came_later_say_from_their_first_word_on() {
    let (broker, name) = channel(100);
    let service = Arc::new(Broadcast::new(broker, name));
    let mut listener = Listener::bind(&tcp(), &BindOptions::default()).await.expect("a free port");
    let address = listener.local_addresses()[0].clone();
    let (trigger, shutdown) = Shutdown::new();
    let mut clients = Vec::new();
    let mut welcomed = Vec::new();
    for _ in 0..2 {
        clients.push(Connection::open(&address, &OpenOptions::default()).await.expect("a client"));
        let connection = listener.accept().await;
        welcomed.push(Arc::clone(&service).welcome(connection, shutdown.clone()));
    }
    // The later one has its turn at the processor first, and speaks at once.
    clients[1].send(Message::text("first word\n")).await.expect("it is open");
    let later = tokio::spawn(welcomed.pop().expect("two"));
    let early = timeout(Duration::from_millis(50), clients[1].recv()).await;
    assert!(early.is_err(), "heard before the earlier one hears: {early:?}");
    let earlier = tokio::spawn(welcomed.pop().expect("two"));
    for client in &mut clients {
        assert_eq!(crate::support::text(client).await, "first word\n");
    }
    trigger.request();
    for serving in [later, earlier] {
        timeout(LONG, serving).await.expect("in time").expect("no panic").expect("served");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_said_before_it_left_is_heard_by_the_others() {
    // What it says has to wait for readers, and meanwhile it turns out that it has left.
    let (broker, name) = patient_channel(500, LONG);
    let server = Server::start(&[tcp()], Broadcast::new(broker, name), |_| {}).await;
    for _ in 0..5 {
        let mut reader = server.open().await;
        reader.send(Message::text("here\n")).await.expect("it is open");
        assert_eq!(crate::support::text(&mut reader).await, "here\n");
        let mut hasty = server.open().await;
        let lines: String = (0..=2_000).map(|number| format!("{number}:\n")).collect();
        hasty.send(Message::text(lines)).await.expect("it is open");
        // It does not read what comes back, which has its system reset the connection.
        drop(hasty);
        let numbers = numbers(&mut reader, 2_000).await;
        assert!(numbers.into_iter().eq(0..=2_000), "in order, and everything");
    }
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_server_ends_a_reader_has_everything_or_knows_that_it_has_not() {
    const LAST: usize = 19;
    for reads in [true, false] {
        let (broker, name) = channel(100);
        let service = Broadcast::new(broker.clone(), name.clone());
        let server = Server::start(&[tcp()], service, |_| {}).await;
        let mut client = server.open().await;
        client.send(Message::text("here\n")).await.expect("it is open");
        assert_eq!(crate::support::text(&mut client).await, "here\n");
        // More than both kernels keep.
        for number in 0..=LAST {
            let message = Message::text(format!("{number}:{}", "x".repeat(1_000_000)));
            broker.publish(&name, vec![message], None).await.expect("the channel is there");
        }
        if reads {
            let (trigger, reading) = (server.trigger.clone(), numbers(&mut client, LAST));
            trigger.request();
            assert!(reading.await.into_iter().eq(0..=LAST), "in order, and everything");
            assert_eq!(crate::support::recv(&mut client).await, None);
            server.ended().await;
        } else {
            server.end().await;
            let error = loop {
                match timeout(LONG, client.recv()).await.expect("in time") {
                    Ok(chunk) => assert!(chunk.is_some(), "an end would look like everything"),
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, RecvError::Reset { .. }), "{error}");
        }
    }
}
