//! Streams that are read by messages: lines, and the other framings.

use enchufe::core::Message;
use enchufe::limits::LINE_BYTES_MAX;
use enchufe::transport::{Connection, Framing, RecvError};

use crate::common::{all_of, pair, text_of};

/// A raw client and a server that reads lines.
async fn lines_pair() -> (Connection, Connection) {
    let (_listener, client, server) = pair("tcp://127.0.0.1:0").await;
    (client, server.with_framing(Framing::Lines))
}

#[tokio::test]
async fn a_message_is_a_line_and_the_last_one_needs_no_ending() {
    let (mut client, mut server) = lines_pair().await;
    for part in ["one\ntw", "o\r", "\n\nthr", "ee"] {
        client.send(Message::text(part)).await.expect("sent");
        tokio::task::yield_now().await;
    }
    drop(client);
    for line in ["one", "two", "", "three"] {
        assert_eq!(text_of(&mut server).await, line);
    }
    assert_eq!(server.recv().await.expect("the end"), None);
}

#[tokio::test]
async fn a_line_is_sent_with_its_ending() {
    let (mut client, mut server) = lines_pair().await;
    server.send(Message::text("one")).await.expect("sent");
    server.send(Message::text("two")).await.expect("sent");
    drop(server);
    assert_eq!(all_of(&mut client).await, b"one\ntwo\n");
}

#[tokio::test]
async fn a_line_of_the_bound_passes_and_a_longer_one_is_an_error() {
    let (mut client, mut server) = lines_pair().await;
    let sender = tokio::spawn(async move {
        let mut line = vec![b'x'; LINE_BYTES_MAX];
        line.extend_from_slice(b"\r\n");
        client.send(Message::binary(line)).await.expect("sent");
        client.send(Message::binary(vec![b'x'; LINE_BYTES_MAX + 1])).await.expect("sent");
        client
    });
    assert_eq!(text_of(&mut server).await.len(), LINE_BYTES_MAX);
    let error = server.recv().await.expect_err("too long");
    assert!(matches!(error, RecvError::TooLong { bytes_max: LINE_BYTES_MAX, .. }), "{error:?}");
    assert!(error.to_string().contains(&LINE_BYTES_MAX.to_string()), "{error}");
    assert_eq!(server.recv().await.expect("nothing more"), None);
    sender.await.expect("the sender");
}

#[tokio::test]
async fn a_recv_that_is_given_up_in_the_middle_of_a_line_loses_nothing() {
    let (mut client, mut server) = lines_pair().await;
    let sender = tokio::spawn(async move {
        for byte in b"first line\nsecond line\n" {
            client.send(Message::binary(vec![*byte])).await.expect("sent");
            tokio::task::yield_now().await;
        }
    });
    let mut lines = Vec::new();
    loop {
        tokio::select! {
            biased;
            line = server.recv() => match line.expect("received") {
                Some(line) => lines.push(line.to_text().into_owned()),
                None => break,
            },
            () = tokio::task::yield_now() => {}
        }
    }
    sender.await.expect("the sender");
    assert_eq!(lines, ["first line", "second line"]);
}

#[tokio::test]
async fn datagrams_are_messages_already() {
    let (_listener, client, server) = pair("udp://127.0.0.1:0").await;
    let (mut client, mut server) = (client, server.with_framing(Framing::Lines));
    client.send(Message::text("one\ntwo\n")).await.expect("sent");
    assert_eq!(text_of(&mut server).await, "one\ntwo\n");
    server.send(Message::text("three")).await.expect("sent");
    assert_eq!(text_of(&mut client).await, "three");
}

#[tokio::test]
async fn every_framing_carries_messages_over_a_stream() {
    for framing in [Framing::Lines, Framing::LineFeed, Framing::Nul, Framing::Length] {
        let (_listener, client, server) = pair("tcp://127.0.0.1:0").await;
        let (mut client, mut server) = (client.with_framing(framing), server.with_framing(framing));
        for text in ["one", "", "año 🔌"] {
            client.send(Message::text(text)).await.expect("sent");
        }
        drop(client);
        for text in ["one", "", "año 🔌"] {
            assert_eq!(text_of(&mut server).await, text, "{framing:?}");
        }
        assert_eq!(server.recv().await.expect("the end"), None, "{framing:?}");
    }
}

#[tokio::test]
async fn a_length_that_is_too_long_or_not_kept_is_an_error() {
    let (_listener, mut client, server) = pair("tcp://127.0.0.1:0").await;
    let mut server = server.with_framing_up_to(Framing::Length, 9);
    client.send(Message::binary(&b"\0\0\0\x09nine byte\0\0\0\x0a"[..])).await.expect("sent");
    assert_eq!(text_of(&mut server).await, "nine byte");
    let error = server.recv().await.expect_err("too long");
    assert!(matches!(error, RecvError::TooLong { bytes_max: 9, .. }), "{error:?}");

    let (_listener, mut client, server) = pair("tcp://127.0.0.1:0").await;
    let mut server = server.with_framing(Framing::Length);
    client.send(Message::binary(&b"\0\0\0\x09nine"[..])).await.expect("sent");
    drop(client);
    let error = server.recv().await.expect_err("a part of it");
    assert!(matches!(error, RecvError::Unfinished { missing: 5, .. }), "{error:?}");
    assert_eq!(server.recv().await.expect("nothing more"), None);
}
