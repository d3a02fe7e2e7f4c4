//! Messages over TLS, however large and however many, and how connections end.

use enchufe::Message;
use enchufe::transport::{CloseCode, CloseReason, RecvError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::support::{LONG, Made, echo, foreign_client, listen, open};

const HEAD: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[tokio::test]
async fn messages_of_every_size_come_back() {
    let made = Made::localhost();
    let server = echo(&made.server()).await;
    for host in ["localhost", "127.0.0.1"] {
        let mut client = open(host, server, &made.client()).await.expect("a connection");
        for bytes in [0, 1, 125, 126, 16_384, 65_536, 1 << 20] {
            let message = Message::binary(vec![7; bytes]);
            client.send(message.clone()).await.expect("it goes out");
            assert_eq!(client.recv().await.expect("it comes back"), Some(message));
        }
        client.close(CloseReason::new(CloseCode::NORMAL, "")).await.expect("closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_at_once_nothing_is_lost_and_nothing_gets_stuck() {
    let made = Made::localhost();
    let (mut listener, server) = listen(&made.server()).await;
    let client = tokio::spawn({
        let options = made.client();
        async move { open("localhost", server, &options).await.expect("a connection") }
    });
    let halves = [listener.accept().await, client.await.expect("no panic")];
    let mut tasks = tokio::task::JoinSet::new();
    for connection in halves {
        let (mut incoming, mut outgoing) = connection.split();
        tasks.spawn(async move {
            for number in 0..200_usize {
                let message = vec![u8::try_from(number).expect("small"); number * 997];
                outgoing.send(Message::binary(message)).await.expect("it goes out");
            }
            // To drop it now would close the connection.
            std::future::pending::<()>().await;
        });
        tasks.spawn(async move {
            for number in 0..200_usize {
                let message = incoming.recv().await.expect("it comes").expect("more");
                assert_eq!(message.payload.len(), number * 997);
                assert!(message.payload.iter().all(|&byte| usize::from(byte) == number));
            }
        });
    }
    for _ in 0..2 {
        let received = timeout(LONG, tasks.join_next()).await.expect("in time");
        received.expect("a task").expect("no panic");
    }
}

#[tokio::test]
async fn who_closes_is_heard_on_both_sides() {
    let made = Made::localhost();
    let (mut listener, server) = listen(&made.server()).await;
    let options = made.client();
    let (mut accepted, opened) =
        tokio::join!(listener.accept(), open("localhost", server, &options));
    let opened = opened.expect("a connection");
    let reason = CloseReason::new(CloseCode::NORMAL, "done");
    let (closed, received) = tokio::join!(opened.close(reason.clone()), accepted.recv());
    closed.expect("the answer came");
    assert_eq!(received.expect("a close is no error"), None);
    assert_eq!(accepted.closed_with(), Some(&reason));
}

#[tokio::test]
async fn a_client_that_is_cut_off_has_not_closed() {
    let made = Made::localhost();
    let (mut listener, server) = listen(&made.server()).await;
    let cut = async {
        let mut client = foreign_client(server, &made, rustls::ALL_VERSIONS).await;
        client.write_all(HEAD.as_bytes()).await.expect("it is open");
        let mut answer = [0; 12];
        client.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 101");
        // The connection below, without a word about it above.
        let (mut stream, _) = client.into_inner();
        stream.shutdown().await.expect("it is open");
        stream
    };
    let (mut connection, _stream) = tokio::join!(listener.accept(), cut);
    let error = connection.recv().await.expect_err("nobody has closed");
    assert!(matches!(error, RecvError::Abnormal { .. }), "{error:?}");
}

#[tokio::test]
async fn frames_that_come_with_the_handshake_are_received() {
    let made = Made::localhost();
    let (mut listener, server) = listen(&made.server()).await;
    let speak = async {
        let mut client = foreign_client(server, &made, rustls::ALL_VERSIONS).await;
        let mut bytes = HEAD.as_bytes().to_vec();
        // Two masked frames, the first in the same record as the request.
        bytes.extend([0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
        client.write_all(&bytes).await.expect("it is open");
        client.write_all(&[0x81, 0x81, 0, 0, 0, 0, b'!']).await.expect("it is open");
        client
    };
    let (mut connection, _client) = tokio::join!(listener.accept(), speak);
    for text in ["hi", "!"] {
        let message = timeout(LONG, connection.recv()).await.expect("in time").expect("it came");
        assert_eq!(message, Some(Message::text(text)));
    }
}
