//! Streams over TLS, `tls://`, with each other and with tokio-rustls.

use std::net::SocketAddr;

use enchufe::address::{Address, HostPort};
use enchufe::core::Message;
use enchufe::service::{Echo, Event, Observer};
use enchufe::transport::tls::Distrust;
use enchufe::transport::{
    BindError, BindOptions, CloseCode, CloseReason, Connection, Listener, OpenError, RecvError,
};
use enchufe::{ServeOptions, Shutdown, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::echo::echo_for_ever;
use crate::common::exchange::both_ways_at_once;
use crate::support::{LONG, Made, foreign_client};

async fn listen(made: &Made) -> (Listener, SocketAddr) {
    let address = Address::parse_serve("tls://127.0.0.1:0").expect("an address");
    let listener = Listener::bind(&address, &made.server()).await.expect("a free port");
    let port = listener.local_addresses()[0].host_port().expect("a port").port;
    assert_eq!(listener.local_addresses()[0].to_string(), format!("tls://127.0.0.1:{port}"));
    (listener, SocketAddr::from(([127, 0, 0, 1], port)))
}

async fn open(made: &Made, server: SocketAddr) -> Result<Connection, OpenError> {
    let address = Address::Tls(HostPort::from(server));
    Connection::open(&address, &made.client()).await
}

/// A listener, and both ends of a connection to it.
async fn pair(made: &Made) -> (Listener, Connection, Connection) {
    let (mut listener, local) = listen(made).await;
    let (server, client) = tokio::join!(listener.accept(), open(made, local));
    (listener, client.expect("a connection"), server)
}

async fn all_of(connection: &mut Connection) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(message) =
        timeout(LONG, connection.recv()).await.expect("in time").expect("received")
    {
        all.extend_from_slice(&message.payload);
    }
    all
}

#[tokio::test]
async fn a_message_goes_there_and_back_and_each_side_knows_the_other() {
    let made = Made::localhost();
    let (_listener, mut client, mut server) = pair(&made).await;
    assert!(client.is_stream() && server.peer().to_string().starts_with("('127.0.0.1', "));
    client.send(Message::text("Hello, world")).await.expect("sent");
    let received = timeout(LONG, server.recv()).await.expect("in time").expect("received");
    server.send(received.expect("a message")).await.expect("sent");
    let back = timeout(LONG, client.recv()).await.expect("in time").expect("received");
    assert_eq!(back.expect("a message").to_text(), "Hello, world");
}

#[tokio::test]
async fn after_finish_the_answer_still_comes() {
    let made = Made::localhost();
    let (_listener, mut client, mut server) = pair(&made).await;
    client.send(Message::text("question")).await.expect("sent");
    client.finish().await.expect("half closed");
    client.finish().await.expect("half closed once more");
    assert_eq!(all_of(&mut server).await, b"question");
    server.send(Message::text("answer")).await.expect("sent");
    server.close(CloseReason::new(CloseCode::NORMAL, "")).await.expect("closed");
    assert_eq!(all_of(&mut client).await, b"answer");
    assert_eq!(client.recv().await.expect("it stays so"), None);
}

#[tokio::test]
async fn a_connection_that_is_dropped_has_ended_and_was_not_cut_off() {
    let made = Made::localhost();
    let (_listener, mut client, server) = pair(&made).await;
    drop(server);
    assert_eq!(all_of(&mut client).await, b"");
    let (_listener, client, mut server) = pair(&made).await;
    let (incoming, outgoing) = client.split();
    drop(outgoing);
    assert_eq!(all_of(&mut server).await, b"");
    drop(incoming);
}

#[tokio::test]
async fn an_end_without_the_peers_word_for_it_is_an_error() {
    let made = Made::localhost();
    let (mut listener, local) = listen(&made).await;
    let cut = async {
        let mut client = foreign_client(local, &made, rustls::ALL_VERSIONS).await;
        client.write_all(b"half a").await.expect("it is open");
        client.flush().await.expect("it is open");
        let (mut stream, _) = client.into_inner();
        stream.shutdown().await.expect("it is open");
        stream
    };
    let (mut server, _stream) = tokio::join!(listener.accept(), cut);
    let message = server.recv().await.expect("received").expect("a message");
    assert_eq!(message.to_text(), "half a");
    let error = server.recv().await.expect_err("it was cut off");
    assert!(matches!(error, RecvError::Abnormal { .. }), "{error:?}");
}

