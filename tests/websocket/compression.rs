//! Messages compressed on real sockets, by our clients and by raw ones.

use enchufe::core::Message;
use enchufe::core::ws::deflate::{Direction, Offer, Policy, WindowBits};
use enchufe::core::ws::{CloseCode, Header, Opcode};
use enchufe::transport::{BindOptions, Connection, OpenOptions, RecvError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::support::{HEAD, RawClient, address, echo, listen, server_options};

fn direction(context_takeover: bool, bits: u8) -> Direction {
    let window_bits = WindowBits::new(bits).expect("8–15");
    Direction { context_takeover, window_bits }
}

/// A raw client that offers compression, the server's end of its connection, and the answer.
async fn offering(options: &BindOptions, offer: &str) -> (Connection, RawClient, String) {
    let (mut listener, local) = listen(None, options).await;
    let client = async {
        let mut stream = TcpStream::connect(local).await.expect("connect");
        let request = format!("{HEAD}Sec-WebSocket-Extensions: {offer}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("send the request");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("the answer"));
        }
        (RawClient { stream }, String::from_utf8(head).expect("text").to_lowercase())
    };
    let (connection, (client, head)) = tokio::join!(listener.accept(), client);
    (connection, client, head)
}

fn compressed(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let payload_len = payload.len() as u64;
    let header = Header { fin: true, compressed: true, opcode, mask: Some([0; 4]), payload_len };
    [&header.encode()[..], payload].concat()
}

#[tokio::test]
async fn what_is_long_and_gets_shorter_is_sent_compressed() {
    let (mut connection, mut client, head) =
        offering(&BindOptions::default(), "permessage-deflate; client_max_window_bits").await;
    let agreed = "sec-websocket-extensions: permessage-deflate; server_no_context_takeover; \
                  client_no_context_takeover\r\n";
    assert!(head.contains(agreed), "{head}");

    let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(1000).collect();
    for (message, first) in [
        (Message::text("x".repeat(1000)), 0xc1),
        (Message::binary(vec![7; 64]), 0xc2),
        (Message::text("x".repeat(63)), 0x81),
        (Message::binary(noise), 0x82),
    ] {
        connection.send(message).await.expect("send");
        assert_eq!(client.frame().await.expect("a frame").0, first);
    }
}

#[tokio::test]
async fn a_client_that_offers_nothing_gets_and_may_send_nothing_compressed() {
    let (mut connection, mut client) = super::support::pair(&BindOptions::default()).await;
    connection.send(Message::text("x".repeat(1000))).await.expect("send");
    assert_eq!(client.frame().await.expect("a frame").0, 0x81);
    client.send_raw(&compressed(Opcode::Text, &[0])).await;
    let error = connection.recv().await.expect_err("it was not agreed on");
    assert!(
        matches!(error, RecvError::Violation { code, .. } if code == CloseCode::PROTOCOL),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_told_not_to_declines() {
    let options = server_options(|options| options.deflate = None);
    let (_connection, _client, head) = offering(&options, "permessage-deflate").await;
    assert!(head.starts_with("http/1.1 101") && !head.contains("extensions"), "{head}");
}

#[tokio::test]
async fn a_message_that_inflates_beyond_the_limit_and_one_that_does_not_inflate_are_refused() {
    // A mebibyte of zeros in a kilobyte, four times over.
    let bomb = {
        let mut zeros = Vec::new();
        let mut deflater = enchufe::core::ws::deflate::Deflater::new(direction(false, 15));
        deflater.compress(&vec![0; 1 << 20], &mut zeros);
        [&zeros[..], &[0, 0, 0xff, 0xff]].concat().repeat(4)
    };
    for (payload, expected) in
        [(&bomb[..], CloseCode::TOO_BIG), (&[0xff; 20], CloseCode::INVALID_PAYLOAD)]
    {
        let (mut connection, mut client, _) =
            offering(&BindOptions::default(), "permessage-deflate").await;
        client.send_raw(&compressed(Opcode::Binary, payload)).await;
        let received = tokio::spawn(async move { connection.recv().await });
        let (first, close) = client.frame().await.expect("a Close frame");
        assert_eq!((first, &close[..2]), (0x88, &expected.number().to_be_bytes()[..]));
        drop(client);
        let error = received.await.expect("no panic").expect_err("it is refused");
        assert!(matches!(error, RecvError::Violation { code, .. } if code == expected), "{error}");
    }
}

#[tokio::test]
async fn our_clients_and_servers_compress_on_any_terms() {
    let any = [(true, 15), (false, 15), (true, 8), (false, 9)];
    for ((server, client), offered) in any.into_iter().zip(any.into_iter().rev()).zip(any) {
        let policy =
            Policy { server: direction(server.0, server.1), client: direction(client.0, client.1) };
        let server = echo(None, &server_options(|options| options.deflate = Some(policy))).await;
        let mut options = OpenOptions::default();
        options.ws.deflate =
            Some(Offer { server: direction(offered.0, offered.1), ..Offer::default() });
        let opened = Connection::open(&address(server.port(), None), &options).await;
        let mut connection = opened.expect("both sides agree");
        for len in [0, 10, 100, 1000, 1000, 70_000, 1000, 1 << 20] {
            let text: String = ('a'..='z').cycle().take(len).collect();
            connection.send(Message::text(text.clone())).await.expect("send");
            let answer = connection.recv().await.expect("recv");
            assert_eq!(answer, Some(Message::text(text)), "{len} {policy:?}");
        }
    }
}
