//! A channel read over streams: gap-free, or cut.

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
