//! Streams become messages, and messages streams.

use enchufe::core::Kind;
use enchufe::limits::RELAY_DATAGRAM_BYTES;
use enchufe::transport::Framing;
use enchufe::{Connection, Message, RelayOptions};
use tempfile::TempDir;

use crate::support::{Relaying, accept, bytes, folder, listen, next, rest, send, somewhere, until};

/// A client of `near`, its relay, and the connection that it has at `far`.
async fn joined(
    near: &str,
    far: &str,
    folder: &TempDir,
    change: impl FnOnce(&mut RelayOptions),
) -> (Relaying, Connection, Connection) {
    let mut listener = listen(&somewhere(far, folder, "far")).await;
    let address = listener.local_addresses()[0].clone();
    let relaying = Relaying::start(near, folder, &address, change).await;
    let client = relaying.open().await;
    let server = accept(&mut listener).await;
    (relaying, client, server)
}

#[tokio::test]
async fn lines_are_text_messages_and_messages_are_lines() {
    let folder = folder();
    let framed = |options: &mut RelayOptions| options.framing = Some(Framing::LineFeed);
    let (_relaying, mut client, mut server) = joined("tcp", "ws", &folder, framed).await;
    client.send(Message::binary(&b"uno\ndo"[..])).await.expect("sent");
    assert_eq!(next(&mut server).await, Some(Message::text("uno")));
    client.send(Message::binary(&b"s\r\n\xff\nend"[..])).await.expect("sent");
    client.finish().await.expect("half closed");
    assert_eq!(next(&mut server).await, Some(Message::text("dos\r")));
    assert_eq!(next(&mut server).await, Some(Message::binary(&b"\xff"[..])));
    assert_eq!(next(&mut server).await, Some(Message::text("end")));
    send(&mut server, "tres").await;
    server.send(Message::binary(&b"\x01"[..])).await.expect("sent");
    assert_eq!(bytes(&mut client, 7).await, b"tres\n\x01\n");
}

#[tokio::test]
async fn without_framing_a_stream_is_binary_messages_and_its_bytes_pass_unchanged() {
    let folder = folder();
    let (_relaying, mut client, mut server) = joined("unix", "ws", &folder, |_| {}).await;
    send(&mut client, "a\nb").await;
    let message = next(&mut server).await.expect("a message");
    assert_eq!((message.kind, &message.payload[..]), (Kind::Binary, &b"a\nb"[..]));
    send(&mut server, "uno").await;
    send(&mut server, "dos").await;
    assert_eq!(bytes(&mut client, 6).await, b"unodos");
}

#[tokio::test]
async fn text_stays_text_and_binary_binary_from_websocket_to_websocket() {
    let folder = folder();
    let (_relaying, mut client, mut server) = joined("ws", "ws", &folder, |_| {}).await;
    for message in [Message::text("ñ"), Message::binary(&b"text"[..]), Message::text("")] {
        client.send(message.clone()).await.expect("sent");
        assert_eq!(next(&mut server).await, Some(message.clone()));
        server.send(message.clone()).await.expect("sent");
        assert_eq!(next(&mut client).await, Some(message));
    }
}

#[tokio::test]
async fn what_has_no_kind_can_be_made_binary() {
    let folder = folder();
    let binary = |options: &mut RelayOptions| {
        options.framing = Some(Framing::Nul);
        options.is_binary = true;
    };
    let (_relaying, mut client, mut server) = joined("tcp", "ws", &folder, binary).await;
    send(&mut client, "text\0").await;
    assert_eq!(next(&mut server).await, Some(Message::binary(&b"text"[..])));
}

#[tokio::test]
async fn a_stream_is_cut_into_datagrams_that_fit() {
    let folder = folder();
    let (relaying, mut client, mut server) = {
        // A server of datagrams has a connection once something comes.
        let mut listener = listen(&somewhere("udp", &folder, "far")).await;
        let address = listener.local_addresses()[0].clone();
        let relaying = Relaying::start("tcp", &folder, &address, |_| {}).await;
        let mut client = relaying.open().await;
        client.send(Message::binary(vec![7; 3 * RELAY_DATAGRAM_BYTES])).await.expect("sent");
        (relaying, client, accept(&mut listener).await)
    };
    let mut left = 3 * RELAY_DATAGRAM_BYTES;
    while left > 0 {
        let payload = next(&mut server).await.expect("a datagram").payload;
        assert!((1..=RELAY_DATAGRAM_BYTES).contains(&payload.len()), "{}", payload.len());
        left -= payload.len();
    }
    send(&mut server, "hola").await;
    assert_eq!(bytes(&mut client, 4).await, b"hola");
    assert_eq!(relaying.end_with([&mut client, &mut server]).await.forth.lost, 0);
}

#[tokio::test]
async fn a_message_that_fits_into_no_datagram_is_counted_as_lost_and_the_next_one_passes() {
    let folder = folder();
    let mut listener = listen(&somewhere("udp", &folder, "far")).await;
    let address = listener.local_addresses()[0].clone();
    let relaying = Relaying::start("ws", &folder, &address, |_| {}).await;
    let mut client = relaying.open().await;
    client.send(Message::binary(vec![7; 70_000])).await.expect("sent");
    send(&mut client, "hola").await;
    let mut server = accept(&mut listener).await;
    assert_eq!(bytes(&mut server, 4).await, b"hola");
    let relayed = relaying.end_with([&mut client, &mut server]).await;
    assert_eq!((relayed.forth.lost, relayed.forth.messages), (1, 1));
}

#[tokio::test]
async fn a_message_of_a_stream_that_is_too_long_ends_both_sides_and_says_so() {
    let folder = folder();
    let framed = |options: &mut RelayOptions| {
        options.framing = Some(Framing::LineFeed);
        options.message_bytes_max = 10;
    };
    let (relaying, mut client, mut server) = joined("tcp", "ws", &folder, framed).await;
    send(&mut client, "short\nmuch too long").await;
    assert_eq!(rest(&mut server).await, b"short");
    assert_eq!(server.closed_with().expect("a reason").code.number(), 1014);
    until(async || client.recv().await.is_err()).await;
    relaying.until_ended(1).await;
    let events = relaying.events();
    assert!(events[1].contains("longer than 10 bytes"), "{events:?}");
}
