//! What each service does with its clients.

use std::sync::atomic::{AtomicU64, Ordering};

use enchufe::address::{Address, UnixPath, WsAddress};
use enchufe::serve::Served;
use enchufe::service::{Echo, Feed, Greet, Greeting, Observer, ServiceError, StreamHandler};
use enchufe::source::{Clock, Numbers, Random};
use enchufe::transport::{CloseCode, Framing, Peer};
use enchufe::{Connection, Message, Service, Shutdown, Source};
use tokio::time::timeout;

use super::support::{Events, LONG, Server, normal, recv, rest, tcp, text, udp, ws};

#[tokio::test]
async fn echo_serves_many_clients_at_once_on_several_addresses() {
    let server = Server::start(&[tcp(), ws()], Echo, |_| {}).await;
    let mut clients = Vec::new();
    for index in 0..20 {
        clients.push((index, server.open_at(index % 2).await));
    }
    for (index, client) in clients.iter_mut().rev() {
        let message = Message::text(format!("Hello, {index}"));
        client.send(message.clone()).await.expect("send");
        assert_eq!(recv(client).await.expect("an answer").payload, message.payload);
    }
    drop(clients);
    assert_eq!(server.end().await.clients, 20);
}

#[tokio::test]
async fn echo_keeps_the_kind_of_a_message_and_sends_a_stream_back_to_its_end() {
    let server = Server::start(&[tcp(), ws()], Echo, |_| {}).await;
    let mut web = server.open_at(1).await;
    for message in [Message::text("ñ"), Message::binary(&b"\xff\0"[..]), Message::text("")] {
        web.send(message.clone()).await.expect("send");
        assert_eq!(recv(&mut web).await, Some(message));
    }
    drop(web);
    let mut stream = server.open_at(0).await;
    let sent: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
    let (mut incoming, mut outgoing) = {
        stream.send(Message::binary(sent[..4].to_vec())).await.expect("send");
        stream.split()
    };
    let rest_of_it = sent[4..].to_vec();
    let sending = tokio::spawn(async move {
        outgoing.send(Message::binary(rest_of_it)).await.expect("send");
        outgoing.finish().await.expect("finish");
        outgoing
    });
    let mut received = Vec::new();
    while let Some(chunk) = timeout(LONG, incoming.recv()).await.expect("in time").expect("recv") {
        received.extend_from_slice(&chunk.payload);
    }
    assert!(received == sent);
    drop(sending.await.expect("sending"));
    server.end().await;
}

#[tokio::test]
async fn greet_answers_each_name_and_tells_of_both() {
    let events = Events::default();
    let greet = Greet::new(Greeting::default(), events.observer());
    let server = Server::start_telling(events, &[ws()], greet, |_| {}).await;
    let mut client = server.open().await;
    for name in ["Ana", "Íñigo", "\u{1b}[2J\n> Hola forged!"] {
        client.send(Message::text(name)).await.expect("send");
        assert_eq!(text(&mut client).await, format!("Hola {name}!"));
    }
    client.close(normal()).await.expect("close");
    let events = server.events.clone();
    assert_eq!(server.end().await, Served { clients: 1, refused: 0, dropped: 0 });
    let said = [
        "listening",
        "connected",
        "< Ana",
        "> Hola Ana!",
        "< Íñigo",
        "> Hola Íñigo!",
        "< \u{1b}[2J\n> Hola forged!",
        "> Hola \u{1b}[2J\n> Hola forged!!",
        "closed",
    ];
    assert_eq!(events.all(), said);
}

#[tokio::test]
async fn greet_takes_names_by_line_from_a_stream() {
    let greeting = "Hello, {name}.".parse().expect("a greeting");
    let server = Server::start(&[tcp()], Greet::new(greeting, Observer::default()), |_| {}).await;
    let mut client = server.open().await;
    client.send(Message::text("Ana\nBe")).await.expect("send");
    client.send(Message::binary(&b"a\r\n\xff"[..])).await.expect("send");
    client.finish().await.expect("finish");
    // The last name is not text, and is kept as it came.
    assert_eq!(rest(&mut client).await, b"Hello, Ana.\nHello, Bea.\nHello, \xff.\n");
    server.end().await;
}

#[tokio::test]
async fn each_client_has_a_clock_of_its_own_that_speaks_at_once() {
    let interval = "1h".parse().expect("an interval");
    let feed = Feed::new(move || Clock::new(interval), Observer::default());
    let server = Server::start(&[ws()], feed, |_| {}).await;
    let (mut one, mut two) = (server.open().await, server.open().await);
    let first = text(&mut one).await;
    let second = text(&mut two).await;
    assert!(first.ends_with('Z') && second.ends_with('Z') && first != second, "{first} {second}");
    drop((one, two));
    assert_eq!(server.end().await.clients, 2);
}

/// Numbers that are the same in each run, and others for each client.
fn seeded(seed: u64) -> Random {
    let numbers = "0..=1000000".parse::<Numbers>().expect("numbers");
    let interval = "0..2ms".parse().expect("an interval");
    Random::with_rng(numbers, interval, fastrand::Rng::with_seed(seed))
}

