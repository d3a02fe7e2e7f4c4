//! What the end of one side means for the other, pair by pair.

use std::time::Duration;

use enchufe::recording::{Direction, What};
use enchufe::relay::Trouble;
use enchufe::transport::{CloseCode, CloseReason, RecvError};
use enchufe::{Connection, Listener, Message, RelayOptions};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{
    Relaying, accept, bytes, folder, journal, listen, next, rest, send, somewhere, told,
};

const BULK_BYTES: usize = 3 << 20;

/// A client of `near`, its relay, and the connection that it has at `far`.
async fn joined(
    near: &str,
    far: &str,
    folder: &TempDir,
    change: impl FnOnce(&mut RelayOptions),
) -> (Relaying, Connection, Connection, Listener) {
    let mut listener = listen(&somewhere(far, folder, "far")).await;
    let address = listener.local_addresses()[0].clone();
    let relaying = Relaying::start(near, folder, &address, change).await;
    let client = relaying.open().await;
    let server = accept(&mut listener).await;
    (relaying, client, server, listener)
}

/// A raw TCP client of a relay, which can be reset.
async fn raw(relaying: &Relaying) -> TcpStream {
    let endpoint = relaying.address.host_port().expect("tcp");
    TcpStream::connect(("127.0.0.1", endpoint.port)).await.expect("it listens")
}

fn reset(stream: TcpStream) {
    stream.set_zero_linger().expect("an option");
    drop(stream);
}

fn close(code: u16, reason: &str) -> CloseReason {
    CloseReason::new(CloseCode::new(code).expect("a code"), reason)
}

