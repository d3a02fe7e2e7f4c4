//! Many producers at a time, over every transport that can be listened on.

use std::{collections::HashMap, time::Duration};

use enchufe::{
    Address, Connection, Message, OpenOptions, Source as _,
    core::Kind,
    source::{AnySource, Check, Origin, Spec, Surroundings},
    transport::Framing,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{PATIENCE, next, open, several};

/// Where it listens.
fn address(source: &AnySource) -> Address {
    source.local_addresses().first().expect("it listens").clone()
}

async fn connect(address: &Address) -> Connection {
    Connection::open(address, &OpenOptions::default()).await.expect("it listens")
}

async fn socket(address: &Address) -> TcpStream {
    let endpoint = address.host_port().expect("a port").to_string();
    TcpStream::connect(endpoint).await.expect("it listens")
}

/// Whether nothing more comes, and the peer has closed or reset the connection.
async fn is_closed(socket: &mut TcpStream) -> bool {
    let mut byte = [0];
    matches!(timeout(PATIENCE, socket.read(&mut byte)).await.expect("in time"), Ok(0) | Err(_))
}

const PRODUCERS: usize = 40;
const LINES: usize = 2_000;

/// Every message is `PRODUCER-NUMBER` and padding; of each producer all come, in order.
async fn reconcile(source: &mut AnySource) {
    let mut heard: HashMap<String, usize> = HashMap::new();
    for line in several(source, PRODUCERS * LINES).await {
        let (producer, rest) = line.split_once('-').expect("a whole line");
        let (number, padding) = rest.split_once(' ').expect("a whole line");
        let expected = heard.entry(producer.to_owned()).or_default();
        assert_eq!(number, expected.to_string(), "of producer {producer}");
        assert_eq!(padding.len(), *expected % 300);
        *expected += 1;
    }
    assert_eq!(heard.len(), PRODUCERS);
}

fn line(producer: usize, number: usize) -> String {
    format!("{producer}-{number} {}", "x".repeat(number % 300))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_producers_of_streams_every_line_comes_whole_and_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let unix = format!("listen:unix:{}", folder.path().join("in").display());
    for text in ["listen:tcp://127.0.0.1:0", &unix] {
        let mut source = open(text).await;
        let address = address(&source);
        for producer in 0..PRODUCERS {
            let address = address.clone();
            tokio::spawn(async move {
                let mut connection = connect(&address).await;
                let lines: String =
                    (0..LINES).map(|number| line(producer, number) + "\n").collect();
                // In pieces that end anywhere.
                for piece in lines.as_bytes().chunks(1_000 + 37 * producer) {
                    connection.send(Message::binary(piece.to_vec())).await.expect("it reads");
                }
            });
        }
        reconcile(&mut source).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_producers_over_websocket_every_message_comes_in_order_and_of_its_kind() {
    let mut source = open("listen:ws://127.0.0.1:0/in").await;
    let address = address(&source);
    for producer in 0..PRODUCERS {
        let address = address.clone();
        tokio::spawn(async move {
            let mut connection = connect(&address).await;
            for number in 0..LINES {
                connection.feed(Message::text(line(producer, number))).await.expect("it reads");
            }
            connection.flush().await.expect("it reads");
            while let Ok(Some(_)) = connection.recv().await {}
        });
    }
    reconcile(&mut source).await;
    let mut connection = connect(&address).await;
    // What is sent as bytes stays bytes, and a line break ends nothing.
    connection.send(Message::binary("uno\ndos")).await.expect("it reads");
    let message = timeout(PATIENCE, source.next()).await.expect("in time").expect("no end");
    assert_eq!((message.kind, &message.payload[..]), (Kind::Binary, &b"uno\ndos"[..]));
}

#[tokio::test]
async fn a_datagram_is_a_message_whoever_sends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let unixgram = format!("listen:unixgram:{}", folder.path().join("in").display());
    for text in ["listen:udp://127.0.0.1:0", &unixgram] {
        let mut source = open(text).await;
        let address = address(&source);
        let mut producers = [connect(&address).await, connect(&address).await];
        for number in 0..100 {
            let producer = &mut producers[number % 2];
            let said = format!("{number}\nx");
            producer.send(Message::binary(said.clone())).await.expect("room");
            assert_eq!(next(&mut source).await, said);
        }
    }
}

#[tokio::test]
async fn the_last_line_needs_no_end_unless_its_producer_broke_off() {
    let mut source = open("listen:tcp://127.0.0.1:0").await;
    let address = address(&source);
    let mut broken = socket(&address).await;
    broken.write_all(b"whole\nhalf").await.expect("it reads");
    assert_eq!(next(&mut source).await, "whole");
    socket2::SockRef::from(&broken).set_linger(Some(Duration::ZERO)).expect("an option");
    drop(broken);
    let mut closed = socket(&address).await;
    closed.write_all(b"uno\ndos").await.expect("it reads");
    drop(closed);
    assert_eq!(several(&mut source, 2).await, ["uno", "dos"]);
}

#[tokio::test]
async fn who_speaks_http_is_closed_and_publishes_nothing() {
    let mut source = open("listen:tcp://127.0.0.1:0").await;
    let address = address(&source);
    for request in [
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nevil\n",
        "GET /\u{20}x HTTP/1.1\r\n\r\nevil\n",
    ] {
        let mut page = socket(&address).await;
        page.write_all(request.as_bytes()).await.expect("it reads");
        assert!(is_closed(&mut page).await);
    }
    let mut producer = socket(&address).await;
    producer.write_all(b"GET well soon\nLOUD\n").await.expect("it reads");
    assert_eq!(several(&mut source, 2).await, ["GET well soon", "LOUD"]);
}

#[tokio::test]
async fn a_page_of_another_origin_opens_no_websocket() {
    let mut source = open("listen:ws://127.0.0.1:0").await;
    let address = address(&source);
    let mut foreign = OpenOptions::default();
    foreign.ws.origin = Some("http://evil.example".to_owned());
    let refused = Connection::open(&address, &foreign).await.expect_err("it is refused");
    assert!(refused.to_string().contains("403"), "{refused}");
    let mut rebound = OpenOptions::default();
    rebound.ws.headers = vec![("Host".to_owned(), "evil.example".to_owned())];
    if let Ok(mut connection) = Connection::open(&address, &rebound).await {
        panic!("{:?}", connection.recv().await);
    }
    connect(&address).await.send(Message::text("uno")).await.expect("it reads");
    assert_eq!(next(&mut source).await, "uno");
}

/// A source with room for so many producers.
async fn with_room_for(producers_max: usize) -> AnySource {
    let spec = Spec::new(Origin::parse("listen:tcp://127.0.0.1:0").expect("a source"));
    let mut surroundings = Surroundings::default();
    surroundings.producers_max = producers_max;
    spec.open(&surroundings).await.expect("it listens")
}

#[tokio::test]
async fn one_producer_too_many_is_turned_away_and_the_others_are_read() {
    let mut source = with_room_for(2).await;
    let address = address(&source);
    let mut producers = [socket(&address).await, socket(&address).await];
    for producer in &mut producers {
        producer.write_all(b"here\n").await.expect("it reads");
        assert_eq!(next(&mut source).await, "here");
    }
    let mut third = socket(&address).await;
    assert!(is_closed(&mut third).await);
    let [mut first, second] = producers;
    first.write_all(b"still here\n").await.expect("it reads");
    assert_eq!(next(&mut source).await, "still here");
    drop(second);
    // There is room again, once it was noticed that one has left.
    loop {
        let mut fourth = socket(&address).await;
        fourth.write_all(b"fourth\n").await.ok();
        if let Ok(message) = timeout(Duration::from_millis(50), source.next()).await {
            assert_eq!(message.expect("no end").to_text(), "fourth");
            break;
        }
    }
}

#[tokio::test]
async fn a_producer_that_was_quiet_for_long_makes_room_for_another() {
    let mut source = with_room_for(1).await;
    let address = address(&source);
    let mut quiet = socket(&address).await;
    quiet.write_all(b"here\n").await.expect("it reads");
    assert_eq!(next(&mut source).await, "here");
    tokio::time::pause();
    tokio::time::advance(enchufe::limits::PRODUCER_QUIET).await;
    tokio::time::resume();
    let mut other = socket(&address).await;
    other.write_all(b"other\n").await.expect("it reads");
    assert_eq!(next(&mut source).await, "other");
    assert!(is_closed(&mut quiet).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_is_read_only_as_fast_as_its_messages_are_taken() {
    let mut source = open("listen:tcp://127.0.0.1:0").await;
    let mut producer = socket(&address(&source)).await;
    let line = format!("{}\n", "x".repeat(1_023)).repeat(64);
    let mut sent = 0;
    // Nobody takes anything: what the queues and the sockets hold fills up, and that is all.
    while let Ok(written) =
        timeout(Duration::from_millis(500), producer.write(&line.as_bytes()[sent % 1_024..])).await
    {
        sent += written.expect("it reads");
        assert!(sent < 64 << 20, "it reads what nobody takes");
    }
    for _ in 0..sent / 1_024 {
        assert_eq!(next(&mut source).await.len(), 1_023);
    }
}

#[tokio::test]
async fn messages_are_framed_and_checked_as_it_is_asked() {
    let mut spec = Spec::new(Origin::parse("listen:tcp://127.0.0.1:0").expect("a source"));
    (spec.framing, spec.check) = (Framing::Nul, Check::Number);
    let mut source = spec.open(&Surroundings::default()).await.expect("it listens");
    let mut producer = socket(&address(&source)).await;
    producer.write_all(b"1\0uno\0 2\n\0\x003\0").await.expect("it reads");
    assert_eq!(several(&mut source, 3).await, ["1", " 2\n", "3"]);
    assert_eq!(source.left_out(), 2);
}

#[tokio::test]
async fn a_length_that_is_too_long_ends_its_producer_alone() {
    let mut spec = Spec::new(Origin::parse("listen:tcp://127.0.0.1:0").expect("a source"));
    spec.framing = Framing::Length;
    let mut source = spec.open(&Surroundings::default()).await.expect("it listens");
    let address = address(&source);
    let mut wrong = socket(&address).await;
    wrong.write_all(b"\0\0\0\x03uno\xff\0\0\0dos").await.expect("it reads");
    assert!(is_closed(&mut wrong).await);
    let mut right = socket(&address).await;
    right.write_all(b"\0\0\0\x04tres").await.expect("it reads");
    assert_eq!(several(&mut source, 2).await, ["uno", "tres"]);
}

#[tokio::test]
async fn when_the_source_stops_producers_are_told_and_nobody_listens() {
    let mut source = open("listen:ws://127.0.0.1:0").await;
    let address = address(&source);
    let mut producer = connect(&address).await;
    producer.send(Message::text("uno")).await.expect("it reads");
    assert_eq!(next(&mut source).await, "uno");
    source.stop().await;
    assert!(matches!(timeout(PATIENCE, producer.recv()).await.expect("in time"), Ok(None)));
    assert_eq!(producer.closed_with().expect("a reason").code.number(), 1001);
    while Connection::open(&address, &OpenOptions::default()).await.is_ok() {}
    assert!(source.next().await.is_none());
}
