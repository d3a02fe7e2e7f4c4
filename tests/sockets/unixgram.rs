//! Datagrams over Unix-domain sockets.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use enchufe::core::Message;
use enchufe::limits::{UNIXGRAM_BYTES_MAX, UNIXGRAM_SEND_TIMEOUT};
use enchufe::transport::{Peer, RecvError, SendError};
use tokio::time::timeout;

use crate::common::{PATIENCE, bind, next, open, pair, text_of, until};
use crate::unix::{address_in, folder, is_empty, path_in};

#[tokio::test]
async fn a_client_has_a_name_so_that_it_is_answered() {
    let folder = folder();
    let (_listener, mut client, mut server) = pair(&address_in(&folder, "unixgram")).await;
    assert_ne!(server.peer(), &Peer::UnixUnnamed);
    assert!(!client.is_stream());
    server.send(Message::text("answer")).await.expect("sent");
    assert_eq!(text_of(&mut client).await, "answer");
    for length in [0, 1, UNIXGRAM_BYTES_MAX] {
        let payload: Vec<u8> = (0..=255).cycle().take(length).collect();
        client.send(Message::binary(payload.clone())).await.expect("sent");
        assert_eq!(next(&mut server).await.payload, payload);
        server.send(Message::binary(payload.clone())).await.expect("sent");
        assert_eq!(next(&mut client).await.payload, payload);
    }
}

#[tokio::test]
async fn the_file_stays_as_long_as_a_connection_needs_it() {
    let folder = folder();
    let (listener, mut client, mut server) = pair(&address_in(&folder, "unixgram")).await;
    drop(listener);
    client.send(Message::text("still there?")).await.expect("sent");
    assert_eq!(text_of(&mut server).await, "still there?");
    assert!(!is_empty(folder.path()));
    drop(server);
    until(async || is_empty(folder.path())).await;
    let error = client.send(Message::text("still there?")).await.expect_err("gone");
    assert!(matches!(error, SendError::Refused { .. } | SendError::Closed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_peer_with_a_path_is_known_by_it_and_one_without_a_name_cannot_be_answered() {
    let folder = folder();
    let mut listener = bind(&address_in(&folder, "unixgram")).await;
    let own = folder.path().join("client");
    let named = UnixDatagram::bind(&own).expect("a socket");
    named.send_to(b"hello", path_in(&folder)).expect("sent");
    let mut server = listener.accept().await;
    assert_eq!(server.peer(), &Peer::UnixPath(own.clone()));
    server.send(Message::text("answer")).await.expect("sent");
    let mut buffer = [0; 16];
    assert_eq!(named.recv(&mut buffer).expect("received"), 6);

    drop(named);
    let error = server.send(Message::text("dead?")).await.expect_err("nobody");
    assert!(matches!(error, SendError::Refused { .. }), "{error:?}");
    std::fs::remove_file(own).expect("removed");
    let error = server.send(Message::text("gone?")).await.expect_err("no file");
    assert!(matches!(error, SendError::Closed { .. }), "{error:?}");

    let unnamed = UnixDatagram::unbound().expect("a socket");
    unnamed.send_to(b"hello", path_in(&folder)).expect("sent");
    let mut server = listener.accept().await;
    assert_eq!(server.peer(), &Peer::UnixUnnamed);
    assert_eq!(text_of(&mut server).await, "hello");
    let error = server.send(Message::text("answer")).await.expect_err("no name");
    assert!(matches!(error, SendError::Unnamed), "{error:?}");
}

#[tokio::test]
async fn a_datagram_beyond_the_bound_is_reported_and_never_cut() {
    let folder = folder();
    let (_listener, mut client, mut server) = pair(&address_in(&folder, "unixgram")).await;
    server.send(Message::binary(vec![0; UNIXGRAM_BYTES_MAX + 1])).await.expect("sent");
    let error = client.recv().await.expect_err("too long");
    assert!(
        matches!(error, RecvError::DatagramTooLong { bytes_max: UNIXGRAM_BYTES_MAX, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains(&UNIXGRAM_BYTES_MAX.to_string()), "{error}");
    server.send(Message::text("short")).await.expect("sent");
    assert_eq!(text_of(&mut client).await, "short");

    client.send(Message::binary(vec![0; UNIXGRAM_BYTES_MAX + 1])).await.expect("sent");
    client.send(Message::text("short")).await.expect("sent");
    assert_eq!(text_of(&mut server).await, "short");

    let error =
        client.send(Message::binary(vec![0; 64 << 20])).await.expect_err("too long for the system");
    assert!(matches!(error, SendError::TooLong { .. }), "{error:?}");
}

#[tokio::test]
async fn a_peer_whose_queue_is_full_is_waited_for() {
    const COUNT: usize = 400;
    let folder = folder();
    let (_listener, mut client, mut server) = pair(&address_in(&folder, "unixgram")).await;
    let answers = tokio::spawn(async move {
        for number in 0..COUNT {
            server.send(Message::text(number.to_string())).await.expect("sent");
        }
        server
    });
    // The system's queue is full long before the client looks.
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!answers.is_finished());
    for number in 0..COUNT {
        assert_eq!(text_of(&mut client).await, number.to_string());
    }
    let mut server = answers.await.expect("the server");

    let questions = tokio::spawn(async move {
        for number in 0..COUNT {
            client.send(Message::text(number.to_string())).await.expect("sent");
            // A queue of ours, which is never waited for, holds fewer.
            tokio::task::yield_now().await;
        }
    });
    let mut received = 0;
    while let Ok(Ok(Some(_))) = timeout(Duration::from_millis(200), server.recv()).await {
        received += 1;
    }
    timeout(PATIENCE, questions).await.expect("in time").expect("the client");
    assert!(received > 0, "{received}");
}

#[tokio::test]
async fn a_peer_whose_queue_stays_full_is_given_up() {
    let folder = folder();
    let (_listener, _client, mut server) = pair(&address_in(&folder, "unixgram")).await;
    // Nothing but this waits, so that time may pass as quickly as it likes.
    tokio::time::pause();
    let error = loop {
        if let Err(error) = server.send(Message::text("anybody there?")).await {
            break error;
        }
    };
    assert!(
        matches!(error, SendError::TimedOut { timeout: UNIXGRAM_SEND_TIMEOUT, .. }),
        "{error:?}"
    );
    assert!(error.to_string().ends_with("took nothing for 10 s"), "{error}");
}

#[tokio::test]
async fn each_client_has_a_connection_of_its_own() {
    let folder = folder();
    let mut listener = bind(&address_in(&folder, "unixgram")).await;
    let address = listener.local_addresses()[0].clone();
    let mut clients = [open(&address).await, open(&address).await];
    for (index, client) in clients.iter_mut().enumerate() {
        client.send(Message::text(index.to_string())).await.expect("sent");
        let mut server = listener.accept().await;
        let question = text_of(&mut server).await;
        server.send(Message::text(format!("answer to {question}"))).await.expect("sent");
        assert_eq!(text_of(client).await, format!("answer to {index}"));
    }
}
