//! Services and the accept loop, over real sockets.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use enchufe::address::{Address, Host, HostPort, WsAddress};
use enchufe::core::ws::{CloseCode, CloseReason};
use enchufe::serve::Served;
use enchufe::service::{Echo, Event, Feed, Greet, Greeting, Observer, ServiceError};
use enchufe::shutdown::Trigger;
use enchufe::source::{Clock, Numbers, Random};
use enchufe::transport::{Framing, RecvError};
use enchufe::{
    BindOptions, Connection, Listener, Message, OpenOptions, ServeOptions, Service, Shutdown, serve,
};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// Longer than any test needs, shorter than the runner's patience.
const LONG: Duration = Duration::from_secs(30);

fn anywhere() -> HostPort {
    HostPort { host: Host::V4(Ipv4Addr::LOCALHOST), port: 0 }
}

fn tcp() -> Address {
    Address::Tcp(anywhere())
}

fn ws() -> Address {
    Address::Ws(WsAddress { endpoint: anywhere(), path: None })
}

/// A running server, and what it said happened.
struct Server {
    addresses: Vec<Address>,
    trigger: Trigger,
    running: JoinHandle<Served>,
    events: Events,
}

#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    /// Puts events into the words of the tutorial, in order. Ports differ from run to run.
    fn observer(&self) -> Observer {
        let events = Arc::clone(&self.0);
        Observer::new(move |event| {
            let text = match event {
                Event::Listening(_) => "listening".to_owned(),
                Event::Connected(peer) => {
                    assert!(peer.to_string().starts_with("('127.0.0.1', "), "{peer}");
                    "connected".to_owned()
                }
                Event::Received { message, .. } => format!("< {}", message.to_text()),
                Event::Sent { message, .. } => format!("> {}", message.to_text()),
                Event::Refused { connections_max, .. } => format!("refused, {connections_max} max"),
                Event::Closed { error: None, .. } => "closed".to_owned(),
                Event::Closed { error: Some(_), .. } => "failed".to_owned(),
                Event::Dropped(count) => format!("dropped {count}"),
                _ => unreachable!("an event of a new kind"),
            };
            events.lock().expect("not poisoned").push(text);
        })
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().expect("not poisoned").clone()
    }
}

impl Server {
    async fn start(
        addresses: &[Address],
        service: impl Service + Send + Sync + 'static,
        change: impl FnOnce(&mut ServeOptions),
    ) -> Self {
        let events = Events::default();
        Self::start_telling(events, addresses, service, change).await
    }

    async fn start_telling(
        events: Events,
        addresses: &[Address],
        service: impl Service + Send + Sync + 'static,
        change: impl FnOnce(&mut ServeOptions),
    ) -> Self {
        let mut listeners = Vec::new();
        for address in addresses {
            let bound = Listener::bind(address, &BindOptions::default()).await;
            listeners.push(bound.expect("a free port"));
        }
        let addresses = listeners.iter().flat_map(Listener::local_addresses).cloned().collect();
        let (trigger, shutdown) = Shutdown::new();
        let mut options = ServeOptions::default();
        options.observer = events.observer();
        change(&mut options);
        let running = tokio::spawn(serve(listeners, service, options, shutdown));
        Self { addresses, trigger, running, events }
    }

    async fn open(&self) -> Connection {
        self.open_at(0).await
    }

    async fn open_at(&self, index: usize) -> Connection {
        let options = OpenOptions::default();
        Connection::open(&self.addresses[index], &options).await.expect("connect")
    }

    async fn end(self) -> Served {
        self.trigger.request();
        self.ended().await
    }

    async fn ended(self) -> Served {
        timeout(LONG, self.running).await.expect("in time").expect("the server")
    }
}

async fn recv(connection: &mut Connection) -> Option<Message> {
    timeout(LONG, connection.recv()).await.expect("in time").expect("recv")
}

async fn text(connection: &mut Connection) -> String {
    recv(connection).await.expect("a message").to_text().into_owned()
}

/// Reads a stream to its end.
async fn rest(connection: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = recv(connection).await {
        bytes.extend_from_slice(&chunk.payload);
    }
    bytes
}

fn normal() -> CloseReason {
    CloseReason::new(CloseCode::NORMAL, "")
}

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

impl enchufe::Source for Mute {
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
async fn a_client_too_many_is_told_to_come_back_and_counted() {
    let server = Server::start(&[ws(), tcp()], Echo, |options| options.connections_max = 1).await;
    let mut first = server.open_at(0).await;
    first.send(Message::text("here")).await.expect("send");
    assert_eq!(text(&mut first).await, "here");

    let mut second = server.open_at(0).await;
    assert_eq!(recv(&mut second).await, None);
    assert_eq!(second.closed_with().map(|reason| reason.code.number()), Some(1013));
    let mut third = server.open_at(1).await;
    assert_eq!(recv(&mut third).await, None);

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