#[tokio::test]
async fn either_side_of_two_streams_may_end_first_and_the_other_goes_on() {
    for (near, far) in [("tcp", "tcp"), ("tcp", "unix"), ("unix", "tcp"), ("unix", "unix")] {
        for client_first in [true, false] {
            let folder = folder();
            let (relaying, client, server, _listener) = joined(near, far, &folder, |_| {}).await;
            let (mut first, mut second) =
                if client_first { (client, server) } else { (server, client) };
            send(&mut first, "question").await;
            first.finish().await.expect("half closed");
            assert_eq!(rest(&mut second).await, b"question");
            let bulk: Vec<u8> = (0..=250).cycle().take(BULK_BYTES).collect();
            let sending = async {
                second.send(Message::binary(bulk.clone())).await.expect("sent");
                second.finish().await.expect("half closed");
            };
            let (received, ()) = tokio::join!(rest(&mut first), sending);
            assert!(received == bulk, "{near} → {far}: {} bytes", received.len());
            relaying.until_ended(1).await;
            assert_eq!(relaying.events(), ["opened 1", "ended 1"]);
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_still_has_the_answer_of_a_websocket_and_only_then_closes_it() {
    let folder = folder();
    let (journal, mut entries) = journal();
    let patient = |options: &mut RelayOptions| {
        options.journal = Some(journal);
        options.wait = Duration::from_millis(500);
    };
    let (relaying, mut client, mut server, _listener) = joined("tcp", "ws", &folder, patient).await;
    send(&mut client, "question").await;
    client.finish().await.expect("half closed");
    assert_eq!(next(&mut server).await.expect("a message").payload, "question");
    // The relay knows of the end, and the answer has not even begun.
    let is_end = |what: &What| matches!(what, What::End { direction: Direction::Forth });
    told(&mut entries, is_end).await;
    send(&mut server, "answer").await;
    assert_eq!(bytes(&mut client, 6).await, b"answer");
    assert_eq!(next(&mut server).await, None);
    assert_eq!(server.closed_with().expect("a reason").code, CloseCode::NORMAL);
    assert_eq!(next(&mut client).await, None);
    relaying.until_ended(1).await;
    assert_eq!(relaying.events(), ["opened 1", "ended 1"]);
}

#[tokio::test]
async fn what_a_websocket_sends_until_it_answers_a_close_is_delivered() {
    let folder = folder();
    let hasty = |options: &mut RelayOptions| options.wait = Duration::from_millis(1);
    let (_relaying, mut client, server, _listener) = joined("tcp", "ws", &folder, hasty).await;
    let (mut incoming, mut outgoing) = server.split();
    client.finish().await.expect("half closed");
    // It does not read, so that it knows nothing of the Close frame, which is there by now or soon.
    tokio::time::sleep(Duration::from_millis(50)).await;
    outgoing.send(Message::text("late")).await.expect("sent");
    assert_eq!(bytes(&mut client, 4).await, b"late");
    assert!(matches!(incoming.recv().await, Ok(None)));
    assert_eq!(next(&mut client).await, None);
}

#[tokio::test]
async fn close_codes_pass_from_websocket_to_websocket_both_ways() {
    for client_first in [true, false] {
        let folder = folder();
        let (relaying, client, server, _listener) = joined("ws", "ws", &folder, |_| {}).await;
        let (mut first, mut second) =
            if client_first { (client, server) } else { (server, client) };
        send(&mut first, "last words").await;
        let closing = first.close(close(4321, "because"));
        let hearing = async {
            assert_eq!(next(&mut second).await, Some(Message::text("last words")));
            assert_eq!(next(&mut second).await, None);
            assert_eq!(second.closed_with(), Some(&close(4321, "because")));
        };
        let (closed, ()) = tokio::join!(closing, hearing);
        closed.expect("closed");
        relaying.until_ended(1).await;
        let report = relaying.end().await.last.expect("one");
        let direction = if client_first { Direction::Forth } else { Direction::Back };
        assert_eq!(report.closed, Some((direction, close(4321, "because"))));
        assert!(report.trouble.is_none(), "{report:?}");
    }
}

#[tokio::test]
async fn a_websocket_that_closes_ends_the_stream_after_its_last_message() {
    for (near, far) in [("tcp", "ws"), ("unix", "ws")] {
        let folder = folder();
        let (relaying, mut client, mut server, _listener) =
            joined(near, far, &folder, |_| {}).await;
        let bulk = vec![7; BULK_BYTES / 4];
        let closing = async {
            for _ in 0..4 {
                server.feed(Message::binary(bulk.clone())).await.expect("fed");
            }
            server.flush().await.expect("sent");
            server.close(close(1000, "")).await.expect("closed");
        };
        let (received, ()) = tokio::join!(rest(&mut client), closing);
        assert_eq!(received.len(), BULK_BYTES);
        relaying.end().await;
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_off_never_looks_like_a_whole() {
    let folder = folder();
    // To a stream: a reset.
    let mut listener = listen(&somewhere("tcp", &folder, "far")).await;
    let address = listener.local_addresses()[0].clone();
    let relaying = Relaying::start("tcp", &folder, &address, |_| {}).await;
    let mut client = raw(&relaying).await;
    let mut server = accept(&mut listener).await;
    client.write_all(b"half").await.expect("sent");
    assert_eq!(bytes(&mut server, 4).await, b"half");
    reset(client);
    let error = server.recv().await.expect_err("not an end");
    assert!(matches!(error, RecvError::Reset { .. }), "{error:?}");
    relaying.until_ended(1).await;
    let report = relaying.end().await.last.expect("one");
    assert!(matches!(report.trouble, Some(Trouble::Recv(RecvError::Reset { .. }))), "{report:?}");
    // To a WebSocket: 1014.
    let mut listener = listen(&somewhere("ws", &folder, "ws")).await;
    let address = listener.local_addresses()[0].clone();
    let relaying = Relaying::start("tcp", &folder, &address, |_| {}).await;
    let client = raw(&relaying).await;
    let mut server = accept(&mut listener).await;
    reset(client);
    assert_eq!(next(&mut server).await, None);
    let reason = server.closed_with().expect("a reason");
    assert_eq!(reason.code.number(), 1014);
    assert_eq!(reason.reason, "the other side broke the connection off");
}

#[tokio::test]
async fn a_websocket_that_breaks_off_resets_the_stream() {
    let folder = folder();
    let mut listener = listen(&somewhere("ws", &folder, "far")).await;
    let address = listener.local_addresses()[0].clone();
    let relaying = Relaying::start("tcp", &folder, &address, |_| {}).await;
    let mut client = raw(&relaying).await;
    // Gone without a Close frame.
    drop(accept(&mut listener).await);
    let error = client.read(&mut [0]).await.expect_err("not an end");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    relaying.until_ended(1).await;
    let report = relaying.end().await.last.expect("one");
    let trouble = report.trouble.expect("one");
    assert!(matches!(trouble, Trouble::Recv(RecvError::Abnormal { .. })), "{trouble:?}");
}

#[tokio::test]
async fn the_answer_of_a_server_that_closes_before_it_has_read_everything_arrives() {
    let folder = folder();
    let mut listener = listen(&somewhere("tcp", &folder, "far")).await;
    let address = listener.local_addresses()[0].clone();
    let relaying = Relaying::start("tcp", &folder, &address, |_| {}).await;
    let client = raw(&relaying).await;
    let mut server = accept(&mut listener).await;
    let (mut reader, mut writer) = client.into_split();
    // More than all buffers on the way can hold, so that the relay is stuck in sending.
    let uploading = tokio::spawn(async move {
        let chunk = vec![0; 1 << 20];
        while writer.write_all(&chunk).await.is_ok() {}
    });
    assert!(!bytes(&mut server, 1).await.is_empty());
    send(&mut server, "too much").await;
    drop(server);
    let mut answer = [0; 8];
    reader.read_exact(&mut answer).await.expect("the answer");
    assert_eq!(&answer, b"too much");
    // And the upload does not hang.
    tokio::time::timeout(crate::support::PATIENCE, uploading)
        .await
        .expect("in time")
        .expect("ends");
    relaying.until_ended(1).await;
}

#[tokio::test]
async fn a_relay_that_is_asked_to_end_tells_both_sides_of_every_connection() {
    let folder = folder();
    let (relaying, mut client, mut server, _listener) = joined("ws", "ws", &folder, |_| {}).await;
    send(&mut client, "hola").await;
    assert_eq!(next(&mut server).await, Some(Message::text("hola")));
    relaying.trigger.request();
    for side in [&mut client, &mut server] {
        assert_eq!(next(side).await, None);
        assert_eq!(side.closed_with().expect("a reason").code, CloseCode::GOING_AWAY);
    }
    let relayed = relaying.ended().await;
    assert_eq!((relayed.connections, relayed.failed, relayed.dropped), (1, 0, 0));
}

#[tokio::test]
async fn nothing_for_too_long_ends_both_sides() {
    let folder = folder();
    let idle = |options: &mut RelayOptions| {
        options.idle_timeout = Some(Duration::from_millis(100));
    };
    let (relaying, mut client, mut server, _listener) = joined("tcp", "ws", &folder, idle).await;
    assert_eq!(next(&mut server).await, None);
    assert_eq!(server.closed_with().expect("a reason").code, CloseCode::GOING_AWAY);
    assert_eq!(next(&mut client).await, None);
    let report = relaying.end().await.last.expect("one");
    assert!(matches!(report.trouble, Some(Trouble::Idle(_))), "{report:?}");
}

#[tokio::test]
async fn once_is_over_after_the_first_connection() {
    let folder = folder();
    let once = |options: &mut RelayOptions| options.once = true;
    let (relaying, mut client, mut server, _listener) = joined("tcp", "tcp", &folder, once).await;
    for side in [&mut client, &mut server] {
        side.finish().await.expect("half closed");
    }
    let relayed = relaying.ended().await;
    assert_eq!((relayed.connections, relayed.failed), (1, 0));
}
