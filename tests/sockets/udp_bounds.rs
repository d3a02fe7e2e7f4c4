//! What a datagram server does at each of its bounds.

use std::net::UdpSocket;
use std::time::Duration;

use enchufe::core::Message;
use enchufe::transport::{BindOptions, CloseCode, CloseReason, Connection, Listener, SendError};
use tokio::time::timeout;

use crate::common::{PATIENCE, next, port_of, served, text_of, until};

/// A server with bounds of its own.
async fn bounded(set: impl FnOnce(&mut BindOptions)) -> Listener {
    let mut options = BindOptions::default();
    set(&mut options);
    Listener::bind(&served("udp://127.0.0.1:0"), &options).await.expect("a listener")
}

fn client_of(listener: &Listener) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(("127.0.0.1", port_of(&listener.local_addresses()[0]))).expect("connected");
    socket
}

async fn accept(listener: &mut Listener) -> Connection {
    timeout(PATIENCE, listener.accept()).await.expect("in time")
}

async fn nobody_comes(listener: &mut Listener) {
    timeout(Duration::from_millis(50), listener.accept()).await.expect_err("nobody");
}

#[tokio::test]
async fn one_peer_too_many_is_dropped_until_another_goes() {
    let mut listener = bounded(|options| options.datagrams.peers_max = 2).await;
    let clients = [client_of(&listener), client_of(&listener), client_of(&listener)];
    for client in &clients[..2] {
        client.send(b"hello").expect("sent");
    }
    let first = accept(&mut listener).await;
    let mut second = accept(&mut listener).await;
    clients[2].send(b"too many").expect("sent");
    nobody_comes(&mut listener).await;
    drop(first);
    clients[2].send(b"now").expect("sent");
    assert_eq!(text_of(&mut accept(&mut listener).await).await, "now");
    assert_eq!(text_of(&mut second).await, "hello");
}

#[tokio::test]
async fn new_peers_beyond_the_backlog_are_dropped() {
    let mut listener = bounded(|options| options.backlog = 1).await;
    let clients = [client_of(&listener), client_of(&listener)];
    for client in &clients {
        client.send(b"hello").expect("sent");
        // In order: the first fills the backlog.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let server = accept(&mut listener).await;
    let local = clients[0].local_addr().expect("bound");
    assert_eq!(server.peer(), &local.into());
    nobody_comes(&mut listener).await;
    clients[1].send(b"again").expect("sent");
    assert_eq!(text_of(&mut accept(&mut listener).await).await, "again");
}

#[tokio::test]
async fn a_full_queue_drops_what_comes_and_holds_nobody_up() {
    let mut listener = bounded(|options| options.datagrams.queue_len_max = 3).await;
    let slow_client = client_of(&listener);
    for number in 0..10 {
        slow_client.send(format!("{number}").as_bytes()).expect("sent");
    }
    let mut slow = accept(&mut listener).await;
    let quick_client = client_of(&listener);
    quick_client.send(b"hello").expect("sent");
    assert_eq!(text_of(&mut accept(&mut listener).await).await, "hello");
    // Both clients' datagrams came in order, so that everything of the slow one has been seen.
    for number in 0..3 {
        assert_eq!(text_of(&mut slow).await, number.to_string());
    }
    slow_client.send(b"more").expect("sent");
    assert_eq!(text_of(&mut slow).await, "more");
}

#[tokio::test]
async fn queued_bytes_are_bounded_over_all_peers_and_given_back() {
    let mut listener = bounded(|options| options.datagrams.queued_bytes_max = 3_000).await;
    let (first_client, second_client) = (client_of(&listener), client_of(&listener));
    first_client.send(&[1; 1_300]).expect("sent");
    first_client.send(&[2; 1_300]).expect("sent");
    let mut first = accept(&mut listener).await;
    second_client.send(&[3; 1_300]).expect("sent");
    nobody_comes(&mut listener).await;
    assert_eq!(next(&mut first).await.payload[..], [1; 1_300]);
    second_client.send(&[4; 1_300]).expect("sent");
    assert_eq!(next(&mut accept(&mut listener).await).await.payload[..], [4; 1_300]);
    assert_eq!(next(&mut first).await.payload[..], [2; 1_300]);
}

#[tokio::test]
async fn a_silent_peer_ends_and_is_new_when_it_comes_back() {
    let mut listener =
        bounded(|options| options.datagrams.idle_timeout = Duration::from_millis(80)).await;
    let client = client_of(&listener);
    client.send(b"hello").expect("sent");
    let mut server = accept(&mut listener).await;
    assert_eq!(text_of(&mut server).await, "hello");
    // What we send is no sign of life.
    let ended = async {
        loop {
            server.send(Message::text("anybody there?")).await.expect("sent");
            if let Ok(received) = timeout(Duration::from_millis(5), server.recv()).await {
                break received.expect("no error");
            }
        }
    };
    assert_eq!(timeout(PATIENCE, ended).await.expect("in time"), None);
    let error = server.send(Message::text("anybody there?")).await.expect_err("ended");
    assert!(matches!(error, SendError::Closed { .. }), "{error:?}");
    client.send(b"back").expect("sent");
    assert_eq!(text_of(&mut accept(&mut listener).await).await, "back");
    // The end of the old connection is not the end of the new one's place.
    drop(server);
}

#[tokio::test]
async fn a_peer_that_goes_on_sending_stays() {
    let mut listener =
        bounded(|options| options.datagrams.idle_timeout = Duration::from_secs(1)).await;
    let client = client_of(&listener);
    client.send(b"0").expect("sent");
    let mut server = accept(&mut listener).await;
    for number in 1..8 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        client.send(number.to_string().as_bytes()).expect("sent");
    }
    for number in 0..8 {
        assert_eq!(text_of(&mut server).await, number.to_string());
    }
}

#[tokio::test]
async fn a_peer_whose_connection_is_dropped_or_closed_is_new_when_it_comes_back() {
    let mut listener = bounded(|_| ()).await;
    let client = client_of(&listener);
    for close in [true, false] {
        client.send(b"hello").expect("sent");
        let mut server = accept(&mut listener).await;
        assert_eq!(text_of(&mut server).await, "hello");
        if close {
            let reason = CloseReason::new(CloseCode::NORMAL, "");
            server.close(reason).await.expect("closed");
        } else {
            // One half keeps the connection; what comes for the other is nobody's.
            let (incoming, mut outgoing) = server.split();
            drop(incoming);
            client.send(b"for nobody").expect("sent");
            nobody_comes(&mut listener).await;
            outgoing.send(Message::text("answer")).await.expect("sent");
            let mut buffer = [0; 16];
            until(async || client.recv(&mut buffer).is_ok()).await;
            assert_eq!(&buffer[..6], b"answer");
            drop(outgoing);
        }
    }
    client.send(b"hello").expect("sent");
    accept(&mut listener).await;
}

#[tokio::test]
async fn closing_the_sending_half_ends_the_receiving_half() {
    let mut listener = bounded(|_| ()).await;
    let client = client_of(&listener);
    client.send(b"hello").expect("sent");
    let (mut incoming, outgoing) = accept(&mut listener).await.split();
    outgoing.close(CloseReason::new(CloseCode::NORMAL, "")).await.expect("closed");
    assert!(incoming.recv().await.expect("what had come").is_some());
    assert_eq!(incoming.recv().await.expect("the end"), None);
}
