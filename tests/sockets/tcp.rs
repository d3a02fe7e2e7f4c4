//! Streams over TCP, when all goes well.

use std::io::Write;
use std::time::Duration;

use enchufe::address::{Address, Host, HostPort};
use enchufe::core::{Kind, Message};
use enchufe::transport::{BindWarning, CloseCode, CloseReason, Peer};
use tokio::time::timeout;

use crate::common::{PATIENCE, all_of, bind, next, open, pair, port_of, text_of};
use crate::exchange::both_ways_at_once;

#[tokio::test]
async fn a_message_goes_there_and_back() {
    let (_listener, mut client, mut server) = pair("tcp://127.0.0.1:0").await;
    client.send(Message::text("Hello, world")).await.expect("sent");
    let received = next(&mut server).await;
    assert_eq!((received.kind, &received.payload[..]), (Kind::Binary, &b"Hello, world"[..]));
    server.send(received).await.expect("sent");
    assert_eq!(text_of(&mut client).await, "Hello, world");
}

#[tokio::test]
async fn a_peer_is_shown_as_the_tutorial_shows_it() {
    let (listener, client, server) = pair("tcp://127.0.0.1:0").await;
    assert!(server.peer().to_string().starts_with("('127.0.0.1', "), "{}", server.peer());
    assert_eq!(
        client.peer().to_string(),
        format!("('127.0.0.1', {})", port_of(&listener.local_addresses()[0]))
    );
    let (_listener, _client, server) = pair("tcp://[::1]:0").await;
    let shown = server.peer().to_string();
    assert!(shown.starts_with("('::1', ") && shown.ends_with(", 0, 0)"), "{shown}");
}

#[tokio::test]
async fn a_peer_that_closes_is_none_and_stays_none() {
    let (_listener, client, mut server) = pair("tcp://127.0.0.1:0").await;
    drop(client);
    assert_eq!(server.recv().await.expect("the end"), None);
    assert_eq!(server.recv().await.expect("the end"), None);
    assert_eq!(server.closed_with(), None);
}

#[tokio::test]
async fn after_finish_the_answer_still_comes() {
    let (_listener, mut client, mut server) = pair("tcp://127.0.0.1:0").await;
    client.send(Message::text("question")).await.expect("sent");
    client.finish().await.expect("half closed");
    client.finish().await.expect("half closed once more");
    assert_eq!(all_of(&mut server).await, b"question");
    server.send(Message::text("answer")).await.expect("sent");
    server.close(CloseReason::new(CloseCode::NORMAL, "")).await.expect("closed");
    assert_eq!(all_of(&mut client).await, b"answer");
}

#[tokio::test]
async fn what_is_fed_leaves_together_when_it_is_flushed_and_before_what_is_sent_or_the_end() {
    let (_listener, mut client, mut server) = pair("tcp://127.0.0.1:0").await;
    for word in ["one ", "two"] {
        client.feed(Message::text(word)).await.expect("fed");
    }
    client.flush().await.expect("flushed");
    assert_eq!(text_of(&mut server).await, "one two");
    client.feed(Message::text("three ")).await.expect("fed");
    client.send(Message::text("four")).await.expect("sent");
    assert_eq!(text_of(&mut server).await, "three four");
    client.feed(Message::text("end")).await.expect("fed");
    client.finish().await.expect("half closed");
    assert_eq!(all_of(&mut server).await, b"end");
}

#[tokio::test]
async fn localhost_is_both_families_on_one_port() {
    let mut listener = bind("tcp://localhost:0").await;
    let addresses = listener.local_addresses().to_vec();
    assert_eq!(addresses.len(), 2, "{addresses:?}");
    let port = port_of(&addresses[0]);
    assert_eq!(addresses[0].to_string(), format!("tcp://127.0.0.1:{port}"));
    assert_eq!(addresses[1].to_string(), format!("tcp://[::1]:{port}"));
    assert_eq!(listener.warnings(), []);
    for address in &addresses {
        let mut client = open(address).await;
        client.send(Message::text(address.to_string())).await.expect("sent");
        assert_eq!(text_of(&mut listener.accept().await).await, address.to_string());
    }
}

#[tokio::test]
async fn no_family_starves_the_other() {
    let mut listener = bind("tcp://localhost:0").await;
    let addresses = listener.local_addresses().to_vec();
    let mut clients = Vec::new();
    for address in [&addresses[0], &addresses[0], &addresses[0], &addresses[1]] {
        clients.push(open(address).await);
    }
    let first_two = [listener.accept().await, listener.accept().await];
    let is_ipv6 = |peer: &Peer| peer.ip().is_some_and(|ip| ip.is_ipv6());
    assert!(first_two.iter().any(|connection| is_ipv6(connection.peer())), "{first_two:?}");
}

