//! How many clients there may be, and how they and the server end.

use std::time::Duration;

use enchufe::address::Address;
use enchufe::serve::Served;
use enchufe::service::{Echo, Feed, Greet, Observer, ServiceError};
use enchufe::source::Clock;
use enchufe::transport::{CloseCode, RecvError};
use enchufe::{Connection, Message, OpenOptions, Service, Shutdown};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::support::{LONG, Server, normal, recv, rest, tcp, text, ws};

#[tokio::test]
async fn a_client_too_many_is_told_to_come_back_and_counted() {
    let server = Server::start(&[ws(), tcp()], Echo, |options| options.connections_max = 1).await;
    let mut first = server.open_at(0).await;
    first.send(Message::text("here")).await.expect("send");
    assert_eq!(text(&mut first).await, "here");

    let mut second = server.open_at(0).await;
    assert_eq!(recv(&mut second).await, None);
    assert_eq!(second.closed_with().map(|reason| reason.code.number()), Some(1013));
    // A stream that just ended would look like one that was served.
    let third = async {
        // It may be reset before it knows that it is connected.
        let opened = Connection::open(&server.addresses[1], &OpenOptions::default()).await;
        opened.map_err(|error| error.to_string())?.recv().await.map_err(|error| error.to_string())
    };
    let reset = timeout(LONG, third).await.expect("in time").expect_err("it is turned away");
    assert!(reset.contains("reset"), "{reset}");

    first.close(normal()).await.expect("close");
    // Its place is free once the server has seen it off, which it tells.
    while !server.events.all().contains(&"closed".to_owned()) {
        tokio::task::yield_now().await;
    }
    tokio::task::yield_now().await;
    let mut fourth = server.open_at(0).await;
    fourth.send(Message::text("now")).await.expect("send");
    assert_eq!(text(&mut fourth).await, "now");
    drop(fourth);
    assert!(server.events.all().contains(&"refused, 1 max".to_owned()));
    assert_eq!(server.end().await, Served { clients: 2, refused: 2, dropped: 0 });
}

#[tokio::test]
async fn once_ends_after_the_first_client() {
    let server = Server::start(&[tcp()], Echo, |options| options.once = true).await;
    let address = server.addresses[0].clone();
    let mut client = server.open().await;
    client.send(Message::text("Hello, world")).await.expect("send");
    client.finish().await.expect("finish");
    assert_eq!(rest(&mut client).await, b"Hello, world");
    assert_eq!(server.ended().await, Served { clients: 1, refused: 0, dropped: 0 });
    Connection::open(&address, &OpenOptions::default()).await.expect_err("nobody listens any more");
}

#[tokio::test]
async fn at_the_end_every_client_is_told_and_nobody_listens() {
    let feed = Feed::new(|| Clock::new("1h".parse().expect("an interval")), Observer::default());
    let server = Server::start(&[ws(), tcp()], feed, |_| {}).await;
    let addresses = server.addresses.clone();
    let (mut web, mut stream) = (server.open_at(0).await, server.open_at(1).await);
    text(&mut web).await;
    text(&mut stream).await;
    let begun = Instant::now();
    server.trigger.request();
    assert_eq!(recv(&mut web).await, None);
    assert_eq!(web.closed_with().map(|reason| reason.code), Some(CloseCode::GOING_AWAY));
    assert_eq!(recv(&mut stream).await, None);
    assert_eq!(server.ended().await, Served { clients: 2, refused: 0, dropped: 0 });
    assert!(begun.elapsed() < Duration::from_secs(4));
    for address in addresses {
        Connection::open(&address, &OpenOptions::default()).await.expect_err("nobody listens");
    }
}

#[tokio::test]
async fn idle_clients_of_echo_and_greet_are_told_at_the_end_too() {
    for (address, greets) in [(ws(), false), (tcp(), false), (ws(), true), (tcp(), true)] {
        let server = match greets {
            true => Server::start(&[address], Greet::default(), |_| {}).await,
            false => Server::start(&[address], Echo, |_| {}).await,
        };
        let mut client = server.open().await;
        client.send(Message::text("Ana\n")).await.expect("send");
        text(&mut client).await;
        server.trigger.request();
        assert_eq!(recv(&mut client).await, None);
        let expected = (!client.is_stream()).then_some(CloseCode::GOING_AWAY);
        assert_eq!(client.closed_with().map(|reason| reason.code), expected);
        assert_eq!(server.ended().await.dropped, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_came_in_just_before_the_end_is_told_too() {
    // The end meets each of them at another point between its handshake and its service.
    for _ in 0..100 {
        let server = Server::start(&[ws()], Echo, |_| {}).await;
        let mut client = server.open().await;
        server.trigger.request();
        assert_eq!(recv(&mut client).await, None);
        assert_eq!(client.closed_with().map(|reason| reason.code), Some(CloseCode::GOING_AWAY));
        server.ended().await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_leave_is_dropped_after_a_bounded_time() {
    let server = Server::start(&[tcp()], Echo, |options| {
        options.drain_timeout = Duration::from_millis(200);
    })
    .await;
    let Address::Tcp(endpoint) = &server.addresses[0] else { panic!("a tcp address") };
    let mut client = TcpStream::connect(("127.0.0.1", endpoint.port)).await.expect("connect");
    // More than both systems keep for a client that does not read its echo.
    let flood = client.write_all(&[0; 64 << 20]);
    timeout(Duration::from_secs(1), flood).await.expect_err("the echo is stuck");
    let begun = Instant::now();
    let events = server.events.clone();
    assert_eq!(server.end().await, Served { clients: 1, refused: 0, dropped: 1 });
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(events.all().last().map(String::as_str), Some("dropped 1"));
}

#[tokio::test]
async fn a_client_that_comes_as_the_server_goes_is_told_so_like_the_others() {
    for _ in 0..20 {
        let server = Server::start(&[ws()], Echo, |_| {}).await;
        // The client has its 101; whether the server has accepted it is open.
        let mut client = server.open().await;
        server.trigger.request();
        let received = timeout(LONG, client.recv()).await.expect("in time");
        assert_eq!(received.expect("a goodbye"), None);
        let code = client.closed_with().map(|reason| reason.code);
        assert_eq!(code, Some(CloseCode::GOING_AWAY));
        server.running.await.expect("it does not panic");
    }
}

/// Fails or panics, as its client wishes.
struct Fragile;

impl Service for Fragile {
    async fn serve(&self, mut connection: Connection, _: Shutdown) -> Result<(), ServiceError> {
        let wish = connection.recv().await?.expect("a wish");
        assert_ne!(wish, Message::text("panic"), "as wished");
        connection.send(wish).await?;
        Err(ServiceError::Failed("as wished".into()))
    }
}

#[tokio::test]
async fn a_service_that_fails_or_panics_takes_nobody_else_with_it() {
    let server = Server::start(&[ws()], Fragile, |_| {}).await;
    let mut other = server.open().await;
    let mut client = server.open().await;
    client.send(Message::text("panic")).await.expect("send");
    let ended = timeout(LONG, client.recv()).await.expect("in time");
    assert!(
        matches!(ended, Err(RecvError::Abnormal { .. } | RecvError::Reset { .. })),
        "{ended:?}"
    );
    other.send(Message::text("fail")).await.expect("send");
    assert_eq!(text(&mut other).await, "fail");
    let events = server.events.clone();
    assert_eq!(server.end().await.clients, 2);
    assert!(events.all().contains(&"failed".to_owned()));
}
