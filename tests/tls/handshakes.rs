//! Who can shake hands, what others are told, and that nobody waits for them.

use std::sync::Arc;

use enchufe::limits;
use enchufe::transport::tls::Distrust;
use enchufe::transport::{BindError, BindOptions, Connection, Listener, OpenError, OpenOptions};
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{
    Made, address, echo, foreign_client, foreign_config, listen, open, shake_hands,
};

/// The beginning of a handshake: a record of 512 bytes is to follow.
const HALF_A_HELLO: [u8; 7] = [22, 3, 1, 2, 0, 1, 0];

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_http_1_1_is_agreed_on() {
    let made = Made::localhost();
    let server = echo(&made.server()).await;
    for (version, agreed) in
        [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)]
    {
        let client = foreign_client(server, &made, &[version]).await;
        let (_, session) = client.get_ref();
        assert_eq!(session.protocol_version(), Some(agreed));
        assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
    }
}

#[tokio::test]
async fn who_comes_back_takes_the_short_way() {
    let made = Made::localhost();
    let server = echo(&made.server()).await;
    for version in [&TLS12, &TLS13] {
        let config = foreign_config(&made, &[version]);
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let mut client = shake_hands(server, Arc::clone(&config)).await;
            // What to come back with is behind the handshake.
            client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("open");
            client.read_to_end(&mut Vec::new()).await.expect("an answer");
            kinds.push(client.get_ref().1.handshake_kind());
        }
        assert_eq!(kinds, [Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)], "{version:?}");
    }
}

#[tokio::test]
async fn our_client_names_its_host_and_offers_http_1_1() {
    let made = Made::localhost();
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let local = server.local_addr().expect("bound");
    let options = made.client();
    let client = tokio::spawn(async move { open("localhost", local, &options).await });
    let (stream, _) = server.accept().await.expect("it comes");
    let hello = tokio_rustls::LazyConfigAcceptor::new(Default::default(), stream);
    let hello = hello.await.expect("a hello");
    assert_eq!(hello.client_hello().server_name(), Some("localhost"));
    let offered: Vec<_> = hello.client_hello().alpn().expect("an offer").collect();
    assert_eq!(offered, [b"http/1.1"]);
    drop(hello);
    let error = client.await.expect("no panic").expect_err("the server left");
    assert!(matches!(error, OpenError::Tls { error: Distrust::Closed, .. }), "{error:?}");
}

#[tokio::test]
async fn a_client_without_tls_is_told_so() {
    let made = Made::localhost();
    let server = echo(&made.server()).await;
    let text = address("localhost", server.port(), None).to_string().replacen("wss", "ws", 1);
    let plain = enchufe::Address::parse_connect(&text).expect("an address");
    let error = Connection::open(&plain, &OpenOptions::default()).await.expect_err("no TLS");
    let OpenError::Refusal { refusal, .. } = error else { panic!("{error:?}") };
    assert_eq!(refusal.status, 400);
    assert!(refusal.text.contains("this port speaks TLS"), "{refusal:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_known_by_its_answer() {
    let plain = enchufe::Address::parse_serve("ws://127.0.0.1:0").expect("an address");
    let mut listener = Listener::bind(&plain, &BindOptions::default()).await.expect("a port");
    let port = listener.local_addresses()[0].host_port().expect("a port").port;
    tokio::spawn(async move { listener.accept().await });
    let secure = address("localhost", port, None);
    let error = Connection::open(&secure, &OpenOptions::default()).await.expect_err("no TLS");
    assert!(matches!(error, OpenError::Tls { error: Distrust::NoTls, .. }), "{error:?}");
    let plain = format!("ws://localhost:{port} would be without TLS");
    assert_eq!(error.hint(), Some(plain), "{error}");
}

#[tokio::test]
async fn without_a_certificate_nothing_is_served() {
    let error = Listener::bind(&address("localhost", 0, None), &BindOptions::default()).await;
    let error = error.expect_err("no certificate");
    assert!(matches!(error, BindError::NoCertificate { .. }), "{error:?}");
    assert!(error.to_string().contains("wss://localhost:0"), "{error}");
    assert!(error.hint().expect("a hint").contains("--tls-dev"), "{error}");
}

#[tokio::test]
async fn a_handshake_that_is_not_finished_keeps_nobody_waiting() {
    let made = Made::localhost();
    let server = echo(&made.server()).await;
    let mut slow = Vec::new();
    for beginning in [&HALF_A_HELLO[..], &[]].into_iter().cycle().take(20) {
        let mut stream = TcpStream::connect(server).await.expect("it listens");
        stream.write_all(beginning).await.expect("it is open");
        slow.push(stream);
    }
    let mut client = open("localhost", server, &made.client()).await.expect("a connection");
    client.send(enchufe::Message::text("here")).await.expect("it goes out");
    assert_eq!(client.recv().await.expect("it comes"), Some(enchufe::Message::text("here")));
}

#[tokio::test(start_paused = true)]
async fn so_many_handshakes_go_on_at_once_and_the_others_wait_their_turn() {
    let made = Made::localhost();
    let server = echo(&made.server()).await;
    let mut idle = Vec::new();
    for _ in 0..limits::HANDSHAKES_MAX {
        idle.push(TcpStream::connect(server).await.expect("it listens"));
    }
    let begun = tokio::time::Instant::now();
    foreign_client(server, &made, rustls::ALL_VERSIONS).await;
    assert!(begun.elapsed() >= limits::HANDSHAKE_TIMEOUT / 2, "it had to wait");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_is_never_finished_is_given_up() {
    let made = Made::localhost();
    let (mut listener, server) = listen(&made.server()).await;
    tokio::spawn(async move { listener.accept().await });
    for beginning in [&HALF_A_HELLO[..], &[]] {
        let mut slow = TcpStream::connect(server).await.expect("it listens");
        slow.write_all(beginning).await.expect("it is open");
        let begun = tokio::time::Instant::now();
        let mut answer = Vec::new();
        slow.read_to_end(&mut answer).await.expect("the end");
        assert!(begun.elapsed() >= limits::HANDSHAKE_TIMEOUT / 2, "it was given its time");
        assert!(begun.elapsed() <= 2 * limits::HANDSHAKE_TIMEOUT);
    }
}