#[tokio::test]
async fn every_interface_is_both_families_on_one_socket_and_is_said() {
    let mut listener = bind("tcp://*:0").await;
    let addresses = listener.local_addresses().to_vec();
    let port = port_of(&addresses[0]);
    assert_eq!(addresses, [Address::Tcp(HostPort { host: Host::Any, port })]);
    assert!(
        listener
            .warnings()
            .iter()
            .any(|warning| matches!(warning, BindWarning::EveryInterface { .. })),
        "{:?}",
        listener.warnings()
    );
    for (host, peer) in [("127.0.0.1", "('127.0.0.1', "), ("[::1]", "('::1', ")] {
        let _client =
            open(&Address::parse_connect(&format!("{host}:{port}")).expect("an address")).await;
        let server = listener.accept().await;
        assert!(server.peer().to_string().starts_with(peer), "{}", server.peer());
    }
}

#[tokio::test]
async fn an_unspecified_ipv6_address_takes_ipv6_alone() {
    // Somebody else may have the same port for IPv4; but not each time.
    for _ in 0..20 {
        let listener = bind("tcp://[::]:0").await;
        let port = port_of(&listener.local_addresses()[0]);
        open(&Address::parse_connect(&format!("[::1]:{port}")).expect("an address")).await;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return;
        }
    }
    panic!("the port is never free for IPv4");
}

#[tokio::test]
async fn a_port_is_free_again_at_once() {
    let (listener, mut client, server) = pair("tcp://127.0.0.1:0").await;
    let address = listener.local_addresses()[0].to_string();
    // The side that closes first keeps the port in TIME_WAIT.
    drop(server);
    assert_eq!(all_of(&mut client).await, b"");
    drop((listener, client));
    bind(&address).await;
}

#[tokio::test]
async fn both_halves_work_at_the_same_time() {
    let (_listener, client, server) = pair("tcp://127.0.0.1:0").await;
    both_ways_at_once(client, server).await;
}

#[tokio::test]
async fn a_recv_that_is_given_up_loses_nothing() {
    let mut listener = bind("tcp://127.0.0.1:0").await;
    let mut client =
        std::net::TcpStream::connect(("127.0.0.1", port_of(&listener.local_addresses()[0])))
            .expect("a connection");
    let mut server = listener.accept().await;
    let sent: Vec<u8> = (0..20_000u32).flat_map(u32::to_be_bytes).collect();
    // Every time it is given up, a little more is written.
    let (more, wanted) = std::sync::mpsc::channel();
    let writer = std::thread::spawn({
        let sent = sent.clone();
        move || {
            for (chunk, ()) in sent.chunks(530).zip(wanted) {
                client.write_all(chunk).expect("written");
            }
        }
    });
    let mut received = Vec::new();
    loop {
        // Polled once: it is given up whenever it has to wait.
        tokio::select! {
            biased;
            message = server.recv() => match message.expect("received") {
                Some(message) => received.extend_from_slice(&message.payload),
                None => break,
            },
            () = tokio::task::yield_now() => drop(more.send(())),
        }
    }
    writer.join().expect("the writer");
    assert_eq!(received, sent);
}

#[tokio::test]
async fn an_accept_that_is_given_up_loses_no_client() {
    let mut listener = bind("tcp://localhost:0").await;
    let addresses = listener.local_addresses().to_vec();
    let mut clients = Vec::new();
    let mut accepted = 0;
    for round in 0..20 {
        let _ = timeout(Duration::from_micros(100), listener.accept()).await.map(|_| accepted += 1);
        clients.push(open(&addresses[round % 2]).await);
    }
    while accepted < clients.len() {
        timeout(PATIENCE, listener.accept()).await.expect("in time");
        accepted += 1;
    }
}

#[tokio::test]
async fn chunks_grow_with_the_traffic_up_to_their_bound() {
    let (_listener, mut client, mut server) = pair("tcp://127.0.0.1:0").await;
    tokio::spawn(async move { client.send(Message::binary(vec![1; 4 << 20])).await });
    let mut longest = 0;
    while let Some(message) = server.recv().await.expect("received") {
        longest = longest.max(message.payload.len());
    }
    let max = enchufe::limits::STREAM_CHUNK_BYTES_MAX;
    assert!((max / 4..=max).contains(&longest), "{longest}");
}