#[tokio::test]
async fn any_client_of_tls_is_served_whatever_protocol_it_names() {
    let made = Made::localhost();
    let (listener, local) = listen(&made).await;
    echo_for_ever(listener);
    // It names HTTP, of which nothing is known here.
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        let mut client = foreign_client(local, &made, versions).await;
        client.write_all(b"over and out").await.expect("it is open");
        client.shutdown().await.expect("half closed");
        let mut answer = Vec::new();
        timeout(LONG, client.read_to_end(&mut answer)).await.expect("in time").expect("an end");
        assert_eq!(answer, b"over and out");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_at_once_nothing_is_lost_and_nothing_gets_stuck() {
    let made = Made::localhost();
    let (_listener, client, server) = pair(&made).await;
    both_ways_at_once(client, server).await;
}

#[tokio::test]
async fn a_handshake_that_takes_its_time_keeps_nobody_waiting() {
    let made = Made::localhost();
    let (listener, local) = listen(&made).await;
    echo_for_ever(listener);
    let _silent = TcpStream::connect(local).await.expect("it listens");
    let mut client = open(&made, local).await.expect("a connection");
    client.send(Message::text("x")).await.expect("sent");
    let back = timeout(LONG, client.recv()).await.expect("in time").expect("received");
    assert_eq!(back.expect("a message").to_text(), "x");
}

#[tokio::test]
async fn who_speaks_no_tls_is_disconnected_and_not_answered_in_http() {
    let made = Made::localhost();
    let (listener, local) = listen(&made).await;
    echo_for_ever(listener);
    let mut client = TcpStream::connect(local).await.expect("it listens");
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let read = timeout(LONG, client.read_to_end(&mut answer)).await.expect("in time");
    assert!(read.is_err() || !answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn who_is_not_trusted_is_not_connected_to_and_a_server_needs_a_certificate() {
    let (made, other) = (Made::localhost(), Made::localhost());
    let (listener, local) = listen(&made).await;
    echo_for_ever(listener);
    let error = open(&other, local).await.expect_err("a stranger");
    assert!(matches!(error, OpenError::Tls { error: Distrust::UnknownIssuer, .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("tls://{local}")), "{error}");

    let address = Address::parse_serve("tls://localhost:0").expect("an address");
    let error = Listener::bind(&address, &BindOptions::default()).await.expect_err("none");
    assert!(matches!(error, BindError::NoCertificate { .. }), "{error:?}");
    assert!(error.to_string().contains("tls://localhost:0"), "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let made = Made::localhost();
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let local = server.local_addr().expect("bound");
    let mut options = made.client();
    options.timeout = std::time::Duration::from_millis(300);
    let error = Connection::open(&Address::Tls(HostPort::from(local)), &options).await;
    assert!(matches!(error, Err(OpenError::TimedOut { .. })), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_lives_on_shards_serves_streams_over_tls_to_their_ends() {
    const BYTES: usize = 4 << 20;
    let made = Made::localhost();
    let (listener, local) = listen(&made).await;
    let (told, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let mut options = ServeOptions::default();
    options.observer = Observer::new(move |event| {
        if let Event::Closed { error, .. } = event {
            told.send(error.map(ToString::to_string)).expect("it is read");
        }
    });
    let (trigger, shutdown) = Shutdown::new();
    let serving = tokio::spawn(serve(vec![listener], Echo, options, shutdown));
    for versions in [&[&rustls::version::TLS12][..], &[&rustls::version::TLS13]] {
        let client = foreign_client(local, &made, versions).await;
        let (mut reader, mut writer) = tokio::io::split(client);
        let saying = tokio::spawn(async move {
            writer.write_all(&vec![7; BYTES]).await.expect("it reads");
            writer.shutdown().await.expect("half closed");
            writer
        });
        let mut answer = Vec::new();
        timeout(LONG, reader.read_to_end(&mut answer)).await.expect("in time").expect("an end");
        assert!(answer.len() == BYTES && answer.iter().all(|&byte| byte == 7), "{}", answer.len());
        drop(saying.await.expect("no panic"));
        assert_eq!(timeout(LONG, ends.recv()).await.expect("in time"), Some(None), "it went well");
    }
    let mut cut = foreign_client(local, &made, rustls::ALL_VERSIONS).await;
    cut.write_all(b"half a").await.expect("it is open");
    cut.flush().await.expect("it is open");
    cut.read_exact(&mut [0; 6]).await.expect("the echo");
    let (mut stream, _) = cut.into_inner();
    stream.shutdown().await.expect("it is open");
    let error = timeout(LONG, ends.recv()).await.expect("in time").expect("an end");
    assert!(error.is_some(), "whoever is cut off has not closed");

    // At the end whoever is still there hears that nothing more comes.
    let mut idle = open(&made, local).await.expect("a connection");
    idle.send(Message::text("x")).await.expect("sent");
    timeout(LONG, idle.recv()).await.expect("in time").expect("received");
    trigger.request();
    assert_eq!(all_of(&mut idle).await, b"");
    let served = timeout(LONG, serving).await.expect("in time").expect("no panic");
    assert_eq!((served.clients, served.dropped), (4, 0));
}