#[tokio::test]
async fn the_numbers_sent_are_the_numbers_told_and_differ_by_client() {
    let events = Events::default();
    let clients = AtomicU64::new(0);
    let source = move || seeded(clients.fetch_add(1, Ordering::Relaxed));
    let feed = Feed::new(source, events.observer());
    let server = Server::start_telling(events, &[ws()], feed, |_| {}).await;
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let mut client = server.open().await;
        let mut told = Vec::new();
        for _ in 0..20 {
            told.push(text(&mut client).await);
        }
        client.close(normal()).await.expect("close");
        numbers.push(told);
    }
    let events = server.events.clone();
    server.end().await;
    assert_ne!(numbers[0], numbers[1]);
    let told: Vec<String> = events
        .all()
        .iter()
        .filter_map(|event| event.strip_prefix("> ").map(str::to_owned))
        .collect();
    assert!(told.len() >= 40);
    for numbers in numbers {
        assert!(told.windows(20).any(|window| window == numbers), "{numbers:?} in {told:?}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_feed_is_noticed_between_two_messages() {
    let feed = Feed::new(|| Clock::new("1h".parse().expect("an interval")), Observer::default());
    let server = Server::start(&[ws()], feed, |options| options.once = true).await;
    let mut client = server.open().await;
    text(&mut client).await;
    client.send(Message::text("what a client says is ignored")).await.expect("send");
    client.close(normal()).await.expect("close");
    assert_eq!(server.ended().await.clients, 1);
}

#[tokio::test]
async fn a_stream_that_has_said_all_it_had_to_say_is_still_fed_by_line() {
    let feed = Feed::new(|| seeded(1), Observer::default());
    let server = Server::start(&[tcp()], feed, |_| {}).await;
    let mut client = server.open().await.with_framing(Framing::Lines);
    client.finish().await.expect("finish");
    for _ in 0..20 {
        let number = text(&mut client).await;
        assert!(number.parse::<u32>().is_ok(), "{number}");
    }
    drop(client);
    server.end().await;
}

/// A source that has nothing to say.
struct Mute;

impl Source for Mute {
    async fn next(&mut self) -> Option<Message> {
        None
    }
}

#[tokio::test]
async fn a_feed_whose_source_has_ended_says_so() {
    let server = Server::start(&[ws()], Feed::new(|| Mute, Observer::default()), |_| {}).await;
    let mut client = server.open().await;
    assert_eq!(recv(&mut client).await, None);
    assert_eq!(client.closed_with(), Some(&normal()));
    server.end().await;
}

#[tokio::test]
async fn datagrams_are_served_like_messages() {
    let server = Server::start(&[udp()], Greet::default(), |_| {}).await;
    let (mut one, mut two) = (server.open().await, server.open().await);
    one.send(Message::text("Ana\n")).await.expect("send");
    two.send(Message::text("Bea")).await.expect("send");
    assert_eq!(text(&mut one).await, "Hola Ana!");
    assert_eq!(text(&mut two).await, "Hola Bea!");
    assert_eq!(server.end().await.clients, 2);
}

#[cfg(unix)]
#[tokio::test]
async fn websocket_over_a_socket_of_the_machine_is_served_like_any_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let endpoint = UnixPath::File(folder.path().join("echo")).into();
    let address = Address::Ws(WsAddress { endpoint, path: None, is_secure: false });
    let server = Server::start(&[address], Greet::default(), |_| {}).await;
    let mut client = server.open().await;
    for name in ["Ana", "Bea"] {
        client.feed(Message::text(name)).await.expect("fed");
    }
    client.flush().await.expect("flushed");
    assert_eq!(text(&mut client).await, "Hola Ana!");
    assert_eq!(text(&mut client).await, "Hola Bea!");
    server.trigger.request();
    assert_eq!(recv(&mut client).await, None);
    assert_eq!(client.closed_with().map(|reason| reason.code), Some(CloseCode::GOING_AWAY));
    assert_eq!(server.end().await.clients, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn sockets_of_the_machine_are_served_like_streams() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = Address::Unix(UnixPath::File(folder.path().join("echo")));
    let server = Server::start(&[address], Echo, |_| {}).await;
    let mut client = server.open().await;
    client.send(Message::text("Hello, world")).await.expect("send");
    client.finish().await.expect("finish");
    assert_eq!(rest(&mut client).await, b"Hello, world");
    assert_eq!(server.end().await.clients, 1);
}

/// Says by which of its two forms a client is served.
struct TwoForms;

impl Service for TwoForms {
    async fn serve(&self, mut connection: Connection, _: Shutdown) -> Result<(), ServiceError> {
        connection.recv().await?;
        Ok(connection.send(Message::text("task")).await?)
    }

    fn stream_handler(&self, _: &Peer) -> Option<Box<dyn StreamHandler>> {
        Some(Box::new(Self))
    }
}

impl StreamHandler for TwoForms {
    fn on_bytes(&mut self, bytes: &mut [u8]) -> usize {
        bytes[..4].copy_from_slice(b"hot!");
        4
    }
}

#[cfg(unix)]
#[tokio::test]
async fn clients_of_streams_live_on_shards_whatever_carries_them_and_half_closing_is_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let unix = Address::Unix(UnixPath::File(folder.path().join("hot")));
    let server = Server::start(&[tcp(), unix], TwoForms, |_| {}).await;
    for index in 0..2 {
        let mut client = server.open_at(index).await;
        client.send(Message::text("which?")).await.expect("send");
        client.finish().await.expect("finish");
        assert_eq!(rest(&mut client).await, b"hot!", "{}", server.addresses[index]);
    }
    let events = server.events.clone();
    assert_eq!(server.end().await, Served { clients: 2, refused: 0, dropped: 0 });
    assert!(!events.all().contains(&"failed".to_owned()), "{:?}", events.all());
}
