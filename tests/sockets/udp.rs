//! Datagrams over UDP, when all goes well.

use enchufe::core::{Kind, Message};
use enchufe::transport::{BindWarning, RecvError, SendError};

use crate::common::{bind, next, open, pair, port_of, text_of, try_open, until};

#[tokio::test]
async fn a_datagram_goes_there_and_back() {
    let (_listener, mut client, mut server) = pair("udp://127.0.0.1:0").await;
    assert!(!client.is_stream() && !server.is_stream());
    assert!(server.peer().to_string().starts_with("('127.0.0.1', "), "{}", server.peer());
    server.send(Message::text("answer")).await.expect("sent");
    let received = next(&mut client).await;
    assert_eq!((received.kind, &received.payload[..]), (Kind::Binary, &b"answer"[..]));
    client.finish().await.expect("nothing to do");
}

#[tokio::test]
async fn each_peer_has_a_connection_of_its_own() {
    let mut listener = bind("udp://127.0.0.1:0").await;
    let address = listener.local_addresses()[0].clone();
    let mut clients = [open(&address).await, open(&address).await];
    for (index, client) in clients.iter_mut().enumerate() {
        client.send(Message::text(format!("first of {index}"))).await.expect("sent");
    }
    let mut servers = [listener.accept().await, listener.accept().await];
    assert_ne!(servers[0].peer(), servers[1].peer());
    for (index, client) in clients.iter_mut().enumerate() {
        client.send(Message::text(format!("second of {index}"))).await.expect("sent");
    }
    for server in &mut servers {
        let first = text_of(server).await;
        let index = first.trim_start_matches("first of ").to_owned();
        assert_eq!(text_of(server).await, format!("second of {index}"));
        server.send(Message::text(format!("answer to {index}"))).await.expect("sent");
    }
    for (index, client) in clients.iter_mut().enumerate() {
        assert_eq!(text_of(client).await, format!("answer to {index}"));
    }
}

#[tokio::test]
async fn localhost_is_both_families_on_one_port() {
    let mut listener = bind("udp://localhost:0").await;
    let addresses = listener.local_addresses().to_vec();
    assert_eq!(addresses.len(), 2, "{addresses:?}");
    assert_eq!(port_of(&addresses[0]), port_of(&addresses[1]));
    for address in &addresses {
        let mut client = open(address).await;
        client.send(Message::text("hello")).await.expect("sent");
        let mut server = listener.accept().await;
        assert_eq!(text_of(&mut server).await, "hello");
        server.send(Message::text("answer")).await.expect("sent");
        assert_eq!(text_of(&mut client).await, "answer");
    }
}

#[tokio::test]
async fn every_interface_answers_in_both_families() {
    let mut listener = bind("udp://*:0").await;
    assert!(matches!(listener.warnings(), [BindWarning::EveryInterface { .. }]), "{listener:?}");
    let port = port_of(&listener.local_addresses()[0]);
    for (host, peer) in [("127.0.0.1", "('127.0.0.1', "), ("[::1]", "('::1', ")] {
        let mut client = try_open(&format!("udp://{host}:{port}")).await.expect("a connection");
        client.send(Message::text("hello")).await.expect("sent");
        let mut server = listener.accept().await;
        assert!(server.peer().to_string().starts_with(peer), "{}", server.peer());
        server.send(Message::text("answer")).await.expect("sent");
        assert_eq!(text_of(&mut client).await, "answer");
    }
}

#[tokio::test]
async fn a_datagram_is_received_whole_whatever_its_length() {
    let (_listener, mut client, mut server) = pair("udp://127.0.0.1:0").await;
    for length in [0, 1, 1500, 65_507] {
        let payload: Vec<u8> = (0..=255).cycle().take(length).collect();
        client.send(Message::binary(payload.clone())).await.expect("sent");
        assert_eq!(next(&mut server).await.payload, payload);
        server.send(Message::binary(payload.clone())).await.expect("sent");
        assert_eq!(next(&mut client).await.payload, payload);
    }
}

#[tokio::test]
async fn a_message_longer_than_a_datagram_is_refused() {
    let (_listener, mut client, mut server) = pair("udp://127.0.0.1:0").await;
    for connection in [&mut client, &mut server] {
        let error = connection.send(Message::binary(vec![0; 65_508])).await.expect_err("too long");
        assert!(matches!(error, SendError::TooLong { bytes: 65_508, .. }), "{error:?}");
        assert!(error.to_string().contains("65508 bytes"), "{error}");
    }
    client.send(Message::text("still there")).await.expect("sent");
    assert_eq!(text_of(&mut server).await, "still there");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_of() {
    let listener = bind("udp://127.0.0.1:0").await;
    let address = listener.local_addresses()[0].clone();
    drop(listener);
    until(async || std::net::UdpSocket::bind(("127.0.0.1", port_of(&address))).is_ok()).await;
    let mut client = open(&address).await;
    client.send(Message::text("anybody there?")).await.expect("sent");
    let error = client.recv().await.expect_err("nobody");
    assert!(matches!(error, RecvError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("nobody listens there"), "{error}");
}

#[tokio::test]
async fn a_connection_outlives_its_listener_and_the_port_is_free_after_both() {
    let (listener, mut client, mut server) = pair("udp://127.0.0.1:0").await;
    let address = listener.local_addresses()[0].clone();
    drop(listener);
    client.send(Message::text("still there?")).await.expect("sent");
    assert_eq!(text_of(&mut server).await, "still there?");
    server.send(Message::text("yes")).await.expect("sent");
    assert_eq!(text_of(&mut client).await, "yes");
    let is_free = || std::net::UdpSocket::bind(("127.0.0.1", port_of(&address))).is_ok();
    assert!(!is_free());
    drop(server);
    until(async || is_free()).await;
}

#[tokio::test]
async fn a_recv_that_is_given_up_loses_no_datagram() {
    let (_listener, mut client, mut server) = pair("udp://127.0.0.1:0").await;
    let (mut sender, mut receiver) = (&mut client, &mut server);
    for _ in 0..2 {
        for number in 0..20 {
            let mut received = None;
            tokio::select! {
                biased;
                message = receiver.recv() => received = message.expect("received"),
                () = tokio::task::yield_now() => {}
            }
            assert_eq!(received, None);
            sender.send(Message::text(number.to_string())).await.expect("sent");
            assert_eq!(text_of(receiver).await, number.to_string());
        }
        std::mem::swap(&mut sender, &mut receiver);
    }
}

#[tokio::test]
async fn both_halves_work_at_the_same_time() {
    let (_listener, client, server) = pair("udp://127.0.0.1:0").await;
    let (mut incoming, mut outgoing) = server.split();
    let echo = tokio::spawn(async move {
        while let Some(message) = incoming.recv().await.expect("received") {
            outgoing.send(message).await.expect("sent");
        }
    });
    let (mut incoming, mut outgoing) = client.split();
    for number in 0..20 {
        let (received, sent) =
            tokio::join!(incoming.recv(), outgoing.send(Message::text(number.to_string())));
        sent.expect("sent");
        assert_eq!(received.expect("received").expect("a message").to_text(), number.to_string());
    }
    echo.abort();
}
