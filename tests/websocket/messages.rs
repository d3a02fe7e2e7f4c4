//! Messages in both directions, whole and in pieces, prompt and slow.

use enchufe::core::Message;
use enchufe::core::ws::{CloseCode, Header, Opcode};
use enchufe::transport::{BindOptions, Connection, RecvError, SendError};
use tokio::io::AsyncWriteExt as _;

use super::support::{LONG, RawClient, close, echo, frame, open, pair, server_options};

const LENGTHS: [usize; 8] = [0, 1, 125, 126, 65_535, 65_536, 300_000, 1 << 20];

/// A frame of a message that goes on.
fn fragment(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let payload_len = payload.len() as u64;
    let header = Header { fin: false, compressed: false, opcode, mask: Some([0; 4]), payload_len };
    [&header.encode()[..], payload].concat()
}

/// Sends until the peer, who does not read, takes no more. The last message is half sent.
async fn stuff(connection: &mut Connection) -> usize {
    let message = Message::binary(vec![7; 100_000]);
    let mut count = 0;
    loop {
        count += 1;
        tokio::select! {
            biased;
            sent = connection.send(message.clone()) => sent.expect("send"),
            // Polled only when sending waits; real time has nothing to do with it.
            () = tokio::task::yield_now() => return count,
        }
    }
}

#[tokio::test]
async fn another_implementation_gets_back_what_it_sends() {
    let server = echo(None, &BindOptions::default()).await;
    tokio::task::spawn_blocking(move || {
        let stream = std::net::TcpStream::connect(server).expect("connect");
        let (mut client, _) = tungstenite::client("ws://localhost/", stream).expect("handshake");
        for len in LENGTHS {
            for message in [
                tungstenite::Message::text("ñ".repeat(len / 2)),
                tungstenite::Message::binary(vec![0xfe; len]),
            ] {
                client.send(message.clone()).expect("send");
                assert_eq!(client.read().expect("read"), message, "{len}");
            }
        }
        client.close(None).expect("close");
        let ended = loop {
            match client.read() {
                Ok(message) => assert!(message.is_close(), "{message}"),
                Err(error) => break error,
            }
        };
        assert!(matches!(ended, tungstenite::Error::ConnectionClosed), "{ended}");
    })
    .await
    .expect("the client");
}

#[tokio::test]
async fn our_client_gets_back_what_it_sends() {
    let mut client = open(echo(None, &BindOptions::default()).await).await;
    for len in LENGTHS {
        for message in [Message::text("a".repeat(len)), Message::binary(vec![0xfe; len])] {
            client.send(message.clone()).await.expect("send");
            assert_eq!(client.recv().await.expect("recv"), Some(message), "{len}");
        }
    }
}

#[tokio::test]
async fn a_message_in_fragments_is_one_and_a_ping_between_them_is_answered() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    client.send_raw(&fragment(Opcode::Text, "Hóla".as_bytes())).await;
    client.send(Opcode::Ping, b"there?").await;
    client.send(Opcode::Continuation, b", world").await;
    let message = connection.recv().await.expect("recv");
    assert_eq!(message, Some(Message::text("Hóla, world")));
    assert_eq!(client.frame().await, Some((0x8a, b"there?".to_vec())));
}

#[tokio::test]
async fn receiving_can_be_given_up_at_any_byte() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    let mut bytes = fragment(Opcode::Text, b"one ");
    bytes.extend(frame(Opcode::Continuation, b"message"));
    bytes.extend(frame(Opcode::Binary, &[9; 300]));
    let sender = tokio::spawn(async move {
        for byte in bytes {
            client.send_raw(&[byte]).await;
            tokio::task::yield_now().await;
        }
        client
    });
    let mut received = Vec::new();
    while received.len() < 2 {
        tokio::select! {
            biased;
            message = connection.recv() => received.push(message.expect("recv").expect("a message")),
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(received, [Message::text("one message"), Message::binary(vec![9; 300])]);
    sender.await.expect("the sender");
}

#[tokio::test]
async fn a_message_whose_sending_was_given_up_halfway_is_finished_before_the_next() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    let begun = stuff(&mut connection).await;
    let sending = async {
        connection.send(Message::text("next")).await.expect("send");
        connection
    };
    let reading = async {
        for _ in 0..begun {
            assert_eq!(client.frame().await, Some((0x82, vec![7; 100_000])));
        }
        assert_eq!(client.frame().await, Some((0x81, b"next".to_vec())));
    };
    tokio::join!(sending, reading);
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_still_heard_and_its_latest_ping_answered() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    let begun = stuff(&mut connection).await;
    for payload in ["1", "2", "3"] {
        client.send(Opcode::Ping, payload.as_bytes()).await;
    }
    client.send(Opcode::Text, b"heard").await;
    let heard = tokio::time::timeout(LONG, connection.recv()).await.expect("in time");
    assert_eq!(heard.expect("recv"), Some(Message::text("heard")));

    let receiving = tokio::spawn(async move { connection.recv().await });
    for _ in 0..begun {
        assert_eq!(client.frame().await, Some((0x82, vec![7; 100_000])));
    }
    assert_eq!(client.frame().await, Some((0x8a, b"3".to_vec())));
    client.send(Opcode::Close, &close(1000, "")).await;
    assert_eq!(receiving.await.expect("the task").expect("recv"), None);
}

#[tokio::test]
async fn the_halves_of_a_connection_work_at_the_same_time() {
    let (connection, client) = pair(&BindOptions::default()).await;
    let (mut incoming, mut outgoing) = connection.split();
    let RawClient { stream } = client;
    let (from_server, mut to_server) = stream.into_split();
    const COUNT: usize = 2_000;
    let receiving = tokio::spawn(async move {
        for index in 0..COUNT {
            let message = incoming.recv().await.expect("recv").expect("a message");
            assert_eq!(message, Message::text(index.to_string()));
        }
        incoming
    });
    let sending = tokio::spawn(async move {
        for index in 0..COUNT {
            outgoing.send(Message::binary(vec![1; index])).await.expect("send");
        }
        outgoing
    });
    let client_sending = tokio::spawn(async move {
        for index in 0..COUNT {
            let mut bytes = frame(Opcode::Ping, b"?");
            bytes.extend(frame(Opcode::Text, index.to_string().as_bytes()));
            to_server.write_all(&bytes).await.expect("send");
        }
        to_server
    });
    let mut client = Frames { stream: from_server };
    let mut next = 0;
    while next < COUNT {
        match client.next().await {
            (0x82, payload) => {
                assert_eq!(payload, vec![1; next]);
                next += 1;
            }
            (opcode, payload) => assert_eq!((opcode, payload), (0x8a, b"?".to_vec())),
        }
    }
    let _ = tokio::join!(receiving, sending, client_sending);
}

struct Frames {
    stream: tokio::net::tcp::OwnedReadHalf,
}

impl Frames {
    async fn next(&mut self) -> (u8, Vec<u8>) {
        use tokio::io::AsyncReadExt as _;
        let stream = &mut self.stream;
        let first = stream.read_u8().await.expect("a frame");
        let len = match stream.read_u8().await.expect("a length") {
            126 => usize::from(stream.read_u16().await.expect("a length")),
            len => usize::from(len),
        };
        let mut payload = vec![0; len];
        stream.read_exact(&mut payload).await.expect("a payload");
        (first, payload)
    }
}

#[tokio::test]
async fn what_breaks_the_protocol_is_answered_with_its_code_and_nobody_else_notices() {
    let mut not_masked = frame(Opcode::Text, b"");
    not_masked.truncate(2);
    not_masked[1] = 0;
    for (bytes, code) in [
        (not_masked, 1002),
        (frame(Opcode::Continuation, b"of nothing"), 1002),
        (frame(Opcode::Text, b"\xff"), 1007),
        (frame(Opcode::Close, &close(1005, "")), 1002),
        (frame(Opcode::Binary, &[0; 1001]), 1009),
    ] {
        let options = server_options(|ws| ws.message_bytes_max = 1000);
        let (mut connection, mut client) = pair(&options).await;
        client.send_raw(&bytes).await;
        // A peer that is in the middle of something must still get to know why.
        client.send_raw(&[0; 100_000]).await;
        let receiving = tokio::spawn(async move { (connection.recv().await, connection) });
        let (opcode, payload) = client.frame().await.expect("a close frame");
        assert_eq!((opcode, u16::from_be_bytes([payload[0], payload[1]])), (0x88, code));
        assert_eq!(client.frame().await, None);
        drop(client);
        let (received, mut connection) = receiving.await.expect("the task");
        let Err(RecvError::Violation { code: told, .. }) = received else { panic!("{received:?}") };
        assert_eq!(told, CloseCode::new(code).expect("a code"));
        assert_eq!(connection.recv().await.expect("the end"), None);
        let sent = connection.send(Message::text("late")).await;
        assert!(matches!(sent, Err(SendError::Closed { .. })), "{sent:?}");
    }
}

#[tokio::test]
async fn a_peer_that_is_still_sending_gets_to_read_what_it_did() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    let server = tokio::spawn(async move { connection.recv().await.map(|_| ()) });
    client.send(Opcode::Text, b"\xff").await;
    // Were the connection closed on bytes that nobody has read, it would be reset and the frame
    // lost that waits here to be read.
    for _ in 0..100 {
        client.send_raw(&[0; 1000]).await;
        tokio::task::yield_now().await;
    }
    assert!(!server.is_finished());
    let (opcode, payload) = client.frame().await.expect("a close frame");
    assert_eq!((opcode, &payload[..2]), (0x88, &1007_u16.to_be_bytes()[..]));
    drop(client);
    assert!(server.await.expect("the task").is_err());
}

#[tokio::test]
async fn a_violation_is_answered_behind_a_message_that_is_half_sent() {
    let (mut connection, mut client) = pair(&BindOptions::default()).await;
    let begun = stuff(&mut connection).await;
    client.send(Opcode::Text, b"\xff").await;
    let receiving = tokio::spawn(async move { connection.recv().await });
    for _ in 0..begun {
        assert_eq!(client.frame().await, Some((0x82, vec![7; 100_000])));
    }
    let (opcode, payload) = client.frame().await.expect("a close frame");
    assert_eq!((opcode, &payload[..2]), (0x88, &1007_u16.to_be_bytes()[..]));
    drop(client);
    assert!(receiving.await.expect("the task").is_err());
}
